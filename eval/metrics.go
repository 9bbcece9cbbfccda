package eval

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"ken/corpora"
)

// Metrics are scores by name, each from 0 to 1.
type Metrics map[string]float64

// judged is one ranking as the metrics see it: the grades in rank order (0 for
// what is unjudged or not relevant), and the grades of all relevant documents,
// highest first, never empty.
type judged struct {
	grades []int
	ideal  []int
}

func judge(ranking []corpora.DocID, relevant map[corpora.DocID]int) judged {
	var j judged
	for _, id := range ranking {
		j.grades = append(j.grades, max(relevant[id], 0))
	}
	for _, grade := range relevant {
		if grade > 0 {
			j.ideal = append(j.ideal, grade)
		}
	}
	slices.SortFunc(j.ideal, func(a, b int) int { return b - a })
	return j
}

type metric struct {
	name  string
	score func(judged) float64
}

// defaultMetrics are measured in every run.
var defaultMetrics = [...]string{
	"ndcg@10", "map", "mrr@10", "recall@10", "recall@100", "precision@1", "precision@5", "precision@10", "hit@1", "hit@3", "hit@10",
}

// metricsNamed returns the default metrics and those named besides.
func metricsNamed(names []string) ([]metric, error) {
	var out []metric
	for _, name := range append(defaultMetrics[:], names...) {
		if slices.ContainsFunc(out, func(m metric) bool { return m.name == name }) {
			continue
		}
		m, err := metricNamed(name)
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
}

// CheckMetric returns an error unless name is a ranking metric: map, mrr, or
// ndcg, mrr, recall, precision, success or hit (the same) with @k.
func CheckMetric(name string) error {
	_, err := metricNamed(name)
	return err
}

// maxCut is the deepest k of a metric: more is beyond the depth of any ranking.
const maxCut = 10_000

func metricNamed(name string) (metric, error) {
	kind, cut, hasCut := strings.Cut(name, "@")
	k, err := strconv.Atoi(cut)
	valid := err == nil && k >= 1 && k <= maxCut && strconv.Itoa(k) == cut
	switch {
	case name == "map":
		return metric{name, judged.averagePrecision}, nil
	case name == "mrr":
		return metric{name, func(j judged) float64 { return j.reciprocalRank(len(j.grades)) }}, nil
	case !hasCut || !valid:
	case kind == "ndcg":
		return metric{name, func(j judged) float64 { return j.ndcg(k) }}, nil
	case kind == "mrr":
		return metric{name, func(j judged) float64 { return j.reciprocalRank(k) }}, nil
	case kind == "recall":
		return metric{name, func(j judged) float64 { return j.recall(k) }}, nil
	case kind == "precision":
		return metric{name, func(j judged) float64 { return j.precision(k) }}, nil
	case kind == "success" || kind == "hit":
		return metric{name, func(j judged) float64 { return j.hit(k) }}, nil
	}
	return metric{}, fmt.Errorf("metric %q: want map, mrr, or ndcg, mrr, recall, precision or success with @k, such as ndcg@10", name)
}

// ndcg is normalised discounted cumulative gain with linear gains (Järvelin
// and Kekäläinen, "Cumulated gain-based evaluation of IR techniques", 2002).
func (j judged) ndcg(k int) float64 { return dcg(j.grades, k) / dcg(j.ideal, k) }

func dcg(grades []int, k int) float64 {
	var sum float64
	for i, grade := range top(grades, k) {
		sum += float64(grade) / math.Log2(float64(i+2))
	}
	return sum
}

func (j judged) averagePrecision() float64 {
	var sum float64
	found := 0
	for i, grade := range j.grades {
		if grade > 0 {
			found++
			sum += float64(found) / float64(i+1)
		}
	}
	return sum / float64(len(j.ideal))
}

func (j judged) reciprocalRank(k int) float64 {
	for i, grade := range top(j.grades, k) {
		if grade > 0 {
			return 1 / float64(i+1)
		}
	}
	return 0
}

func (j judged) found(k int) float64 {
	n := 0
	for _, grade := range top(j.grades, k) {
		if grade > 0 {
			n++
		}
	}
	return float64(n)
}

func (j judged) recall(k int) float64    { return j.found(k) / float64(len(j.ideal)) }
func (j judged) precision(k int) float64 { return j.found(k) / float64(k) }
func (j judged) hit(k int) float64       { return min(j.found(k), 1) }

func top(grades []int, k int) []int { return grades[:min(k, len(grades))] }

// tally sums metrics over questions. A metric that does not apply to every
// question is averaged over those to which it does.
type tally struct {
	sum map[string]float64
	n   map[string]int
}

func newTally() *tally {
	return &tally{sum: make(map[string]float64), n: make(map[string]int)}
}

func (t *tally) add(name string, score float64) {
	t.sum[name] += score
	t.n[name]++
}

func (t *tally) means() Metrics {
	out := make(Metrics, len(t.sum))
	for name, sum := range t.sum {
		out[name] = sum / float64(t.n[name])
	}
	return out
}
