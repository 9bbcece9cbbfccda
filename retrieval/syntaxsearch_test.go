package retrieval_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/index"
	"ken/index/indextest"
	"ken/retrieval"
)

func TestPhrasesAndPrefixesInQueries(t *testing.T) {
	s := library(t, retrieval.Options{Embedder: embedder(t)},
		page{id: "both", texts: []string{"Parental leave is for contractors."}},
		page{id: "apart", texts: []string{"Leave the parental wing to contractors."}},
		page{id: "secret", texts: []string{"Parental leave is cut for contractors."}, readers: []acl.Subject{"user:ann"}},
		page{id: "other", texts: []string{"The canteen opens at noon."}},
	)
	ids := func(query string, mode retrieval.Mode, literal bool) (out []corpora.DocID) {
		r := search(t, s, bob, retrieval.Request{Query: query, Mode: mode, Literal: literal, Snippets: true})
		for _, result := range r.Results {
			out = append(out, result.Document.ID)
			if result.Snippet.Text == "" {
				t.Errorf("%s: %s has no snippet", query, result.Document.ID)
			}
		}
		slices.Sort(out)
		return out
	}
	for _, c := range []struct {
		query   string
		mode    retrieval.Mode
		literal bool
		want    string
	}{
		{`"parental leave"`, retrieval.Hybrid, false, "both"},
		{`"parental leave"`, retrieval.Vector, false, "both"},
		{`"parental leave"`, retrieval.Lexical, false, "both"},
		{`"parental leave"`, retrieval.Lexical, true, "apart both"},
		{`"parental leave is cut"`, retrieval.Hybrid, false, ""},
		{`contract*`, retrieval.Lexical, false, "apart both"},
		{`contract*`, retrieval.Lexical, true, ""},
		{`cante* "noon"`, retrieval.Hybrid, false, "other"},
	} {
		var got []string
		for _, id := range ids(c.query, c.mode, c.literal) {
			got = append(got, string(id))
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s (%s, literal %v): %q, want %q", c.query, c.mode, c.literal, got, c.want)
		}
	}
}

// A store that would have to read too much says so, and whoever asked learns what to do.
func TestTooBroadAQuery(t *testing.T) {
	store := indextest.NewOracle()
	fill(t, store, page{id: "a", texts: []string{"leave"}})
	s := searcher(t, broadStore{store}, retrieval.Options{})
	_, err := s.Search(t.Context(), bob, retrieval.Request{Query: `"the leave"`})
	if !errors.Is(err, retrieval.ErrQuery) || !strings.Contains(err.Error(), "add a rarer word") {
		t.Errorf("error %v", err)
	}
}

type broadStore struct{ retrieval.Store }

func (b broadStore) View(ctx context.Context, p acl.Principal, at time.Time) (index.View, error) {
	v, err := b.Store.View(ctx, p, at)
	return broadView{v}, err
}

type broadView struct{ index.View }

func (broadView) SearchText(context.Context, index.TextQuery, int) ([]index.Hit, error) {
	return nil, index.ErrBroad
}
