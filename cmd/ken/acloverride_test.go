package main

import (
	"context"
	"errors"
	"iter"
	"path/filepath"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/corpora/policy"
	"ken/index"
	"ken/index/embedded"
)

// one is a source with one document.
type one struct{ doc corpora.Document }

func (o one) Name() string { return o.doc.Source }

func (o one) Changes(context.Context, corpora.Cursor) iter.Seq2[corpora.Change, error] {
	return func(yield func(corpora.Change, error) bool) {
		yield(corpora.Change{ID: o.doc.ID, Stamp: "1", Load: func(context.Context) (corpora.Document, []byte, error) {
			return o.doc, []byte("otter"), nil
		}}, nil)
	}
}

// What is said by hand while a document is on its way into the index is not
// undone when it arrives.
func TestOverridesMeetAnIngest(t *testing.T) {
	doc := corpora.Document{ID: "wiki/a", Source: "wiki", Language: "en", Stamp: "1", ACL: acl.Allow("group:hr")}
	ann, bob := acl.NewPrincipal("user:ann", "group:hr"), acl.NewPrincipal("user:bob")
	for _, tt := range []struct {
		name     string
		said     policy.Override
		ann, bob bool
		there    bool
	}{
		{"nothing", policy.Override{}, true, false, true},
		{"a revoke", policy.Override{}.Revoke("user:ann"), false, false, true},
		{"a grant", policy.Override{}.Grant(acl.Grant{Subject: "user:bob"}), true, true, true},
		{"an erasure", policy.Override{}, false, false, false},
	} {
		for _, update := range []bool{false, true} {
			t.Run(tt.name, func(t *testing.T) {
				store, err := embedded.Open("index", embedded.Options{FS: vfs.NewMem()})
				if err != nil {
					t.Fatal(err)
				}
				defer store.Close()
				o := &overridden{Source: one{doc}, book: policy.NewBook(filepath.Join(t.TempDir(), "overrides.json")), onWay: map[corpora.DocID]loaded{}}
				entry := func(d corpora.Document) index.Entry {
					return index.Entry{Document: d, Chunks: []index.Chunk{{Doc: d.ID, Span: index.Span{End: 5}, Text: "otter"}}}
				}
				if update {
					if err := store.Replace(t.Context(), entry(corpora.Document{ID: doc.ID, Source: "wiki", Language: "en"})); err != nil {
						t.Fatal(err)
					}
				}
				for c, err := range o.Changes(t.Context(), "") {
					d, _, lerr := c.Load(t.Context())
					serr := o.book.Do(func(p *policy.Pages) error { return p.Set(d.ID, tt.said) })
					if !tt.there {
						serr = erase(t.Context(), o.book, store, d.ID)
					}
					if update {
						err = errors.Join(err, o.over(store).Update(t.Context(), d))
					} else {
						err = errors.Join(err, o.over(store).Replace(t.Context(), entry(d)))
					}
					if err = errors.Join(err, lerr, serr); err != nil {
						t.Fatal(err)
					}
				}
				d, err := store.Lookup(t.Context(), doc.ID)
				if !tt.there {
					if !errors.Is(err, index.ErrNotFound) {
						t.Fatalf("it is there: %v", err)
					}
					return
				}
				if err != nil || d.ACL.Admits(ann, twinClock) != tt.ann || d.ACL.Admits(bob, twinClock) != tt.bob {
					t.Errorf("list %s, error %v", d.ACL.Key(), err)
				}
			})
		}
	}
}
