package ingest_test

import (
	"context"
	"iter"
	"strings"
	"testing"

	"ken/corpora"
	"ken/index/indextest"
	"ken/index/ingest"
)

// faulty is a shelf whose listing panics after its pages.
type faulty struct{ shelf }

func (f *faulty) Changes(ctx context.Context, at corpora.Cursor) iter.Seq2[corpora.Change, error] {
	return func(yield func(corpora.Change, error) bool) {
		for c, err := range f.shelf.Changes(ctx, at) {
			if c.Op == corpora.Complete {
				panic("the secret text")
			}
			if !yield(c, err) {
				return
			}
		}
	}
}

// A fault of a source ends its run and not the program; what it had listed is in, and
// nothing is deleted.
func TestASourceThatPanics(t *testing.T) {
	store, e := indextest.NewOracle(), newMeter(t, 64)
	run(t, store, e, &shelf{pages: base})
	before := reads(t, store)
	s, err := ingest.Run(t.Context(), options(store, e), &faulty{shelf{pages: append(base[:1:1], page{path: "new.md", text: "omega"})}})
	if err == nil || strings.Contains(err.Error(), "secret") || s.Complete || s.Deleted > 0 {
		t.Errorf("%v, summary %+v", err, s)
	}
	if got := reads(t, store); !strings.Contains(got, "new.md") || len(got) <= len(before) {
		t.Errorf("indexed %q, before %q", got, before)
	}
}
