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
					serr := o.book.Do(func(p *policy.Pages) error { return p.Set(d.ID, &tt.said) })
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

// inFlight is a document that was loaded and is on its way into a store.
func inFlight(t *testing.T, doc corpora.Document) (o *overridden, store *embedded.Store, d corpora.Document) {
	t.Helper()
	store, err := embedded.Open("index", embedded.Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	o = &overridden{Source: one{doc}, book: policy.NewBook(filepath.Join(t.TempDir(), "overrides.json")), onWay: map[corpora.DocID]loaded{}}
	for c, err := range o.Changes(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		if d, _, err = c.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return o, store, d
}

func otter(d corpora.Document) index.Entry {
	return index.Entry{Document: d, Chunks: []index.Chunk{{Doc: d.ID, Span: index.Span{End: 5}, Text: "otter"}}}
}

func (o *overridden) say(t *testing.T, id corpora.DocID, said policy.Override) {
	t.Helper()
	if err := o.book.Do(func(p *policy.Pages) error { return p.Set(id, &said) }); err != nil {
		t.Fatal(err)
	}
}

// What a document's text says can raise its class while it is on its way, and
// the list that arrives is another than the one that was loaded. What was said by
// hand meanwhile counts all the same.
func TestOverridesMeetARaisedClass(t *testing.T) {
	doc := corpora.Document{ID: "wiki/a", Source: "wiki", Language: "en", Stamp: "1", ACL: acl.Allow("group:hr").Classified("internal")}
	ann := acl.NewPrincipal("user:ann", "group:hr", acl.Clearance("restricted"))
	sam := acl.NewPrincipal("user:sam", "group:hr", acl.Clearance("internal"))
	o, store, d := inFlight(t, doc)
	o.say(t, doc.ID, policy.Override{}.Revoke("user:ann").Grant(acl.Grant{Subject: "user:bob"}))
	d.ACL = d.ACL.Classified("confidential")
	if err := o.over(store).Replace(t.Context(), otter(d)); err != nil {
		t.Fatal(err)
	}
	d, err := store.Lookup(t.Context(), doc.ID)
	if err != nil {
		t.Fatal(err)
	}
	for who, want := range map[*acl.Principal]bool{&ann: false, &sam: false} {
		if d.ACL.Admits(*who, twinClock) != want {
			t.Errorf("%s: list %s", who.User(), d.ACL.Key())
		}
	}
	if bob := acl.NewPrincipal("user:bob", acl.Clearance("restricted")); !d.ACL.Admits(bob, twinClock) {
		t.Errorf("a grant is lost: %s", d.ACL.Key())
	}
}

// The list that goes ahead of a changed text opens nothing that was set by hand
// while the text was on its way.
func TestSetMeetsARevokeOfTheSource(t *testing.T) {
	doc := corpora.Document{ID: "wiki/a", Source: "wiki", Language: "en", Stamp: "1", ACL: acl.Allow("group:hr")}
	o, store, d := inFlight(t, doc)
	set := acl.NewList(acl.Grants("user:bob"), acl.Grants("user:sam"))
	before := otter(doc)
	before.Document.ACL = set
	if err := store.Replace(t.Context(), before); err != nil {
		t.Fatal(err)
	}
	o.say(t, doc.ID, policy.Override{Set: &set})
	if err := o.over(store).SetACL(t.Context(), doc.ID, acl.Both(acl.Allow("group:hr", "group:all"), d.ACL)); err != nil {
		t.Fatal(err)
	}
	got, err := store.Lookup(t.Context(), doc.ID)
	if err != nil || got.ACL.Admits(acl.NewPrincipal("user:ann", "group:hr"), twinClock) {
		t.Errorf("list %s, error %v", got.ACL.Key(), err)
	}
}

// A document that is deleted or erased while a run goes on keeps out no other,
// and does not come back.
func TestDeletionsMeetAnIngest(t *testing.T) {
	doc := corpora.Document{ID: "wiki/a", Source: "wiki", Language: "en", Stamp: "1", ACL: acl.Allow("user:ann")}
	other := corpora.Document{ID: "wiki/b", Source: "wiki", Language: "en", Stamp: "1", ACL: acl.Allow("user:ann")}
	o, store, d := inFlight(t, doc)
	if err := store.Replace(t.Context(), otter(other)); err != nil {
		t.Fatal(err)
	}
	if err := store.Erase(t.Context(), doc.ID); err != nil {
		t.Fatal(err)
	}
	through := o.over(store)
	changed := other
	changed.URL = "https://example.org/b"
	if err := through.Replace(t.Context(), otter(d), otter(other)); err != nil {
		t.Errorf("replace: %v", err)
	}
	if err := through.Update(t.Context(), d, changed); err != nil {
		t.Errorf("update: %v", err)
	}
	if err := through.SetACL(t.Context(), d.ID, d.ACL); err != nil {
		t.Errorf("set the list: %v", err)
	}
	if _, err := store.Lookup(t.Context(), doc.ID); !errors.Is(err, index.ErrNotFound) {
		t.Errorf("it is back: %v", err)
	}
	if got, err := store.Lookup(t.Context(), other.ID); err != nil || got.URL != changed.URL {
		t.Errorf("the other: %+v, %v", got, err)
	}
}
