package retrieval_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/embed"
	"ken/index"
	"ken/index/indextest"
	"ken/retrieval"
)

func TestSearchRefuses(t *testing.T) {
	s := library(t, retrieval.Options{})
	for name, c := range map[string]struct {
		request retrieval.Request
		want    string
	}{
		"an empty query":         {retrieval.Request{}, "the query is empty: say what to look for"},
		"white space":            {retrieval.Request{Query: " \t\n"}, "the query is empty"},
		"100 kB":                 {retrieval.Request{Query: strings.Repeat("a", 100_000)}, "the query has 100000 bytes, more than 8192: ask a shorter question"},
		"invalid UTF-8":          {retrieval.Request{Query: "leave \xff"}, "not valid UTF-8"},
		"an unknown mode":        {retrieval.Request{Query: "a", Mode: "magic"}, `mode "magic" is unknown: use hybrid, lexical or vector`},
		"a billion documents":    {retrieval.Request{Query: "a", Limit: 1e9}, "limit 1000000000 is out of range: ask for 1 to 50 documents"},
		"a negative limit":       {retrieval.Request{Query: "a", Limit: -1}, "limit -1 is out of range"},
		"a budget too large":     {retrieval.Request{Query: "a", Budget: 1e9}, "budget 1000000000 is out of range: ask for 1 to 20000 tokens"},
		"a negative budget":      {retrieval.Request{Query: "a", Budget: -5}, "budget -5 is out of range"},
		"a negative quota":       {retrieval.Request{Query: "a", Quota: -1}, "quota -1 is negative"},
		"an impossible period":   {retrieval.Request{Query: "a", Filter: index.Filter{After: noon, Before: noon}}, "dates leave nothing"},
		"a filter of 2,000 tags": {retrieval.Request{Query: "a", Filter: index.Filter{Tags: make([]string, 2000)}}, "2000 tags, more than 1000"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := s.Search(t.Context(), ann, c.request)
			if !errors.Is(err, retrieval.ErrQuery) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("search: error %v, want one with %q", err, c.want)
			}
			if _, _, err := s.Explain(t.Context(), ann, c.request); !errors.Is(err, retrieval.ErrQuery) {
				t.Errorf("rank: error %v", err)
			}
		})
	}
}

func TestLimitZeroIsTheDefault(t *testing.T) {
	var pages []page
	for i := range 12 {
		pages = append(pages, page{id: corpora.DocID(fmt.Sprintf("p%02d", i)), texts: []string{fmt.Sprintf("leave policy number %d", i)}})
	}
	s := library(t, retrieval.Options{}, pages...)
	if n := len(search(t, s, ann, retrieval.Request{Query: "leave", Mode: retrieval.Lexical}).Results); n != retrieval.DefaultLimit {
		t.Errorf("%d results, want %d", n, retrieval.DefaultLimit)
	}
	if n := len(search(t, s, ann, retrieval.Request{Query: "leave", Mode: retrieval.Lexical, Limit: retrieval.MaxLimit}).Results); n != 12 {
		t.Errorf("%d results, want all 12", n)
	}
}

func handbook() []page {
	return []page{
		{id: "leave", title: "Parental leave", texts: []string{"Every parent gets 18 weeks of leave.\n", "Tell the people team 8 weeks before.\n"}},
		{id: "contractors", title: "Contractors", texts: []string{"A contractor who becomes a parent gets 4 weeks of leave.\n"}, readers: []acl.Subject{"user:bob"}},
		{id: "canteen", title: "Canteen", texts: []string{"Lunch is at noon.\n"}},
	}
}

func TestSearchShowsOnlyWhatMayBeRead(t *testing.T) {
	s := library(t, retrieval.Options{Embedder: embedder(t)}, handbook()...)
	request := retrieval.Request{Query: "weeks of leave for a parent", Mode: retrieval.Lexical}
	expect(t, search(t, s, ann, request), "leave")
	expect(t, search(t, s, bob, request), "leave", "contractors")
	expect(t, search(t, s, acl.Principal{}, request))
	expect(t, search(t, s, acl.Principal{}, retrieval.Request{Query: "leave"}))
}

func TestModesAndDegradation(t *testing.T) {
	good := embedder(t)
	other := good.Model()
	other.Hash = "another"
	for name, c := range map[string]struct {
		embedder embed.Embedder
		mode     retrieval.Mode
		degraded []string
		err      error
	}{
		"hybrid":                         {good, "", nil, nil},
		"lexical":                        {good, retrieval.Lexical, nil, nil},
		"vector":                         {good, retrieval.Vector, nil, nil},
		"hybrid, no embedder":            {nil, retrieval.Hybrid, []string{"vector"}, nil},
		"lexical, no embedder":           {nil, retrieval.Lexical, nil, nil},
		"vector, no embedder":            {nil, retrieval.Vector, nil, retrieval.ErrUnavailable},
		"hybrid, embedder down":          {down{good.Model()}, retrieval.Hybrid, []string{"vector"}, nil},
		"vector, embedder down":          {down{good.Model()}, retrieval.Vector, nil, retrieval.ErrUnavailable},
		"hybrid, vectors of another one": {renamed{good, other}, retrieval.Hybrid, []string{"vector"}, nil},
		"vector, vectors of another one": {renamed{good, other}, retrieval.Vector, nil, retrieval.ErrUnavailable},
		"hybrid, embedder hangs":         {hanging{good}, retrieval.Hybrid, []string{"vector"}, nil},
		"hybrid, embedder is broken":     {broken{good}, retrieval.Hybrid, []string{"vector"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := library(t, retrieval.Options{Embedder: c.embedder, EmbedTimeout: time.Millisecond}, handbook()...)
			if c.embedder == good {
				s = library(t, retrieval.Options{Embedder: good}, handbook()...)
			}
			r, err := s.Search(t.Context(), ann, retrieval.Request{Query: "leave for parents", Mode: c.mode})
			if !errors.Is(err, c.err) || !slices.Equal(r.Degraded, c.degraded) {
				t.Fatalf("degraded %q, error %v; want %q, %v", r.Degraded, err, c.degraded, c.err)
			}
			if err == nil && (len(r.Results) == 0 || r.Results[0].Document.ID != "leave") {
				t.Errorf("found %q, want leave first", found(r))
			}
		})
	}
}

// renamed is an embedder that claims to be another model.
type renamed struct {
	embed.Embedder
	model embed.Model
}

func (r renamed) Model() embed.Model { return r.model }

// hanging is an embedder that waits for as long as it is let.
type hanging struct{ embed.Embedder }

func (hanging) Embed(ctx context.Context, _ embed.Kind, _ []string) ([]embed.Vector, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// broken is an embedder whose vectors are of no use.
type broken struct{ embed.Embedder }

func (b broken) Embed(context.Context, embed.Kind, []string) ([]embed.Vector, error) {
	v := make(embed.Vector, b.Model().Dim)
	v[0] = float32(math.NaN())
	return []embed.Vector{v}, nil
}

func TestCancelledSearchIsNoDegradedAnswer(t *testing.T) {
	s := library(t, retrieval.Options{Embedder: hanging{embedder(t)}}, handbook()...)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Search(ctx, ann, retrieval.Request{Query: "leave"}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want the context's", err)
	}
}

func TestDeadLexicalLegIsSaid(t *testing.T) {
	s := library(t, retrieval.Options{}, handbook()...)
	blind := "\uFC5E" // a letter of which the analysis makes no word
	r := search(t, s, ann, retrieval.Request{Query: blind, Mode: retrieval.Lexical})
	if !slices.Equal(r.Degraded, []string{retrieval.DegradedLexical}) || len(r.Results) != 0 {
		t.Errorf("degraded %q, found %q", r.Degraded, found(r))
	}
	if r := search(t, s, acl.Principal{}, retrieval.Request{Query: blind, Mode: retrieval.Lexical}); r.Degraded != nil {
		t.Errorf("nothing to search and yet degraded %q", r.Degraded)
	}
	for _, nothing := range []string{"?!", "the", "what is"} {
		if r := search(t, s, ann, retrieval.Request{Query: nothing, Mode: retrieval.Lexical}); r.Degraded != nil {
			t.Errorf("%q is nothing to search for and yet degraded %q", nothing, r.Degraded)
		}
	}
}

func TestSupersededAndDraftsRankLower(t *testing.T) {
	s := library(t, retrieval.Options{},
		page{id: "now", title: "Travel", texts: []string{"A hotel may cost 165 euros a night, says the policy in force and nothing else.\n"}},
		page{id: "old", title: "Hotel night cost", texts: []string{"A hotel night may cost 140 euros: hotel night cost.\n"}, status: corpora.Superseded},
		page{id: "next", title: "Hotel night cost draft", texts: []string{"A hotel night may cost 190 euros: hotel night cost.\n"}, status: corpora.Draft},
		page{id: "far", texts: []string{"The hotel of the summer party.\n"}},
	)
	r := search(t, s, ann, retrieval.Request{Query: "hotel night cost"})
	if got := found(r); slices.Index(got, "next") > slices.Index(got, "old") {
		t.Errorf("found %q: a draft stands above what is superseded", got)
	}
	history := search(t, s, ann, retrieval.Request{Query: "hotel night cost", History: true})
	if got := found(history); got[0] == "now" {
		t.Errorf("with history found %q, want the best match first whatever its status", got)
	}
	for i, now := range r.Results {
		then := history.Results[slices.Index(found(history), now.Document.ID)]
		factor := map[corpora.Status]float64{corpora.Superseded: .5, corpora.Draft: .7, "": 1}[now.Document.Status]
		if math.Abs(now.Score-factor*then.Score) > 1e-9 {
			t.Errorf("place %d, %s: score %v, want %v of %v", i, now.Document.ID, now.Score, factor, then.Score)
		}
	}
}

func TestQuotaAndFilter(t *testing.T) {
	s := library(t, retrieval.Options{},
		page{id: "w1", texts: []string{"leave leave leave one"}}, page{id: "w2", texts: []string{"leave leave two"}},
		page{id: "m1", texts: []string{"leave of the longest kind that there is"}, source: "mail"},
	)
	expect(t, search(t, s, ann, retrieval.Request{Query: "leave"}), "w1", "w2", "m1")
	expect(t, search(t, s, ann, retrieval.Request{Query: "leave", Quota: 1}), "w1", "m1")
	expect(t, search(t, s, ann, retrieval.Request{Query: "leave", Filter: index.Filter{Sources: []string{"mail"}}}), "m1")
}

func TestNearDuplicatesAreFolded(t *testing.T) {
	text := "Please book the meeting room at least one day ahead, and leave it as you would like to find it.\n"
	s := library(t, retrieval.Options{},
		page{id: "ghent", title: "Meeting room", texts: []string{text}},
		page{id: "porto", title: "Room", texts: []string{strings.ToUpper(text)}},
		page{id: "halifax", title: "Rooms", texts: []string{strings.Replace(text, "one day", "14 days", 1)}},
		page{id: "secret", title: "Meeting room", texts: []string{text}, readers: []acl.Subject{"user:bob"}},
	)
	r := search(t, s, ann, retrieval.Request{Query: "book the meeting room"})
	expect(t, r, "ghent", "halifax")
	if !slices.Equal(r.Results[0].Duplicates, []corpora.DocID{"porto"}) {
		t.Errorf("duplicates %q, want porto and nothing that ann may not read", r.Results[0].Duplicates)
	}
	off := retrieval.DefaultParams()
	off.Fold = 2
	all := search(t, library(t, retrieval.Options{Params: off}, page{id: "a", texts: []string{text}}, page{id: "b", texts: []string{text}}), ann, retrieval.Request{Query: "meeting"})
	if len(all.Results) != 2 {
		t.Errorf("with folding off found %q", found(all))
	}
}

func TestReranking(t *testing.T) {
	pages := []page{
		{id: "a", texts: []string{"leave leave leave"}}, {id: "b", texts: []string{"leave and more words"}},
		{id: "c", texts: []string{"leave among a few more words"}}, {id: "d", texts: []string{"leave at the end of a text with still more words"}, status: corpora.Superseded},
	}
	params := retrieval.DefaultParams()
	expect(t, search(t, library(t, retrieval.Options{}, pages...), ann, retrieval.Request{Query: "leave"}), "a", "b", "c", "d")
	last := library(t, retrieval.Options{Reranker: longest{}}, pages...)
	expect(t, search(t, last, ann, retrieval.Request{Query: "leave"}), "c", "b", "d", "a")
	if _, ranked, err := last.Explain(t.Context(), ann, retrieval.Request{Query: "leave"}); err != nil || ranked[0].Doc != "c" {
		t.Errorf("the ranking that is explained begins with %v (%v), want the reranked one", ranked, err)
	}
	expect(t, search(t, last, ann, retrieval.Request{Query: "leave", History: true}), "d", "c", "b", "a")
	params.Rerank = 2
	expect(t, search(t, library(t, retrieval.Options{Reranker: longest{}, Params: params}, pages...), ann, retrieval.Request{Query: "leave"}), "b", "a", "c", "d")

	off := library(t, retrieval.Options{Reranker: down{}}, pages...)
	r := search(t, off, ann, retrieval.Request{Query: "leave", Mode: retrieval.Lexical})
	expect(t, r, "a", "b", "c", "d")
	if !slices.Equal(r.Degraded, []string{"rerank"}) {
		t.Errorf("degraded %q", r.Degraded)
	}
	wrong := library(t, retrieval.Options{Reranker: wrongCount{}}, pages...)
	if r := search(t, wrong, ann, retrieval.Request{Query: "leave", Mode: retrieval.Lexical}); !slices.Equal(r.Degraded, []string{"rerank"}) {
		t.Errorf("one score for four texts: degraded %q", r.Degraded)
	}
}

// A successor that the reader may not read is not named, just as one that does
// not exist: its id would tell of it.
func TestHiddenSuccessorIsNotNamed(t *testing.T) {
	pages := []page{
		{id: "old", texts: []string{"leave of old"}, status: corpora.Superseded, supersededBy: "new"},
		{id: "new", texts: []string{"leave of today"}, readers: []acl.Subject{"group:hr"}},
		{id: "lost", texts: []string{"leave long ago"}, status: corpora.Superseded, supersededBy: "nowhere"},
	}
	s := library(t, retrieval.Options{}, pages...)
	for _, c := range []struct {
		who  acl.Principal
		id   corpora.DocID
		want corpora.DocID
	}{
		{acl.NewPrincipal("user:tom", "group:hr"), "old", "new"},
		{ann, "old", ""},
		{ann, "lost", ""},
	} {
		part, err := s.Fetch(t.Context(), c.who, c.id, 0, 0)
		if err != nil || part.Document.SupersededBy != c.want {
			t.Errorf("%v fetches %s: superseded by %q (%v), want %q", c.who.Subjects(), c.id, part.Document.SupersededBy, err, c.want)
		}
		for _, r := range search(t, s, c.who, retrieval.Request{Query: "leave"}).Results {
			if r.Document.ID == c.id && r.Document.SupersededBy != c.want {
				t.Errorf("%v finds %s: superseded by %q, want %q", c.who.Subjects(), c.id, r.Document.SupersededBy, c.want)
			}
		}
	}
}

// longest prefers long texts.
type longest struct{}

func (longest) Rerank(_ context.Context, _ string, texts []string) ([]float64, error) {
	out := make([]float64, len(texts))
	for i, text := range texts {
		out[i] = float64(len(text))
	}
	return out, nil
}

type wrongCount struct{}

func (wrongCount) Rerank(context.Context, string, []string) ([]float64, error) {
	return []float64{1}, nil
}

// A write that was acknowledged is in the next answer, a revoke too.
func TestJustInTime(t *testing.T) {
	store := indextest.NewOracle()
	fill(t, store, handbook()...)
	s := searcher(t, store, retrieval.Options{})
	request := retrieval.Request{Query: "leave"}
	fill(t, store, page{id: "new", title: "Leave", texts: []string{"leave leave leave"}})
	expect(t, search(t, s, ann, request), "new", "leave")
	if err := store.SetACL(t.Context(), "new", acl.List{}); err != nil {
		t.Fatal(err)
	}
	expect(t, search(t, s, ann, request), "leave")
}

func TestNewRefuses(t *testing.T) {
	params := retrieval.DefaultParams()
	params.Depth = 0
	for name, err := range map[string]error{
		"no store":     second(retrieval.New(nil, retrieval.Options{})),
		"parameters":   second(retrieval.New(indextest.NewOracle(), retrieval.Options{Params: params})),
		"the time-out": second(retrieval.New(indextest.NewOracle(), retrieval.Options{EmbedTimeout: -1})),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func second(_ *retrieval.Searcher, err error) error { return err }
