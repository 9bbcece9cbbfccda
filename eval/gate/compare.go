package gate

import (
	"cmp"
	"maps"
	"slices"

	"ken/eval"
	"ken/eval/stats"
	"ken/eval/suite"
)

// Difference is how one metric of one run changed from a to b.
type Difference struct {
	Run       string         `json:"run"` // set and mode
	Metric    string         `json:"metric"`
	Questions int            `json:"questions"` // asked in both
	A         float64        `json:"a"`
	B         float64        `json:"b"`
	Change    float64        `json:"change"` // mean of b - a over questions
	Interval  stats.Interval `json:"interval"`
	P         float64        `json:"p"`      // two-sided, of this test alone
	PHolm     float64        `json:"p_holm"` // corrected for all tests of the comparison
	Wins      int            `json:"wins"`   // questions that are better in b
	Losses    int            `json:"losses"`
	Worst     []Change       `json:"worst,omitempty"` // greatest losses first
}

// Change is what became of one question, over all who ask it.
type Change struct {
	Query string  `json:"query"`
	A     float64 `json:"a"`
	B     float64 `json:"b"`
}

// Gated are the metrics that are tested unless others are named. Fewer tests
// leave each of them more power.
func Gated() []string {
	return []string{"ndcg@10", "recall@100", "answer@1000", "superseded_error", LatencyMetric}
}

// LatencyMetric is the time of a search in milliseconds.
const LatencyMetric = "latency_ms"

// Compare tests the metrics on every run of ken that is in both results.
// Differences are in the order of the runs of b and of the metrics.
func Compare(a, b suite.Result, metrics []string, seed uint64) []Difference {
	var out []Difference
	for _, after := range b.Runs {
		before, ok := same(a, after)
		if !ok || after.System != suite.Ken {
			continue
		}
		for _, metric := range metrics {
			if d, ok := difference(before, after, metric, seed); ok {
				out = append(out, d)
			}
		}
	}
	ps := make([]float64, len(out))
	for i := range out {
		ps[i] = out[i].P
	}
	for i, p := range stats.Holm(ps) {
		out[i].PHolm = p
	}
	return out
}

func same(r suite.Result, run suite.Run) (suite.Run, bool) {
	i := slices.IndexFunc(r.Runs, func(x suite.Run) bool {
		return x.System == run.System && x.Set == run.Set && x.Mode == run.Mode
	})
	if i < 0 {
		return suite.Run{}, false
	}
	return r.Runs[i], true
}

func difference(a, b suite.Run, metric string, seed uint64) (Difference, bool) {
	d := Difference{Run: b.Name(), Metric: metric}
	var changes []float64
	for _, c := range pairs(a, b, metric) {
		d.A += c.A
		d.B += c.B
		changes = append(changes, c.B-c.A)
		switch gain := better(metric, c); {
		case gain > 0:
			d.Wins++
		case gain < 0:
			d.Losses++
			d.Worst = append(d.Worst, c)
		}
	}
	if d.Questions = len(changes); d.Questions == 0 {
		return d, false
	}
	d.A, d.B, d.Change = d.A/float64(d.Questions), d.B/float64(d.Questions), stats.Mean(changes)
	d.P, d.Interval = stats.Randomisation(changes, seed), stats.Bootstrap(changes, seed)
	slices.SortStableFunc(d.Worst, func(x, y Change) int { return cmp.Compare(better(metric, x), better(metric, y)) })
	return d, true
}

// better is how much the question gained, below 0 if it lost.
func better(metric string, c Change) float64 {
	if metric == LatencyMetric || eval.LowerIsBetter(metric) {
		return c.A - c.B
	}
	return c.B - c.A
}

// pairs gives the mean of each question over those people who asked it in both
// runs, in the order of ids.
func pairs(a, b suite.Run, metric string) []Change {
	type key struct{ query, persona string }
	before := make(map[key]float64)
	for _, o := range a.Outcomes {
		if x, ok := value(o, metric); ok {
			before[key{o.Query, o.Persona}] = x
		}
	}
	type sums struct{ a, b, n float64 }
	byQuery := make(map[string]sums)
	for _, o := range b.Outcomes {
		x, ok := before[key{o.Query, o.Persona}]
		y, ok2 := value(o, metric)
		if !ok || !ok2 {
			continue
		}
		s := byQuery[o.Query]
		byQuery[o.Query] = sums{s.a + x, s.b + y, s.n + 1}
	}
	var out []Change
	for _, query := range slices.Sorted(maps.Keys(byQuery)) {
		s := byQuery[query]
		out = append(out, Change{query, s.a / s.n, s.b / s.n})
	}
	return out
}

func value(o eval.Outcome, metric string) (float64, bool) {
	if metric == LatencyMetric {
		return o.LatencyMS, true
	}
	x, ok := o.Metrics[metric]
	return x, ok
}
