package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"time"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/eval"
	"ken/index"
	"ken/index/embedded"
)

func joinClose(err error, c io.Closer) error { return errors.Join(err, c.Close()) }

// stored is the documents of a store as a source, which an evaluation takes for the
// truth: who may read what, and what a text says.
type stored struct {
	store *embedded.Store
	at    time.Time
}

func (stored) Name() string { return "index" }

func (s stored) Changes(ctx context.Context, _ corpora.Cursor) iter.Seq2[corpora.Change, error] {
	return func(yield func(corpora.Change, error) bool) {
		for d, err := range s.store.Documents(ctx, "") {
			if err != nil {
				yield(corpora.Change{}, err)
				return
			}
			change := corpora.Change{Op: corpora.Put, ID: d.ID, Stamp: d.Stamp}
			change.Load = func(ctx context.Context) (corpora.Document, []byte, error) {
				text, err := s.text(ctx, d)
				return d, []byte(text), err
			}
			if !yield(change, nil) {
				return
			}
		}
		yield(corpora.Change{Op: corpora.Complete}, nil)
	}
}

// text reads a document through the gate, as somebody whom its list admits. Of one
// that nobody may read nothing can be quoted, so that its text is not needed.
func (s stored) text(ctx context.Context, d corpora.Document) (string, error) {
	for _, g := range d.ACL.Allow() {
		who := acl.NewPrincipal(g.Subject)
		if !d.ACL.Admits(who, s.at) {
			continue
		}
		v, err := s.store.View(ctx, who, s.at)
		if err != nil {
			return "", err
		}
		defer v.Close()
		return textIn(ctx, v, d.ID)
	}
	return "", nil
}

func textIn(ctx context.Context, v index.View, id corpora.DocID) (string, error) {
	_, ids, err := v.Document(ctx, id)
	if err != nil {
		return "", err
	}
	chunks, err := v.Chunks(ctx, ids)
	var b strings.Builder
	for _, c := range chunks {
		b.WriteString(c.Text)
	}
	return b.String(), err
}

// loadFor loads a set to measure a generation of the store with. If the store holds
// the documents that the set judges, it is measured over all that the store holds;
// if it holds none of them, over the set's own documents.
func loadFor(ctx context.Context, store *embedded.Store, path string) (eval.Set, error) {
	set, err := eval.Load(path)
	if err != nil {
		return set, err
	}
	held := map[corpora.DocID]bool{}
	for d, err := range store.Documents(ctx, "") {
		if err != nil {
			return set, err
		}
		held[d.ID] = true
	}
	found, missing, example := 0, 0, corpora.DocID("")
	for _, q := range set.Queries {
		for id, grade := range q.Relevant {
			switch {
			case grade <= 0:
			case held[id]:
				found++
			default:
				missing++
				example = max(example, id)
			}
		}
	}
	switch {
	case found == 0:
	case missing > 0:
		return set, fmt.Errorf("set %s: the index holds %d of the documents that it judges relevant and lacks %d, such as %s: ingest them, or name a set of other documents", set.Name, found, missing, example)
	default:
		set.Source = stored{store, time.Now()}
	}
	return set, nil
}
