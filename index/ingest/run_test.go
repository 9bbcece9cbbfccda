package ingest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/index/indextest"
	"ken/index/ingest"
)

var (
	hr   = acl.Allow("group:hr")
	base = []page{{path: "a.md", text: "# A\n\nalpha"}, {path: "b.md", text: "# B\n\nbeta"}, {path: "c.md", text: "# C\n\ngamma"}}
)

// with returns base with one page changed.
func with(path string, change func(*page)) []page {
	out := append([]page(nil), base...)
	for i := range out {
		if out[i].path == path {
			change(&out[i])
		}
	}
	return out
}

// Each case ingests base, then the pages, and tells what the second run did.
func TestSecondRun(t *testing.T) {
	for _, test := range []struct {
		name   string
		second shelf
		want   string // of the summary
		texts  int    // that were embedded
		anyone string // the documents that everyone may read
		hr     string // … and group:hr
	}{
		{"nothing changed", shelf{pages: base}, "seen 3 unchanged 3", 0, "a.md b.md c.md", "a.md b.md c.md"},
		{"added", shelf{pages: append(with("", nil), page{path: "d.md", text: "delta"})}, "seen 4 added 1 unchanged 3", 1, "a.md b.md c.md d.md", "a.md b.md c.md d.md"},
		{"text changed", shelf{pages: with("b.md", func(p *page) { p.text = "# B\n\nnew" })}, "seen 3 updated 1 unchanged 2", 1, "a.md b.md c.md", "a.md b.md c.md"},
		{"only the stamp changed", shelf{pages: with("b.md", func(p *page) { p.stamp = "2" })}, "seen 3 unchanged 3", 0, "a.md b.md c.md", "a.md b.md c.md"},
		{"only the permission changed", shelf{pages: with("b.md", func(p *page) { p.acl = hr })}, "seen 3 acl 1 unchanged 2", 0, "a.md c.md", "a.md b.md c.md"},
		{"text and permission changed", shelf{pages: with("b.md", func(p *page) { p.acl, p.text = hr, "new" })}, "seen 3 updated 1 unchanged 2", 1, "a.md c.md", "a.md b.md c.md"},
		{"revoked from all", shelf{pages: with("b.md", func(p *page) { p.none = true })}, "seen 3 acl 1 unchanged 2", 0, "a.md c.md", "a.md c.md"},
		{"not listed any more", shelf{pages: base[:2]}, "seen 2 unchanged 2 deleted 1", 0, "a.md b.md", "a.md b.md"},
		{"nothing listed", shelf{}, "deleted 3", 0, "", ""},
		{"a listing without an end deletes nothing", shelf{pages: base[:1], open: true}, "seen 1 unchanged 1 partial", 0, "a.md b.md c.md", "a.md b.md c.md"},
		{"deleted by the source", shelf{pages: []page{{path: "a.md", op: corpora.Delete}}, open: true}, "deleted 1 partial", 0, "b.md c.md", "b.md c.md"},
		{"deleting the unknown", shelf{pages: []page{{path: "z.md", op: corpora.Delete}}, open: true}, "partial", 0, "a.md b.md c.md", "a.md b.md c.md"},
		{"put, then deleted", shelf{pages: []page{{path: "d.md", text: "delta"}, {path: "d.md", op: corpora.Delete}}, open: true}, "seen 1 partial", 0, "a.md b.md c.md", "a.md b.md c.md"},
		{"changed, then deleted", shelf{pages: []page{{path: "a.md", text: "new"}, {path: "a.md", op: corpora.Delete}}, open: true}, "seen 1 deleted 1 partial", 0, "b.md c.md", "b.md c.md"},
		{"deleted, then as before", shelf{pages: []page{{path: "a.md", op: corpora.Delete}, base[0]}, open: true}, "seen 1 added 1 deleted 1 partial", 1, "a.md b.md c.md", "a.md b.md c.md"},
		{"deleted, then put with another stamp", shelf{pages: []page{{path: "a.md", op: corpora.Delete}, {path: "a.md", text: base[0].text, stamp: "2"}}, open: true}, "seen 1 added 1 deleted 1 partial", 1, "a.md b.md c.md", "a.md b.md c.md"},
		{"moved", shelf{pages: append(with("", nil)[:2], page{path: "d.md", text: base[2].text})}, "seen 3 added 1 unchanged 2 deleted 1", 0, "a.md b.md d.md", "a.md b.md d.md"},
		{"vanished while it was read", shelf{pages: with("b.md", func(p *page) { p.err = fmt.Errorf("open: %w", corpora.ErrGone) })}, "seen 2 unchanged 2 deleted 1", 0, "a.md c.md", "a.md c.md"},
		{"listed twice", shelf{pages: append(with("", nil), page{path: "a.md", text: "other", acl: hr})}, "seen 3 unchanged 3; shelf/a.md list", 0, "a.md b.md c.md", "a.md b.md c.md"},
		{"emptied", shelf{pages: with("b.md", func(p *page) { p.text = "" })}, "seen 3 updated 1 unchanged 2", 0, "a.md b.md c.md", "a.md b.md c.md"},
		{"of a format that is not read", shelf{pages: with("b.md", func(p *page) { p.text = "\x00\x01\x02" })}, "seen 3 unchanged 2 deleted 1 skipped .md 1", 0, "a.md c.md", "a.md c.md"},

		{"its permissions do not parse", shelf{pages: with("b.md", func(p *page) { p.err = acl.ErrSubject })}, "seen 3 unchanged 2; shelf/b.md load closed", 0, "a.md c.md", "a.md c.md"},
		{"may not be read any more", shelf{pages: with("b.md", func(p *page) { p.err = fs.ErrPermission })}, "seen 3 unchanged 2; shelf/b.md load closed", 0, "a.md c.md", "a.md c.md"},
		{"its text and its permission fail", shelf{pages: with("b.md", func(p *page) { p.text, p.acl = "---\ntitle: [\n---\n", hr })}, "seen 3 unchanged 2; shelf/b.md extract closed", 0, "a.md c.md", "a.md c.md"},
		{"its listing fails", shelf{pages: with("b.md", func(p *page) { p.lists = errors.New("broken sidecar") })}, "seen 3 unchanged 2; shelf/b.md list closed", 0, "a.md c.md", "a.md c.md"},
		{"the program panics on it", shelf{pages: with("b.md", func(p *page) { p.panic = true })}, "seen 3 unchanged 2; shelf/b.md load closed", 0, "a.md c.md", "a.md c.md"},
		{"a fault that passes leaves it", shelf{pages: with("b.md", func(p *page) { p.err = &fs.PathError{Op: "open", Path: "b", Err: syscall.EMFILE} })}, "seen 3 unchanged 2; shelf/b.md load", 0, "a.md b.md c.md", "a.md b.md c.md"},
		{"a time-out leaves it", shelf{pages: with("b.md", func(p *page) { p.err = fmt.Errorf("get: %w", context.DeadlineExceeded) })}, "seen 3 unchanged 2; shelf/b.md load", 0, "a.md b.md c.md", "a.md b.md c.md"},
		{"a new one that fails", shelf{pages: append(with("", nil), page{path: "d.md", err: fs.ErrPermission})}, "seen 4 unchanged 3; shelf/d.md load", 0, "a.md b.md c.md", "a.md b.md c.md"},
	} {
		t.Run(test.name, func(t *testing.T) {
			store, e := indextest.NewOracle(), newMeter(t, 64)
			run(t, store, e, &shelf{pages: base})
			e.texts = 0
			got := brief(run(t, store, e, &test.second))
			if got != test.want {
				t.Errorf("summary %q, want %q", got, test.want)
			}
			if e.texts != test.texts {
				t.Errorf("%d texts embedded, want %d", e.texts, test.texts)
			}
			if got := reads(t, store); got != test.anyone {
				t.Errorf("everyone reads %q, want %q", got, test.anyone)
			}
			if got := reads(t, store, "group:hr"); got != test.hr {
				t.Errorf("group:hr reads %q, want %q", got, test.hr)
			}
		})
	}
}

// brief tells the figures of a summary that are not zero.
func brief(s ingest.Summary) string {
	var out []string
	for _, f := range []struct {
		name string
		n    int
	}{{"seen", s.Seen}, {"added", s.Added}, {"updated", s.Updated}, {"acl", s.ACLChanged}, {"unchanged", s.Unchanged}, {"deleted", s.Deleted}, {"postponed", s.Postponed}} {
		if f.n != 0 {
			out = append(out, fmt.Sprintf("%s %d", f.name, f.n))
		}
	}
	for ext, n := range s.Skipped {
		out = append(out, fmt.Sprintf("skipped %s %d", ext, n))
	}
	if !s.Complete {
		out = append(out, "partial")
	}
	text := strings.Join(out, " ")
	for _, q := range s.Quarantined {
		text += fmt.Sprintf("; %s %s", q.ID, q.Stage)
		if q.Closed {
			text += " closed"
		}
	}
	return text
}

// A document that was closed comes back by itself once it can be read, even if
// its stamp is the one from before the fault, and without being embedded again.
func TestAClosedDocumentOpensAgain(t *testing.T) {
	store, e := indextest.NewOracle(), newMeter(t, 64)
	run(t, store, e, &shelf{pages: base})
	want := export(t, store)
	fault := with("b.md", func(p *page) { p.err = fs.ErrPermission })
	for range 2 { // closing twice is closing once
		run(t, store, e, &shelf{pages: fault})
		if got := reads(t, store); got != "a.md c.md" {
			t.Fatalf("everyone reads %q while b.md is at fault", got)
		}
	}
	e.texts = 0
	run(t, store, e, &shelf{pages: base})
	same(t, "after the fault", export(t, store), want)
	if e.texts != 0 {
		t.Errorf("%d texts embedded again", e.texts)
	}
}

func TestAPanicIsNotQuoted(t *testing.T) {
	s := run(t, indextest.NewOracle(), newMeter(t, 64), &shelf{pages: []page{{path: "a.md", panic: true}}})
	if len(s.Quarantined) != 1 || strings.Contains(s.Quarantined[0].Reason, "secret") {
		t.Errorf("quarantined %+v", s.Quarantined)
	}
}

func TestADocumentOfAnotherSourceIsRefused(t *testing.T) {
	s := run(t, indextest.NewOracle(), newMeter(t, 64), renamed{&shelf{pages: base}})
	if len(s.Quarantined) != 3 || s.Added != 0 {
		t.Errorf("summary %+v", s)
	}
}

// renamed is a source with a name that its documents do not have.
type renamed struct{ *shelf }

func (renamed) Name() string { return "other" }

func TestAListingThatBreaksOff(t *testing.T) {
	store, e := indextest.NewOracle(), newMeter(t, 64)
	run(t, store, e, &shelf{pages: base})
	broken := errors.New("the share is not mounted")
	s, err := ingest.Run(t.Context(), options(store, e), &shelf{pages: with("a.md", func(p *page) { p.acl = hr })[:1], err: broken})
	if !errors.Is(err, broken) || s.Complete || s.Deleted != 0 {
		t.Errorf("error %v, summary %+v", err, s)
	}
	if got := reads(t, store); got != "b.md c.md" { // what was listed counts, nothing is deleted
		t.Errorf("everyone reads %q", got)
	}
}

func TestBatchIsFlushedWhenItIsOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, e := indextest.NewOracle(), newMeter(t, 64)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		o := options(store, e)
		o.BatchInterval = 0 // the default
		go func() {
			_, err := ingest.Run(ctx, o, stalling{&shelf{pages: base[:1], open: true}})
			done <- err
		}()
		time.Sleep(59 * time.Second)
		if got := reads(t, store); got != "" {
			t.Errorf("after 59 s %q is indexed, want nothing", got)
		}
		time.Sleep(2 * time.Second)
		if got := reads(t, store); got != "a.md" {
			t.Errorf("after 61 s %q is indexed, want a.md", got)
		}
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("error %v, want context.Canceled", err)
		}
	})
}

func TestOptions(t *testing.T) {
	good := options(indextest.NewOracle(), newMeter(t, 64))
	for name, change := range map[string]func(*ingest.Options){
		"no store":          func(o *ingest.Options) { o.Store = nil },
		"no embedder":       func(o *ingest.Options) { o.Embedder = nil },
		"no extractor":      func(o *ingest.Options) { o.Extract = nil },
		"negative batch":    func(o *ingest.Options) { o.BatchDocuments = -1 },
		"negative interval": func(o *ingest.Options) { o.BatchInterval = -1 },
		"negative workers":  func(o *ingest.Options) { o.Workers = -1 },
	} {
		o := good
		change(&o)
		if _, err := ingest.Run(t.Context(), o, &shelf{}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestProgress(t *testing.T) {
	o := options(indextest.NewOracle(), newMeter(t, 64))
	var told []ingest.Progress
	o.Progress = func(p ingest.Progress) { told = append(told, p) }
	if _, err := ingest.Run(t.Context(), o, &shelf{pages: base}); err != nil {
		t.Fatal(err)
	}
	for i, p := range told {
		if p.Done > p.Listed || i > 0 && p.Done < told[i-1].Done {
			t.Errorf("report %d: %+v after %+v", i, p, told[max(0, i-1)])
		}
	}
	if last := told[len(told)-1]; last.Done != 3 || last.Chunks != 3 || last.Bytes == 0 {
		t.Errorf("last report %+v", last)
	}
}

func TestSummaryJSON(t *testing.T) {
	s := run(t, indextest.NewOracle(), newMeter(t, 64), &shelf{pages: append(with("", nil), page{path: "d.md", err: fs.ErrPermission})})
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"source":"shelf","seen":4,"added":3,"updated":0,"acl_changed":0,"unchanged":0,"deleted":0,"skipped":{},` +
		`"quarantined":[{"id":"shelf/d.md","stage":"load","reason":"permission denied","closed":false}],"erased":0,"expired":0,"postponed":0,` +
		`"chunks":3,"tokens":12,"bytes":29,"reembedded":false,"complete":true,"seconds":0}`
	if string(text) != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
}

// Whoever opens a closed document by hand opens it to those alone whom its
// denies and its clearance let through.
func TestAClosedDocumentKeepsWhatItRequires(t *testing.T) {
	store, e := indextest.NewOracle(), newMeter(t, 64)
	list := acl.NewList(acl.Grants(acl.Everyone), acl.Grants("user:sam")).Classified("restricted")
	run(t, store, e, &shelf{pages: with("b.md", func(p *page) { p.acl = list })})
	run(t, store, e, &shelf{pages: with("b.md", func(p *page) { p.err = fs.ErrPermission })})
	for d, err := range store.Documents(t.Context(), "shelf") {
		if err != nil {
			t.Fatal(err)
		}
		if d.ID == "shelf/b.md" && d.ACL.Key() != list.Instead(nil, list.Deny()).Key() {
			t.Errorf("closed, its list is %s", d.ACL.Key())
		}
	}
}
