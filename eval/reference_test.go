package eval

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"ken/corpora"
)

// Forty rankings, graded, tied and with unjudged documents, against the values
// of another implementation of trec_eval's definitions (testdata/reference.py).
func TestMetricsOnWholeRankings(t *testing.T) {
	data, err := os.ReadFile("testdata/metrics.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Ranking []corpora.DocID
		Qrels   map[corpora.DocID]int
		Want    Metrics
	}
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	checked := 0
	for i, c := range cases {
		j := judge(c.Ranking, c.Qrels)
		for name, want := range c.Want {
			checked++
			if got := measure(t, name, j); math.Abs(got-want) > 1e-6 {
				t.Errorf("case %d: %s = %.9f, want %.9f", i, name, got, want)
			}
		}
	}
	if len(cases) < 30 || checked < 1000 {
		t.Errorf("%d cases with %d values: too few", len(cases), checked)
	}
}
