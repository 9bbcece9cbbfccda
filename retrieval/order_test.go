package retrieval_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"ken/corpora"
	"ken/retrieval"
)

// An answer names only the documents that it needs. It is the beginning of the
// ranking that names them all, whatever is superseded or a draft.
func TestAnswersBeginTheRanking(t *testing.T) {
	statuses := []corpora.Status{"", corpora.Superseded, corpora.Draft}
	rapid.Check(t, func(rt *rapid.T) {
		var pages []page
		for i := range rapid.IntRange(20, 60).Draw(rt, "documents") {
			p := page{id: corpora.DocID(fmt.Sprint("d", i)), status: rapid.SampledFrom(statuses).Draw(rt, "status")}
			for range rapid.IntRange(1, 3).Draw(rt, "chunks") {
				p.texts = append(p.texts, "leave"+fmt.Sprintf("%*s\n", rapid.IntRange(1, 30).Draw(rt, "words"), "x y"))
			}
			pages = append(pages, p)
		}
		params := retrieval.DefaultParams()
		params.Fold = 2 // fold nothing
		s := library(t, retrieval.Options{Params: params}, pages...)
		request := retrieval.Request{Query: "leave", Mode: retrieval.Lexical, Limit: rapid.IntRange(1, 50).Draw(rt, "limit"), History: rapid.Bool().Draw(rt, "history")}
		response, ranked, err := s.Explain(t.Context(), ann, request)
		if err != nil {
			rt.Fatal(err)
		}
		var want []corpora.DocID
		var scores []float64
		for i, r := range ranked {
			if i > 0 && r.Score > ranked[i-1].Score {
				rt.Fatalf("place %d has %v after %v", i, r.Score, ranked[i-1].Score)
			}
			if len(want) < request.Limit && !slices.Contains(want, r.Doc) {
				want, scores = append(want, r.Doc), append(scores, r.Score)
			}
		}
		got := found(response)
		if !slices.Equal(got, want) {
			rt.Fatalf("answer %q, ranking %q", got, want)
		}
		for i, r := range response.Results {
			if r.Score != scores[i] {
				rt.Fatalf("%s has %v in the answer and %v in the ranking", r.Document.ID, r.Score, scores[i])
			}
		}
	})
}
