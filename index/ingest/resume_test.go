package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"strings"
	"testing"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/embed"
	"ken/index"
	"ken/index/embedded"
	"ken/index/indextest"
	"ken/index/ingest"
)

// stalling is a source that says nothing more after its pages.
type stalling struct{ *shelf }

func (s stalling) Changes(ctx context.Context, c corpora.Cursor) iter.Seq2[corpora.Change, error] {
	return func(yield func(corpora.Change, error) bool) {
		for change, err := range s.shelf.Changes(ctx, c) {
			if !yield(change, err) {
				return
			}
		}
		<-ctx.Done()
	}
}

// fuse is a store that dies at its nth write: before it, or after it took
// effect and before the caller was told.
type fuse struct {
	indextest.Store
	left   int
	before bool
	blow   func() error // what the death looks like
}

func (f *fuse) write(do func() error) error {
	f.left--
	if f.left < 0 || f.left == 0 && f.before {
		return f.blow()
	}
	err := do()
	if f.left == 0 {
		return errors.Join(err, f.blow())
	}
	return err
}

func (f *fuse) Replace(ctx context.Context, entries ...index.Entry) error {
	return f.write(func() error { return f.Store.Replace(ctx, entries...) })
}

func (f *fuse) Update(ctx context.Context, docs ...corpora.Document) error {
	return f.write(func() error { return f.Store.Update(ctx, docs...) })
}

func (f *fuse) SetACL(ctx context.Context, id corpora.DocID, l acl.List) error {
	return f.write(func() error { return f.Store.SetACL(ctx, id, l) })
}

func (f *fuse) Delete(ctx context.Context, ids ...corpora.DocID) error {
	return f.write(func() error { return f.Store.Delete(ctx, ids...) })
}

func (f *fuse) Reembed(ctx context.Context, m embed.Model, e func(context.Context, []index.Chunk) ([]embed.Vector, error)) error {
	return f.write(func() error { return f.Store.Reembed(ctx, m, e) })
}

// library is a folder of n documents in some departments.
func library(n int) []page {
	var pages []page
	for i := range n {
		p := page{path: fmt.Sprintf("%c/%02d.md", 'a'+i%3, i), text: fmt.Sprintf("# Page %d\n\nIt is about %s.", i, strings.Repeat(fmt.Sprintf("subject%d ", i), 1+i%5))}
		if i%3 == 0 {
			p.acl = hr
		}
		pages = append(pages, p)
	}
	return pages
}

// edited is the library some time later: texts, permissions, additions, deletions.
func edited(pages []page) []page {
	var out []page
	for i, p := range pages {
		switch i % 6 {
		case 1:
			p.text += " It was edited."
		case 2:
			p.acl = hr
		case 3:
			p.text, p.none = p.text+" Secret now.", true
		case 4:
			continue
		}
		out = append(out, p)
	}
	return append(out, page{path: "new/1.md", text: "new"}, page{path: "new/2.md", text: "newer"})
}

// A run that dies at any of its writes, in any of three ways, and is repeated
// gives what a run gives that lives.
func TestDeathAndRepetitionGiveTheSameIndex(t *testing.T) {
	first, second := library(14), edited(library(14))
	e := newMeter(t, 64)
	clean := indextest.NewOracle()
	run(t, clean, e, &shelf{pages: first})
	before := clean.Clone()
	run(t, clean, e, &shelf{pages: second})
	want := export(t, clean)
	for _, way := range []string{"before the write", "after the write", "cancelled"} {
		died := 0
		for n := 1; ; n++ {
			store := before.Clone()
			ctx, cancel := context.WithCancel(t.Context())
			f := &fuse{Store: store, left: n, before: way == "before the write", blow: func() error { return errRefused }}
			if way == "cancelled" {
				f.blow = func() error { cancel(); return nil }
			}
			_, err := ingest.Run(ctx, options(f, e), &shelf{pages: second})
			cancel()
			if err == nil {
				break
			}
			died++
			run(t, store, e, &shelf{pages: second})
			same(t, fmt.Sprintf("%s %d", way, n), export(t, store), want)
		}
		if died < 5 {
			t.Errorf("%s: died %d times only", way, died)
		}
	}
}

// What a run that dies had not yet said must not be readable by more people
// than before and after.
func TestDeathOpensNothing(t *testing.T) {
	first, second := library(14), edited(library(14))
	e := newMeter(t, 64)
	before := indextest.NewOracle()
	run(t, before, e, &shelf{pages: first})
	after := before.Clone()
	run(t, after, e, &shelf{pages: second})
	allowed := " " + reads(t, before) + " " + reads(t, after) + " "
	for n := 1; n < 12; n++ {
		store := before.Clone()
		f := &fuse{Store: store, left: n, blow: func() error { return errRefused }}
		_, err := ingest.Run(t.Context(), options(f, e), &shelf{pages: second})
		for name := range strings.FieldsSeq(reads(t, store)) {
			if !strings.Contains(allowed, " "+name+" ") {
				t.Errorf("death at write %d (%v): everyone reads %s", n, err, name)
			}
		}
	}
}

// The order of a listing, the size of batches and the number of workers leave
// no trace; nor does running again.
func TestOrderLeavesNoTrace(t *testing.T) {
	e := newMeter(t, 64)
	pages := library(20)
	var want string
	for seed := range uint64(3) {
		random := rand.New(rand.NewPCG(seed, 0))
		random.Shuffle(len(pages), func(i, j int) { pages[i], pages[j] = pages[j], pages[i] })
		store := openEmbedded(t)
		o := options(store, e)
		o.BatchDocuments, o.Workers = 1+int(seed)*7, 1+int(seed)
		for range 2 {
			if _, err := ingest.Run(t.Context(), o, &shelf{pages: pages}); err != nil {
				t.Fatal(err)
			}
			got := export(t, store)
			if want == "" {
				want = got
			}
			same(t, fmt.Sprintf("order %d", seed), got, want)
		}
	}
}

func openEmbedded(t *testing.T) *embedded.Store {
	t.Helper()
	store, err := embedded.Open(t.TempDir(), embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return store
}

func TestCancelledBeforeItBegins(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	store := indextest.NewOracle()
	if _, err := ingest.Run(ctx, options(store, newMeter(t, 64)), &shelf{pages: base}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
	if got := reads(t, store); got != "" {
		t.Errorf("indexed %q", got)
	}
}
