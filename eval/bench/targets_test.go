package main

import (
	"slices"
	"testing"
)

func TestGoalsAreThoseOfTheSize(t *testing.T) {
	var small, large, all figures
	small.set("chunks", 100_000)
	small.set("hybrid_p50_ms", .6)
	small.set("vector_recall_at_10", .999)
	large.set("chunks", 1_000_000)
	large.set("hybrid_p50_ms", 2)
	large.set("vector_vs_chromem_p50", 1) // has a target at the other size alone
	all.join(100_000, small)
	all.join(1_000_000, large)
	var got []string
	for _, g := range all.goals() {
		got = append(got, g.Name+" "+g.Limit+" "+g.Met)
	}
	want := []string{"hybrid_p50_ms at most no", "vector_recall_at_10 at least yes", "1000000_hybrid_p50_ms at most yes"}
	if !slices.Equal(got, want) {
		t.Errorf("goals are %q, want %q", got, want)
	}
}
