package indextest

import (
	"cmp"
	"context"
	"fmt"
	"maps"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/index"
	"ken/index/analyze"
)

// Step is one write of a [Script].
type Step struct {
	Name string
	Do   func(context.Context, Store) error
}

// Script returns a fixed series of writes of every kind, for tests that stop a
// store in the middle. There are enough of them that segments are merged.
func Script() []Step {
	everyone, hr := acl.Allow(acl.Everyone), acl.Allow("group:hr")
	put := func(m int, id string, l acl.List, texts ...string) Step {
		return Step{"replace " + id, func(ctx context.Context, s Store) error {
			return s.Replace(ctx, NewEntry(model(m), doc(id, l), texts...))
		}}
	}
	reembed := func(m int) Step {
		return Step{fmt.Sprint("reembed ", m), func(ctx context.Context, s Store) error {
			return s.Reembed(ctx, model(m), embedAs(model(m)))
		}}
	}
	steps := []Step{reembed(1), put(1, "wiki/a/one.md", everyone, "leave policy", "more leave"), put(1, "wiki/five.md", hr, "parental leave")}
	for i := range 9 {
		steps = append(steps, put(1, fmt.Sprintf("wiki/n%d", i), everyone, "server policy"))
	}
	return append(steps,
		put(1, "wiki/a/one.md", everyone, "server"),
		Step{"revoke", func(ctx context.Context, s Store) error { return s.SetACL(ctx, "wiki/n3", hr) }},
		Step{"update", func(ctx context.Context, s Store) error {
			d := doc("wiki/n4", acl.List{})
			d.URL, d.Stamp = "https://example.org/n4", "2"
			return s.Update(ctx, d)
		}},
		Step{"delete", func(ctx context.Context, s Store) error { return s.Delete(ctx, "wiki/n5", "wiki/n6", "wiki/n7") }},
		reembed(2),
		put(2, "wiki/five.md", everyone, "last words"),
	)
}

// Clone returns an oracle with the same documents.
func (o *Oracle) Clone() *Oracle {
	o.mu.Lock()
	defer o.mu.Unlock()
	return &Oracle{model: o.model, docs: maps.Clone(o.docs), nextID: o.nextID}
}

// Compare puts a fixed set of questions to two stores, as several people, and
// returns the first difference in the answers, to the bit; "" if there is none.
func Compare(ctx context.Context, got, want Store) string {
	if d := listsDiffer(ctx, got, want); d != "" {
		return d
	}
	for _, who := range people {
		if d := compareAs(ctx, got, want, who); d != "" {
			return fmt.Sprintf("%q: %s", who.Subjects(), d)
		}
	}
	return ""
}

func compareAs(ctx context.Context, got, want Store, who acl.Principal) string {
	g, gerr := got.View(ctx, who, noon)
	w, werr := want.View(ctx, who, noon)
	if gerr != nil || werr != nil {
		return errorsDiffer(gerr, werr)
	}
	p := probe{vectors: []vectorProbe{{query: vectorOf(w.Model(), "leave"), k: 7}}}
	for _, text := range []string{"leave", "server policy", "last"} {
		q := index.TextQuery{Terms: analyze.Query(text, w.Languages()), BM25: index.BM25{K1: 1.2, B: .75, Title: 3}}
		p.texts = append(p.texts, textProbe{q, 10})
	}
	for d := range want.Documents(ctx, "") {
		p.ids = append(p.ids, corpora.DocID(d.ID))
	}
	d := difference(ctx, g, w, p, 0)
	for _, v := range []index.View{g, w} {
		if err := v.Close(); err != nil {
			d = cmp.Or(d, fmt.Sprintf("close: %v", err))
		}
	}
	return d
}
