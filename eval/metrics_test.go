package eval

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"ken/corpora"
)

// Every value is worked out by hand from the definitions of trec_eval.
func TestMetrics(t *testing.T) {
	type relevant = map[corpora.DocID]int
	for name, c := range map[string]struct {
		ranking  []corpora.DocID
		relevant relevant
		want     Metrics
	}{
		// Gains 0 2 1 0 with d9 not found: dcg = 2/log2(3) + 1/log2(4) = 1.761860,
		// ideal = 2 + 1/log2(3) + 1/log2(4) = 3.130930.
		"graded, unjudged, not relevant": {
			[]corpora.DocID{"d5", "d1", "d2", "unjudged"}, relevant{"d1": 2, "d2": 1, "d9": 1, "d5": 0},
			Metrics{"ndcg@10": .562727, "map": (1./2 + 2./3) / 3, "mrr@10": .5, "recall@10": 2. / 3, "recall@100": 2. / 3, "precision@1": 0, "precision@5": .4, "precision@10": .2, "hit@1": 0, "hit@3": 1, "hit@10": 1},
		},
		"perfect": {
			[]corpora.DocID{"a", "b"}, relevant{"a": 1, "b": 1},
			Metrics{"ndcg@10": 1, "map": 1, "mrr@10": 1, "recall@10": 1, "recall@100": 1, "precision@1": 1, "precision@5": .4, "precision@10": .2, "hit@1": 1, "hit@3": 1, "hit@10": 1},
		},
		"nothing found": {
			nil, relevant{"a": 1},
			Metrics{"ndcg@10": 0, "map": 0, "mrr@10": 0, "recall@100": 0, "precision@10": 0, "hit@10": 0},
		},
		// The only relevant document is at place 11: beyond every cut at 10.
		"beyond ten": {
			[]corpora.DocID{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "a"}, relevant{"a": 1},
			Metrics{"ndcg@10": 0, "map": 1. / 11, "mrr@10": 0, "recall@10": 0, "recall@100": 1, "hit@10": 0},
		},
		// At place 4: 1/log2(5) of an ideal of 1.
		"fourth": {
			[]corpora.DocID{"1", "2", "3", "a"}, relevant{"a": 3},
			Metrics{"ndcg@10": .430677, "map": .25, "mrr@10": .25, "hit@3": 0, "hit@10": 1, "precision@5": .2},
		},
		// Grades the wrong way round: (1 + 3/log2(3)) / (3 + 1/log2(3)).
		"swapped grades": {
			[]corpora.DocID{"low", "high"}, relevant{"low": 1, "high": 3},
			Metrics{"ndcg@10": .796708, "map": 1},
		},
		"a negative grade is not relevant": {
			[]corpora.DocID{"spam", "a"}, relevant{"a": 1, "spam": -1},
			Metrics{"ndcg@10": .630930, "map": .5, "precision@1": 0, "recall@100": 1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			j := judge(c.ranking, c.relevant)
			for name, want := range c.want {
				if got := measure(t, name, j); math.Abs(got-want) > 1e-6 {
					t.Errorf("%s = %.6f, want %.6f", name, got, want)
				}
			}
		})
	}
}

func measure(t testing.TB, name string, j judged) float64 {
	t.Helper()
	m, err := metricNamed(name)
	if err != nil {
		t.Fatal(err)
	}
	return m.score(j)
}

// graded writes a ranking as the grades of its documents in order, and what was
// not found as the grades after the bar.
func graded(found []int, missed ...int) judged {
	relevant := make(map[corpora.DocID]int)
	var ranking []corpora.DocID
	for i, grade := range append(slices.Clone(found), missed...) {
		id := corpora.DocID(fmt.Sprint("d", i))
		relevant[id] = grade
		if i < len(found) {
			ranking = append(ranking, id)
		}
	}
	return judge(ranking, relevant)
}

// Values that others published, and values worked out by hand. trec_eval's
// ndcg_cut takes the grade as gain and log2(rank+1) as discount.
func TestMetricsAgainstReferences(t *testing.T) {
	// The example of Wikipedia's "Discounted cumulative gain": grades 3 2 3 0 1 2,
	// and 3 and 2 that were not found: DCG 6.861, IDCG 8.740, nDCG .785.
	wikipedia := graded([]int{3, 2, 3, 0, 1, 2}, 3, 2)
	// Manning, Raghavan and Schütze, "Introduction to Information Retrieval",
	// exercise 8.8: relevant at 1, 3, 9 and 10, four relevant in all (system 1:
	// R N R N N N N N R R); and system 2, N R N N R R R N N N.
	iir1 := graded([]int{1, 0, 1, 0, 0, 0, 0, 0, 1, 1})
	iir2 := graded([]int{0, 1, 0, 0, 1, 1, 1, 0, 0, 0})
	// Their exercise 8.9: R R N N N N N N R N R N N N R N N N N R of eight relevant.
	iir3 := graded([]int{1, 1, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 1}, 1, 1)
	// scikit-learn's ndcg_score documentation: true relevance 10 0 0 1 5, scores
	// .1 .2 .3 4 70, so the ranking has grades 5 1 0 0 10: .695694; the other
	// scores, .05 1.1 1. .5 .0, give 0 0 1 10 5: .493680; its cut at 4: .352024.
	sklearn1 := graded([]int{5, 1, 0, 0, 10})
	sklearn2 := graded([]int{0, 0, 1, 10, 5})
	for _, c := range []struct {
		metric string
		j      judged
		want   float64
	}{
		{"ndcg@6", wikipedia, .785002}, // 6.861127 / 8.740262
		{"ndcg@1", wikipedia, 1},
		{"ndcg@2", wikipedia, (3 + 2/math.Log2(3)) / (3 + 3/math.Log2(3))},
		{"ndcg@5", sklearn1, .695694},
		{"ndcg@5", sklearn2, .493680},
		{"ndcg@4", sklearn2, .352024},
		{"map", iir1, .6},      // (1 + 2/3 + 3/9 + 4/10) / 4
		{"map", iir2, .492857}, // (1/2 + 2/5 + 3/6 + 4/7) / 4 = 1.971429 / 4
		{"map", iir3, .416288}, // (1 + 1 + 3/9 + 4/11 + 5/15 + 6/20) / 8
		{"precision@20", iir3, .3},
		{"precision@10", iir1, .4},
		{"precision@5", iir1, .4},
		{"precision@3", iir2, 1. / 3},
		{"precision@100", iir3, .06}, // a short ranking is filled up with nothing
		{"recall@20", iir3, .75},
		{"recall@1", iir3, .125},
		{"recall@9", iir3, .375},
		{"recall@5", iir2, .5},
		{"recall@100", iir2, 1},
		{"mrr", iir1, 1},
		{"mrr", iir2, .5},
		{"mrr@1", iir2, 0},
		{"mrr", graded([]int{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}), 1. / 11},
		{"mrr@10", graded([]int{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}), 0},
		// Voorhees's cats, tori and virus: the right answer third, second, first.
		{"mrr", graded([]int{0, 0, 1}), 1. / 3},
		{"mrr", graded([]int{0, 1, 0}), .5},
		{"success@1", iir2, 0},
		{"success@2", iir2, 1},
		{"success@5", graded([]int{0, 0, 0, 0, 0, 1}), 0},
		{"success@6", graded([]int{0, 0, 0, 0, 0, 1}), 1},
		{"hit@6", graded([]int{0, 0, 0, 0, 0, 1}), 1},
		{"ndcg@10", iir2, 1.707323 / 2.561606},                   // 1/log2 of 3, 6, 7, 8 over 1/log2 of 2, 3, 4, 5
		{"ndcg@1000", graded([]int{0, 2}), 1 / math.Log2(3)},     // a cut beyond the ranking
		{"ndcg@3", graded([]int{1, 1, 1}, 1, 1), 1},              // the ideal is cut too
		{"ndcg@10", graded([]int{0, 0, 0}, 3), 0},                // found nothing
		{"map", graded([]int{2, 1}, 3), 2. / 3},                  // grades above 0 are alike, the missed one counts
		{"ndcg@10", graded([]int{-2, 1}), 1 / math.Log2(3)},      // a negative grade gains nothing
		{"precision@2", graded([]int{-2, 1}), .5},                // and is not relevant
		{"recall@10", graded(nil, 1), 0},                         // an empty ranking
		{"ndcg@10", graded([]int{1, 2, 3}), 3.761860 / 4.761860}, // (1 + 2/log2(3) + 3/2) / (3 + 2/log2(3) + 1/2)
	} {
		if got := measure(t, c.metric, c.j); math.Abs(got-c.want) > 1e-6 {
			t.Errorf("%s of %v (ideal %v) = %.7f, want %.7f", c.metric, c.j.grades, c.j.ideal, got, c.want)
		}
	}
}

func TestMetricNames(t *testing.T) {
	for _, name := range []string{"", "ndcg", "ndcg@0", "ndcg@-1", "ndcg@ten", "ndcg@010", "ndcg@+1", "map@10", "bleu@4", "recall@10001"} {
		if err := CheckMetric(name); err == nil {
			t.Errorf("%q is a metric", name)
		}
	}
}

func TestMetricsStayInRange(t *testing.T) {
	metrics, err := metricsNamed([]string{"mrr", "success@7", "ndcg@3", "ndcg@3", "map"})
	if err != nil || len(metrics) != len(defaultMetrics)+3 {
		t.Fatalf("%d metrics, error %v", len(metrics), err)
	}
	id := rapid.Map(rapid.IntRange(0, 30), func(i int) corpora.DocID { return corpora.DocID(rune('a' + i)) })
	rapid.Check(t, func(t *rapid.T) {
		relevant := rapid.MapOfN(id, rapid.IntRange(1, 3), 1, 10).Draw(t, "relevant")
		j := judge(rapid.SliceOfNDistinct(id, 0, 20, rapid.ID).Draw(t, "ranking"), relevant)
		for _, m := range metrics {
			if x := m.score(j); x < 0 || x > 1+1e-12 || math.IsNaN(x) {
				t.Fatalf("%s = %v", m.name, x)
			}
		}
	})
}

func TestTallyAveragesOverWhatApplies(t *testing.T) {
	tally := newTally()
	tally.add("a", 1)
	tally.add("a", 0)
	tally.add("b", .25)
	if got := tally.means(); got["a"] != .5 || got["b"] != .25 || len(got) != 2 {
		t.Errorf("means %v", got)
	}
}
