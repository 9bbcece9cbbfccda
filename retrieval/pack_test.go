package retrieval_test

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"ken/corpora"
	"ken/index"
	"ken/index/chunk"
	"ken/retrieval"
)

// guide has five chunks of ten tokens; the second, the third and the fifth match
// well, the fourth hardly.
func guide() page {
	return page{id: "guide", tokens: 10, texts: []string{
		"Welcome to the office.\n", "Leave is planned in March.\n", "Unused leave expires.\n",
		"Bring a cup, a chair, a coat, a pen, a phone, a bag, a key, a plant and leave.\n", "Sick leave needs a note.\n",
	}}
}

func texts(r retrieval.Result) []string {
	var out []string
	for _, p := range r.Passages {
		out = append(out, p.Text)
	}
	return out
}

func TestPacking(t *testing.T) {
	s := library(t, retrieval.Options{}, guide())
	two, three := guide().texts[1], guide().texts[2]
	for name, c := range map[string]struct {
		budget int
		want   []string
		cut    retrieval.Cut
	}{
		"room for a neighbour":  {40, []string{two + three + guide().texts[3] + guide().texts[4]}, retrieval.Cut{}},
		"room for what matched": {30, []string{two + three, "Sick leave needs a note.\n"}, retrieval.Cut{}},
		"room for one":          {19, []string{three}, retrieval.Cut{Passages: 2, Tokens: 20}},
		"room for none":         {2, nil, retrieval.Cut{Passages: 3, Tokens: 30}},
	} {
		t.Run(name, func(t *testing.T) {
			r := search(t, s, ann, retrieval.Request{Query: "leave", Budget: c.budget, Mode: retrieval.Lexical})
			if len(r.Results) != 1 {
				t.Fatalf("found %q", found(r))
			}
			if got := texts(r.Results[0]); strings.Join(got, "|") != strings.Join(c.want, "|") || r.Cut != c.cut {
				t.Errorf("passages %q, cut %+v; want %q, %+v", got, r.Cut, c.want, c.cut)
			}
		})
	}
}

// What stands between two chunks that match is there once.
func TestPackingFillsGaps(t *testing.T) {
	p := page{id: "guide", tokens: 10, texts: []string{"Leave is planned.\n", "Ask first.\n", "Leave is planned.\n", "Thank you.\n"}}
	r := search(t, library(t, retrieval.Options{}, p), ann, retrieval.Request{Query: "leave", Mode: retrieval.Lexical})
	if got := texts(r.Results[0]); len(got) != 1 || got[0] != strings.Join(p.texts, "") {
		t.Errorf("passages %q, want the whole page once", got)
	}
}

// The budget goes to what matches best, even if that leaves a document of the
// answer without a passage; it is still named.
func TestPackingGoesDeep(t *testing.T) {
	s := library(t, retrieval.Options{}, guide(), page{id: "other", tokens: 10, texts: []string{"Somebody else's short note mentions leave once.\n"}})
	r := search(t, s, ann, retrieval.Request{Query: "leave", Budget: 20, Mode: retrieval.Lexical})
	if len(r.Results) != 2 || strings.Join(texts(r.Results[0]), "") != guide().texts[1]+guide().texts[2] || len(r.Results[1].Passages) != 0 {
		t.Errorf("results %+v", r.Results)
	}
	if r.Cut.Passages != 2 {
		t.Errorf("cut %+v, want the guide's last chunk and the note", r.Cut)
	}
}

// longPage has one chunk, of sentences and a table, that is larger than the budget.
func longPage(t *testing.T) page {
	p := page{id: "prices", texts: []string{"Welcome to the price list of the workshop. We are glad that you are here. Please read it with care.\n\n" +
		"| part | price |\n|---|---|\n| gauge | 10 euros |\n| float | 20 euros |\n| lever | 30 euros |\n| spring | 40 euros |\n\n" +
		"Return a gasket within ten days of the purchase. Keep the receipt for it.\n"}}
	p.tokens = chunk.Tokens(p.texts[0])
	return p
}

// A chunk that does not fit gives its best lines, with the citation of exactly
// those; rows of a table come with the table's header.
func TestShortening(t *testing.T) {
	s := library(t, retrieval.Options{}, longPage(t))
	for query, want := range map[string]retrieval.Passage{
		"return of a gasket": {Text: "Return a gasket within ten days of the purchase. "},
		"lever":              {Text: "| float | 20 euros |\n| lever | 30 euros |\n", Context: "| part | price |\n|---|---|\n"},
	} {
		budget := chunk.Tokens(want.Text)
		r := search(t, s, ann, retrieval.Request{Query: query, Budget: budget, Mode: retrieval.Lexical})
		if len(r.Results) != 1 || len(r.Results[0].Passages) != 1 {
			t.Fatalf("%s: results %+v", query, r.Results)
		}
		p := r.Results[0].Passages[0]
		if p.Text != want.Text || p.Context != want.Context || p.Tokens > budget {
			t.Errorf("%s: passage %q with context %q of %d tokens, want %q with %q", query, p.Text, p.Context, p.Tokens, want.Text, want.Context)
		}
		if v, err := s.Verify(t.Context(), ann, p.Citation); err != nil || v.State != retrieval.Unchanged {
			t.Errorf("%s: verdict %+v, error %v", query, v, err)
		}
		if r.Cut.Passages != 1 || r.Cut.Tokens != longPage(t).tokens-p.Tokens {
			t.Errorf("%s: cut %+v", query, r.Cut)
		}
	}
}

// Code in a fence is whole or not there.
func TestShorteningKeepsFencesWhole(t *testing.T) {
	block := "```\ncoot drain weir\ncoot drain sluice\n```\n"
	p := page{id: "runbook", texts: []string{"Before you begin, tell the desk about it and wait for them.\n" + block + "Tell the desk when you are done with it.\n"}}
	p.tokens = chunk.Tokens(p.texts[0])
	s := library(t, retrieval.Options{}, p)
	for _, budget := range []int{chunk.Tokens(block), chunk.Tokens(block) - 1} {
		r := search(t, s, ann, retrieval.Request{Query: "drain the weir", Budget: budget, Mode: retrieval.Lexical})
		if text := strings.Join(texts(r.Results[0]), ""); strings.Contains(text, "coot") != (budget == chunk.Tokens(block)) || strings.Count(text, "```")%2 != 0 {
			t.Errorf("budget %d: %q", budget, text)
		}
	}
}

// Passages lie in document order, do not touch, fit the budget, and say the
// bytes of their spans; their citations hold.
func TestPackingProperties(t *testing.T) {
	words := rapid.SampledFrom([]string{"leave", "parent", "policy", "note", "canteen", "18"})
	sentence := rapid.Map(rapid.SliceOfN(words, 1, 6), func(w []string) string { return strings.Join(w, " ") + ".\n" })
	rapid.Check(t, func(rt *rapid.T) {
		var pages []page
		for _, id := range []string{"a", "b", "c"} {
			texts := rapid.SliceOfN(sentence, 1, 6).Draw(rt, id)
			if rapid.Bool().Draw(rt, "one chunk") {
				texts = []string{strings.Join(texts, "")}
			}
			pages = append(pages, page{id: corpora.DocID("doc-" + id), texts: texts})
		}
		s := library(t, retrieval.Options{}, pages...)
		budget := rapid.IntRange(1, 60).Draw(rt, "budget")
		r, err := s.Search(t.Context(), ann, retrieval.Request{Query: "parent leave policy", Budget: budget})
		if err != nil {
			rt.Fatal(err)
		}
		spent := 0
		for _, result := range r.Results {
			whole := wholeText(rt, t, s, result)
			end := -1
			for _, p := range result.Passages {
				if p.Span.Start <= end || whole[p.Span.Start:p.Span.End] != p.Text {
					rt.Fatalf("%s: passage %v after %d says %q", result.Document.ID, p.Span, end, p.Text)
				}
				sum := sha256.Sum256([]byte(p.Text))
				if p.Citation.Hash != hex.EncodeToString(sum[:]) || p.Citation.Version != result.Document.Version || p.Citation.Span != p.Span {
					rt.Fatalf("citation %+v of %+v", p.Citation, p)
				}
				if v, err := s.Verify(t.Context(), ann, p.Citation); err != nil || v.State != retrieval.Unchanged || !v.Current {
					rt.Fatalf("verdict %+v, error %v", v, err)
				}
				end, spent = p.Span.End, spent+p.Tokens
			}
		}
		if spent > budget {
			rt.Fatalf("%d tokens, budget %d", spent, budget)
		}
	})
}

func wholeText(rt *rapid.T, t *testing.T, s *retrieval.Searcher, r retrieval.Result) string {
	whole, err := s.Fetch(t.Context(), ann, r.Document.ID, 0, 0)
	if err != nil || whole.Length != len(whole.Text) || whole.Span != (index.Span{End: whole.Length}) {
		rt.Fatalf("fetch %s: %+v, error %v", r.Document.ID, whole, err)
	}
	return whole.Text
}
