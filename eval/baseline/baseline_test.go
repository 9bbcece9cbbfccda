package baseline_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/embed/hashed"
	"ken/eval"
	"ken/eval/baseline"
	"ken/index/chunk"
	"ken/retrieval"
	"testing/fstest"
)

var _ eval.Searcher = (*baseline.System)(nil)

func system(t *testing.T) *baseline.System {
	t.Helper()
	set, err := eval.LoadFS(fstest.MapFS{
		"corpus.jsonl": {Data: []byte(`{"_id": "leave", "title": "Leave", "text": "Every parent gets 18 weeks of leave."}
{"_id": "pay", "title": "Pay", "text": "The salary of level four ends at 91,000 euros."}
`)},
		"acl.jsonl":     {Data: []byte(`{"_id": "leave", "groups": ["everyone"]}` + "\n" + `{"_id": "pay", "groups": ["hr"]}` + "\n")},
		"users.jsonl":   {Data: []byte(`{"_id": "ann", "groups": ["hr"]}`)},
		"queries.jsonl": {Data: []byte(`{"_id": "q", "text": "leave"}`)},
		"qrels.tsv":     {Data: []byte("q\tleave\t1\n")},
	}, "two")
	if err != nil {
		t.Fatal(err)
	}
	e, err := hashed.New(hashed.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := baseline.New(t.Context(), set.Source, e, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestPermissionsAreCheckedAfterTheSearch(t *testing.T) {
	s := system(t)
	for who, want := range map[acl.Subject]string{"user:ann": "leave", "group:hr": "pay leave", acl.Everyone: "leave"} {
		response, ranked, err := s.Explain(t.Context(), acl.NewPrincipal(who), retrieval.Request{Query: "salary of level four"})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for i, r := range response.Results {
			got = append(got, string(r.Document.ID))
			if ranked[i].Doc != r.Document.ID || len(r.Passages) != 1 {
				t.Errorf("%s: place %d is %s, the ranking has %s", who, i, r.Document.ID, ranked[i].Doc)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s got %q, want %q", who, got, want)
		}
	}
}

func TestWholeChunksOrNone(t *testing.T) {
	response, _, err := system(t).Explain(t.Context(), acl.NewPrincipal("group:hr"), retrieval.Request{Query: "leave", Budget: 3})
	if err != nil || len(response.Results) != 0 || response.Cut.Passages != 2 {
		t.Errorf("response %+v, error %v", response, err)
	}
}

func TestFetch(t *testing.T) {
	s := system(t)
	if page, err := s.Fetch(context.Background(), acl.NewPrincipal("group:hr"), "pay", 0, 0); err != nil || !strings.Contains(page.Text, "91,000") {
		t.Errorf("page %+v, error %v", page, err)
	}
	for _, id := range []corpora.DocID{"pay", "nowhere"} {
		if _, err := s.Fetch(t.Context(), acl.NewPrincipal("user:bob"), id, 0, 0); !errors.Is(err, retrieval.ErrNotFound) {
			t.Errorf("%s: error %v", id, err)
		}
	}
}

// The pieces partition the text, and none is too large.
func TestCut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOfN(rapid.RuneFrom([]rune("ab 水é\n1.")), 0, 400, -1).Draw(t, "text")
		limit := rapid.IntRange(4, 20).Draw(t, "tokens")
		at := 0
		for _, span := range baseline.Cut(text, limit) {
			if span.Start != at || span.End <= at {
				t.Fatalf("piece %v after %d", span, at)
			}
			at = span.End
			if n := chunk.Tokens(text[span.Start:span.End]); n > limit+1 { // tokens are not quite monotonic in bytes
				t.Fatalf("%d tokens, limit %d", n, limit)
			}
		}
		if at != len(text) {
			t.Fatalf("ends at %d of %d", at, len(text))
		}
	})
}
