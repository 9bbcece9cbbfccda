package retrieval_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/index"
	"ken/index/indextest"
	"ken/retrieval"
)

func TestFetchInPages(t *testing.T) {
	text := strings.Repeat("Fünf Tage Urlaub für jeden. ", 50)
	s := library(t, retrieval.Options{}, page{id: "urlaub", title: "Urlaub", texts: []string{text[:101], text[101:]}, language: "de"})
	var got strings.Builder
	for offset := 0; ; {
		p, err := s.Fetch(t.Context(), ann, "urlaub", offset, 64)
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Text) > 64 || p.Length != len(text) || p.Document.Title != "Urlaub" || p.Span.Start != offset {
			t.Fatalf("page %+v", p)
		}
		if v, err := s.Verify(t.Context(), ann, p.Citation); err != nil || v.State != retrieval.Unchanged {
			t.Fatalf("verdict %+v, error %v", v, err)
		}
		got.WriteString(p.Text)
		if offset = p.Span.End; offset == p.Length {
			break
		}
	}
	if got.String() != text {
		t.Error("the pages together are not the text")
	}
}

// Whoever may not read a document learns no more than about one that never was.
func TestForbiddenIsNotFound(t *testing.T) {
	s := library(t, retrieval.Options{}, handbook()...)
	for _, offset := range []int{0, 1_000_000} {
		_, forbidden := s.Fetch(t.Context(), ann, "contractors", offset, 0)
		_, unknown := s.Fetch(t.Context(), ann, "nothing", offset, 0)
		if !errors.Is(forbidden, index.ErrNotFound) || fmt.Sprint(forbidden) != fmt.Sprint(unknown) {
			t.Errorf("offset %d: forbidden %v, unknown %v", offset, forbidden, unknown)
		}
	}
	cited, err := s.Fetch(t.Context(), bob, "contractors", 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	for p, want := range map[string]retrieval.State{"ann": retrieval.NotFound, "bob": retrieval.Unchanged} {
		v, err := s.Verify(t.Context(), acl.NewPrincipal(acl.User(p)), cited.Citation)
		if err != nil || v.State != want || want == retrieval.NotFound && v != (retrieval.Verdict{State: want}) {
			t.Errorf("%s: verdict %+v, error %v", p, v, err)
		}
	}
}

func TestFetchRefuses(t *testing.T) {
	s := library(t, retrieval.Options{}, handbook()...)
	for _, c := range []struct{ offset, limit int }{{-1, 0}, {0, -1}, {0, 1}, {0, 1e9}, {10_000, 0}} {
		if _, err := s.Fetch(t.Context(), ann, "leave", c.offset, c.limit); !errors.Is(err, retrieval.ErrQuery) {
			t.Errorf("offset %d, limit %d: error %v", c.offset, c.limit, err)
		}
	}
}

func TestVerify(t *testing.T) {
	store := indextest.NewOracle()
	fill(t, store, handbook()...)
	s := searcher(t, store, retrieval.Options{})
	r := search(t, s, ann, retrieval.Request{Query: "parent weeks leave", Budget: 8})
	quote := r.Results[0].Passages[0].Citation

	check := func(what string, c retrieval.Citation, state retrieval.State, current bool) {
		t.Helper()
		v, err := s.Verify(t.Context(), ann, c)
		if err != nil || v.State != state || v.Current != current {
			t.Errorf("%s: %+v, error %v; want %s, current %v", what, v, err, state, current)
		}
	}
	check("as it was", quote, retrieval.Unchanged, true)

	forged := quote
	forged.Hash = strings.Repeat("0", 64)
	check("another hash", forged, retrieval.Changed, true)
	for _, span := range []index.Span{{Start: -1, End: 3}, {Start: 3, End: 1}, {Start: 0, End: 1 << 40}} {
		outside := quote
		outside.Span = span
		check("a span outside", outside, retrieval.Changed, true)
	}

	changed := handbook()[0]
	changed.texts = []string{changed.texts[0], "Tell the people team 12 weeks before.\n"}
	fill(t, store, changed)
	check("changed elsewhere", quote, retrieval.Unchanged, false)
	changed.texts = []string{"Every parent gets 20 weeks of leave.\n"}
	fill(t, store, changed)
	check("changed there", quote, retrieval.Changed, false)
	if err := store.Delete(t.Context(), "leave"); err != nil {
		t.Fatal(err)
	}
	check("deleted", quote, retrieval.NotFound, false)
}

func TestDocuments(t *testing.T) {
	s := library(t, retrieval.Options{}, handbook()...)
	ids := func(p acl.Principal, prefix string, after corpora.DocID, limit int) []corpora.DocID {
		docs, err := s.Documents(t.Context(), p, prefix, after, limit)
		if err != nil {
			t.Fatal(err)
		}
		var out []corpora.DocID
		for _, d := range docs {
			out = append(out, d.ID)
		}
		return out
	}
	for _, c := range []struct{ got, want []corpora.DocID }{
		{ids(ann, "", "", 0), []corpora.DocID{"canteen", "leave"}},
		{ids(bob, "", "", 0), []corpora.DocID{"canteen", "contractors", "leave"}},
		{ids(bob, "c", "canteen", 5), []corpora.DocID{"contractors"}},
		{ids(bob, "", "", 1), []corpora.DocID{"canteen"}},
		{ids(acl.Principal{}, "", "", 0), nil},
	} {
		if !slices.Equal(c.got, c.want) {
			t.Errorf("listed %q, want %q", c.got, c.want)
		}
	}
	for _, limit := range []int{-1, 1e9} {
		if _, err := s.Documents(t.Context(), ann, "", "", limit); !errors.Is(err, retrieval.ErrQuery) {
			t.Errorf("limit %d: error %v", limit, err)
		}
	}
}
