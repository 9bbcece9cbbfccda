package report

import (
	"fmt"

	"ken/eval"
	"ken/eval/suite"
)

// Row compares ken with plain RAG in one figure.
type Row struct {
	Name, Ken, Plain string
	Better           string // the one with the better figure, or "equal"
}

// Compare returns the figures in which ken and plain RAG can be compared: the
// headlines first, then those of each set, in ken's first mode.
func Compare(r suite.Result) []Row {
	if r.Baseline == nil {
		return nil
	}
	a, b := r.Answers.All, r.Baseline.All
	rows := []Row{
		row("accuracy", a.Accuracy, b.Accuracy, false),
		row("accuracy, refusing an answerable question is an error", a.Strict, b.Strict, false),
		row("abstention F1, held-out half", r.Answers.HeldOut.F1, r.Baseline.HeldOut.F1, false),
	}
	seen := make(map[string]bool)
	for _, ken := range r.Runs {
		plain, ok := plainRun(r, ken.Set)
		if ken.System != suite.Ken || seen[ken.Set] || !ok {
			continue
		}
		seen[ken.Set] = true
		for _, m := range append([]string{"ndcg@10", "hit@3", "recall@10"}, columns[3:]...) {
			x, ok1 := ken.Metrics[m]
			y, ok2 := plain.Metrics[m]
			if ok1 && ok2 {
				rows = append(rows, row(ken.Set+": "+m, x, y, eval.LowerIsBetter(m)))
			}
		}
		rows = append(rows,
			row(ken.Set+": p50 ms", ken.LatencyMS.P50, plain.LatencyMS.P50, true),
			row(ken.Set+": p95 ms", ken.LatencyMS.P95, plain.LatencyMS.P95, true),
			row(ken.Set+": leaks", float64(ken.Leaks), float64(plain.Leaks), true))
	}
	return rows
}

func plainRun(r suite.Result, set string) (suite.Run, bool) {
	for _, run := range r.Runs {
		if run.System == suite.Plain && run.Set == set {
			return run, true
		}
	}
	return suite.Run{}, false
}

func row(name string, ken, plain float64, lower bool) Row {
	out := Row{Name: name, Ken: fmt.Sprintf("%.3f", ken), Plain: fmt.Sprintf("%.3f", plain), Better: suite.Ken}
	if out.Ken == out.Plain {
		out.Better = "equal"
	} else if ken < plain != lower {
		out.Better = suite.Plain
	}
	return out
}
