package eval

import (
	"context"
	"iter"
	"strings"

	"ken/corpora"
	"ken/corpora/acl"
)

// records is a source of the documents of a BEIR corpus, in memory.
type records struct {
	name  string
	list  []record
	place map[corpora.DocID]int
}

type record struct {
	id    corpora.DocID
	title string
	text  string
	acl   acl.List
}

// stamp is the same for all: a set does not change while it is measured.
const stamp = "1"

func (r *records) Name() string { return r.name }

func (r *records) Changes(context.Context, corpora.Cursor) iter.Seq2[corpora.Change, error] {
	return func(yield func(corpora.Change, error) bool) {
		for i := range r.list {
			doc := &r.list[i]
			change := corpora.Change{Op: corpora.Put, ID: doc.id, Stamp: stamp}
			change.Load = func(context.Context) (corpora.Document, []byte, error) { return r.load(doc) }
			if !yield(change, nil) {
				return
			}
		}
		yield(corpora.Change{Op: corpora.Complete}, nil)
	}
}

func (r *records) load(doc *record) (corpora.Document, []byte, error) {
	return corpora.Document{
		ID:        doc.id,
		Source:    r.name,
		Title:     strings.TrimSpace(doc.title),
		MediaType: "text/plain",
		Stamp:     stamp,
		ACL:       doc.acl,
	}, []byte(doc.text), nil
}

// openAll lets everyone read every document.
func (r *records) openAll() {
	for i := range r.list {
		r.list[i].acl = acl.Allow(acl.Everyone)
	}
}
