package ingest_test

import (
	"fmt"
	"testing"

	"ken/index/ingest"
)

// A thousand documents that move, most of them under the title that all share,
// cost no embedding, and give what reading them anew would.
func TestAMoveCostsNoEmbedding(t *testing.T) {
	const n = 1000
	var before, after []page
	for i := range n {
		p := page{text: fmt.Sprintf("# Read me\n\nIt is about subject%d.\n\n## More\n\nAnd about other%d.", i, i), acl: hr}
		if i%10 == 0 {
			p.text = fmt.Sprintf("# Page %d\n\nIt is about subject%d.", i, i)
		}
		p.path = fmt.Sprintf("before/%04d/README.md", i)
		before = append(before, p)
		p.path = fmt.Sprintf("after/%04d/index.md", i)
		after = append(after, p)
	}
	store, e := openEmbedded(t), newMeter(t, 64)
	large := func(pages []page) ingest.Summary {
		o := options(store, e)
		o.BatchDocuments = 100
		sum, err := ingest.Run(t.Context(), o, &shelf{pages: pages})
		if err != nil {
			t.Fatal(err)
		}
		return sum
	}
	large(before)
	cost := e.texts
	if cost < n {
		t.Fatalf("the first run embedded %d texts: this test could not fail", cost)
	}
	if got, want := brief(large(after)), "seen 1000 added 1000 deleted 1000"; got != want {
		t.Errorf("summary %q, want %q", got, want)
	}
	if e.texts != cost {
		t.Errorf("the move embedded %d texts", e.texts-cost)
	}
	moved := export(t, store)
	store = openEmbedded(t)
	large(after)
	same(t, "after the move", moved, export(t, store))
}

// A document that moves and changes keeps the vectors of nothing but its own
// text; a copy has those of what it is a copy of.
func TestMovesAndCopies(t *testing.T) {
	for _, c := range []struct {
		name    string
		pages   []page
		embeds  int
		summary string
	}{
		{"a copy beside it", append([]page{{path: "copy.md", text: base[0].text}}, base...), 0, "seen 4 added 1 unchanged 3"},
		{"moved and changed", with("a.md", func(p *page) { p.path, p.text = "x.md", "omega" }), 1, "seen 3 added 1 unchanged 2 deleted 1"},
		{"moved onto another", []page{base[0], {path: "c.md", text: base[1].text}}, 0, "seen 2 updated 1 unchanged 1 deleted 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			store, e := openEmbedded(t), newMeter(t, 64)
			run(t, store, e, &shelf{pages: base})
			before := e.texts
			if got := brief(run(t, store, e, &shelf{pages: c.pages})); got != c.summary {
				t.Errorf("summary %q, want %q", got, c.summary)
			}
			if n := e.texts - before; n != c.embeds {
				t.Errorf("it embedded %d texts, want %d", n, c.embeds)
			}
			moved, clean := export(t, store), openEmbedded(t)
			run(t, clean, e, &shelf{pages: c.pages})
			same(t, c.name, moved, export(t, clean))
		})
	}
}
