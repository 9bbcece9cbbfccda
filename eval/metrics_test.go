package eval

import (
	"math"
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
			known := make(map[string]bool)
			for _, m := range metrics() {
				known[m.name] = true
				if want, ok := c.want[m.name]; ok && math.Abs(m.score(j)-want) > 1e-6 {
					t.Errorf("%s = %.6f, want %.6f", m.name, m.score(j), want)
				}
			}
			for name := range c.want {
				if !known[name] {
					t.Errorf("there is no metric %s", name)
				}
			}
		})
	}
}

func TestMetricsStayInRange(t *testing.T) {
	id := rapid.Map(rapid.IntRange(0, 30), func(i int) corpora.DocID { return corpora.DocID(rune('a' + i)) })
	rapid.Check(t, func(t *rapid.T) {
		relevant := rapid.MapOfN(id, rapid.IntRange(1, 3), 1, 10).Draw(t, "relevant")
		j := judge(rapid.SliceOfNDistinct(id, 0, 20, rapid.ID).Draw(t, "ranking"), relevant)
		for _, m := range metrics() {
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
