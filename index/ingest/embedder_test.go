package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ken/corpora"
	"ken/embed"
	"ken/index/indextest"
	"ken/index/ingest"
)

// One text that the embedder does not take keeps out its document and no other.
func TestARefusedTextIsQuarantined(t *testing.T) {
	store, e := indextest.NewOracle(), newMeter(t, 64)
	e.fail = refuse("beta")
	if got, want := brief(run(t, store, e, &shelf{pages: base})), "seen 3 added 2; shelf/b.md embed"; got != want {
		t.Errorf("summary %q, want %q", got, want)
	}
	if got := reads(t, store); got != "a.md c.md" {
		t.Errorf("indexed %q", got)
	}
	e.fail = nil
	if got, want := brief(run(t, store, e, &shelf{pages: base})), "seen 3 added 1 unchanged 2"; got != want {
		t.Errorf("the next run: %q, want %q", got, want)
	}
}

// A text that cannot be embedded stays as it was, but who may read it does not.
func TestARevokeHoldsThoughTheTextIsRefused(t *testing.T) {
	store, e := indextest.NewOracle(), newMeter(t, 64)
	run(t, store, e, &shelf{pages: base})
	e.fail = refuse("new")
	got := brief(run(t, store, e, &shelf{pages: with("b.md", func(p *page) { p.text, p.acl = "new", hr })}))
	if want := "seen 3 unchanged 2; shelf/b.md embed"; got != want {
		t.Errorf("summary %q, want %q", got, want)
	}
	if got := reads(t, store); got != "a.md c.md" {
		t.Errorf("everyone reads %q", got)
	}
	if got := reads(t, store, "group:hr"); got != "a.md b.md c.md" {
		t.Errorf("group:hr reads %q", got)
	}
}

// A grant is for the text that it came with: while that cannot be embedded, the
// text before it is not shown to those whom the grant would let in.
func TestAGrantWaitsForItsText(t *testing.T) {
	store, e := indextest.NewOracle(), newMeter(t, 64)
	run(t, store, e, &shelf{pages: with("b.md", func(p *page) { p.acl = hr })})
	e.fail = refuse("new")
	run(t, store, e, &shelf{pages: with("b.md", func(p *page) { p.text = "new" })})
	if got := reads(t, store); got != "a.md c.md" {
		t.Errorf("everyone reads %q", got)
	}
	e.fail = nil
	run(t, store, e, &shelf{pages: with("b.md", func(p *page) { p.text = "new" })})
	if got := reads(t, store); got != "a.md b.md c.md" {
		t.Errorf("everyone reads %q once it is embedded", got)
	}
}

// What reads as it did keeps its vector: a new date, or a word in another chunk,
// embeds nothing of it.
func TestUnchangedChunksAreNotEmbedded(t *testing.T) {
	store, e := openEmbedded(t), newMeter(t, 64)
	long := "# One\n\n" + strings.Repeat("alpha beta gamma delta. ", 60) + "\n\n# Two\n\n" + strings.Repeat("epsilon zeta eta theta. ", 60)
	run(t, store, e, &shelf{pages: with("b.md", func(p *page) { p.text = long })})
	before := e.texts
	if got, want := brief(run(t, store, e, &shelf{pages: with("b.md", func(p *page) { p.text, p.tag = long, "new" })})), "seen 3 updated 1 unchanged 2"; got != want {
		t.Errorf("summary %q, want %q", got, want)
	}
	if e.texts != before {
		t.Errorf("a new tag embedded %d texts", e.texts-before)
	}
	edited := strings.Replace(long, "epsilon", "omega", 1)
	run(t, store, e, &shelf{pages: with("b.md", func(p *page) { p.text, p.tag = edited, "new" })})
	if n := e.texts - before; n != 1 {
		t.Errorf("a new word embedded %d texts, want that of its chunk", n)
	}
	clean := openEmbedded(t)
	run(t, clean, e, &shelf{pages: with("b.md", func(p *page) { p.text, p.tag = edited, "new" })})
	same(t, "after the edits", export(t, store), export(t, clean))
}

// While the embedder is down texts wait, permissions and deletions do not.
func TestEmbedderDown(t *testing.T) {
	store, e := indextest.NewOracle(), newMeter(t, 64)
	run(t, store, e, &shelf{pages: library(12)})
	calls := 0
	e.fail = func([]string) error { calls++; return errRefused }
	s, err := ingest.Run(t.Context(), options(store, e), &shelf{pages: edited(library(12))})
	if !errors.Is(err, errRefused) {
		t.Errorf("error %v, want the embedder's", err)
	}
	if got, want := brief(s), "seen 12 acl 2 unchanged 4 deleted 2 postponed 4; shelf/b/01.md embed; shelf/a/03.md embed"; got != want {
		t.Errorf("summary %q, want %q", got, want)
	}
	if calls > 7 { // the batches that are under way at once and three documents
		t.Errorf("the embedder was asked %d times", calls)
	}
	everyone := reads(t, store)
	for _, closed := range []string{"a/03.md", "a/09.md", "c/02.md", "c/08.md", "b/04.md", "b/10.md", "new/1.md"} {
		if strings.Contains(everyone, closed) {
			t.Errorf("everyone reads %s: %s", closed, everyone)
		}
	}
	e.fail = nil
	run(t, store, e, &shelf{pages: edited(library(12))})
	clean := indextest.NewOracle()
	run(t, clean, e, &shelf{pages: edited(library(12))})
	same(t, "after the outage", export(t, store), export(t, clean))
}

func TestAnotherModelEmbedsAgain(t *testing.T) {
	old, other := newMeter(t, 64), newMeter(t, 128)
	for name, open := range map[string]func() indextest.Store{
		"oracle":   func() indextest.Store { return indextest.NewOracle() },
		"embedded": func() indextest.Store { return openEmbedded(t) },
	} {
		store := open()
		if s := run(t, store, old, &shelf{pages: library(8)}); s.Reembedded || store.Model() != old.Model() {
			t.Errorf("%s: a new store: %+v, model %+v", name, s, store.Model())
		}
		s := run(t, store, other, &shelf{pages: library(8)})
		if !s.Reembedded || s.Unchanged != 8 || s.Updated != 0 {
			t.Errorf("%s: another model: %+v", name, s)
		}
		clean := open()
		run(t, clean, other, &shelf{pages: library(8)})
		same(t, name, export(t, store), export(t, clean))
		if s := run(t, store, other, &shelf{pages: library(8)}); s.Reembedded {
			t.Errorf("%s: embedded again without another model", name)
		}
	}
}

// If the new model cannot embed, the old vectors stay, and a revoke still holds.
func TestAnotherModelThatIsDown(t *testing.T) {
	store, old, other := indextest.NewOracle(), newMeter(t, 64), newMeter(t, 128)
	run(t, store, old, &shelf{pages: base})
	other.fail = refuse("")
	s, err := ingest.Run(t.Context(), options(store, other), &shelf{pages: with("b.md", func(p *page) { p.acl, p.text = hr, "new" })[1:]})
	if !errors.Is(err, errRefused) || s.Reembedded {
		t.Errorf("error %v, summary %+v", err, s)
	}
	if got, want := brief(s), "seen 2 unchanged 1 deleted 1 postponed 1"; got != want {
		t.Errorf("summary %q, want %q", got, want)
	}
	if store.Model() != old.Model() {
		t.Errorf("model %+v", store.Model())
	}
	if got := reads(t, store); got != "c.md" {
		t.Errorf("everyone reads %q, want c.md", got)
	}
}

func TestBatchesHoldSeveralDocuments(t *testing.T) {
	store, e := indextest.NewOracle(), newMeter(t, 64)
	var sizes []int
	e.fail = func(texts []string) error { sizes = append(sizes, len(texts)); return nil }
	run(t, store, e, &shelf{pages: library(8)})
	slices.Sort(sizes) // batches are under way side by side
	if fmt.Sprint(sizes) != "[2 3 3]" {
		t.Errorf("texts in a call %v, want 2, 3 and 3", sizes)
	}
}

// Batches are with the embedder side by side, a bounded number of them, and are
// committed in the order of the listing whichever comes back first.
func TestBatchesAreUnderWayAtOnce(t *testing.T) {
	store, e := indextest.NewOracle(), &slow{meter: newMeter(t, 64), most: 4, open: make(chan struct{})}
	o := options(store, e)
	o.BatchDocuments = 1
	s, err := ingest.Run(t.Context(), o, &shelf{pages: library(12)})
	if err != nil || s.Added != 12 {
		t.Fatalf("summary %+v, error %v", s, err)
	}
	if e.highest != 4 {
		t.Errorf("%d batches were under way at once, want 4", e.highest)
	}
	plain := indextest.NewOracle()
	run(t, plain, newMeter(t, 64), &shelf{pages: library(12)})
	same(t, "slow batches", export(t, store), export(t, plain))
}

// What is deleted while its batch is under way does not come back with it.
func TestADeletionReachesBatchesUnderWay(t *testing.T) {
	for _, refused := range []bool{false, true} {
		store, e := indextest.NewOracle(), &slow{meter: newMeter(t, 64), most: 4, open: make(chan struct{})}
		if refused {
			e.fail = refuse("gamma")
		}
		o := options(store, e)
		o.BatchDocuments = 1
		pages := append(slices.Clone(base), page{path: "b.md", op: corpora.Delete}, page{path: "d.md", text: "delta"})
		if _, err := ingest.Run(t.Context(), o, &shelf{pages: pages, open: true}); err != nil {
			t.Fatal(err)
		}
		if got := reads(t, store); strings.Contains(got, "b.md") || !strings.Contains(got, "a.md") {
			t.Errorf("refused %v: indexed %q", refused, got)
		}
	}
}

// slow is an embedder that answers nobody until most calls wait, or until a
// moment passed without another.
type slow struct {
	*meter
	most, highest, waiting int
	open                   chan struct{}
	full                   sync.Once
}

func (s *slow) Embed(ctx context.Context, k embed.Kind, texts []string) ([]embed.Vector, error) {
	s.mu.Lock()
	s.waiting++
	s.highest = max(s.highest, s.waiting)
	if s.waiting == s.most {
		s.full.Do(func() { close(s.open) })
	}
	s.mu.Unlock()
	select {
	case <-s.open:
	case <-time.After(10 * time.Second):
	}
	defer func() { s.mu.Lock(); s.waiting--; s.mu.Unlock() }()
	return s.meter.Embed(ctx, k, texts)
}
