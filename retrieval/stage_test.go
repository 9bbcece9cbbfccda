package retrieval_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"ken/retrieval"
)

// A stage does not count what is told by itself: the sum is never more than the
// whole.
func TestStagesAreNotCountedTwice(t *testing.T) {
	got := map[string]time.Duration{}
	ctx := retrieval.WithStages(t.Context(), func(stage string, took time.Duration) { got[stage] += took })
	started := time.Now()
	outer, endOuter := retrieval.Stage(ctx, "outer")
	for range 3 {
		_, end := retrieval.Stage(outer, "inner")
		time.Sleep(2 * time.Millisecond)
		end()
	}
	endOuter()
	whole := time.Since(started)
	if got["inner"] < 6*time.Millisecond || got["outer"]+got["inner"] > whole {
		t.Errorf("stages %v of %v", got, whole)
	}
}

// Without a listener a search times nothing; with one, every stage is told.
func TestSearchTellsItsStages(t *testing.T) {
	s := library(t, retrieval.Options{Embedder: embedder(t), Reranker: longest{}}, handbook()...)
	var mu sync.Mutex
	got := map[string]int{}
	ctx := retrieval.WithStages(t.Context(), func(stage string, _ time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		got[stage]++
	})
	for _, c := range []context.Context{t.Context(), ctx} {
		if _, err := s.Search(c, ann, retrieval.Request{Query: "parental leave"}); err != nil {
			t.Fatal(err)
		}
	}
	for _, stage := range []string{retrieval.StageFeedback, retrieval.StageRescore, retrieval.StageFuse, retrieval.StageRerank, retrieval.StageFold, retrieval.StagePack} {
		if got[stage] != 1 {
			t.Errorf("stage %s was told %d times of one search: %v", stage, got[stage], got)
		}
	}
}
