package gate

import (
	"fmt"
	"maps"
	"slices"

	"ken/eval"
	"ken/eval/stats"
	"ken/eval/suite"
)

// Options of a gate. The zero Options are the defaults.
type Options struct {
	Metrics      []string // nil is Gated
	Level        float64  // corrected p-value below which a loss is a regression; 0 is .05
	LatencyRatio float64  // slower by this factor at the median to count; 0 is 1.5
	LatencyMS    float64  // and by this much; 0 is 10 ms
	Seed         uint64   // 0 is stats.Seed
}

func (o Options) withDefaults() Options {
	if o.Metrics == nil {
		o.Metrics = Gated()
	}
	if o.Level == 0 {
		o.Level = .05
	}
	if o.LatencyRatio == 0 {
		o.LatencyRatio = 1.5
	}
	if o.LatencyMS == 0 {
		o.LatencyMS = 10
	}
	if o.Seed == 0 {
		o.Seed = stats.Seed
	}
	return o
}

// Check returns the gates of now against the baseline: those that now already
// has (thresholds and leaks), one for every tested metric, and one that fails
// for every run and question of the baseline that is missing, since a set that
// is no longer measured can hide anything.
func Check(baseline, now suite.Result, o Options) []suite.Gate {
	o = o.withDefaults()
	gates := slices.Clone(now.Gates)
	for _, run := range baseline.Runs {
		if run.System == suite.Ken {
			gates = append(gates, missing(run, now)...)
		}
	}
	for i := range gates {
		sinceBaseline(&gates[i], baseline, now, o.Seed)
	}
	for _, d := range Compare(baseline, now, o.Metrics, o.Seed) {
		gates = append(gates, o.gate(d, baseline, now))
	}
	return gates
}

// sinceBaseline names, for a threshold that was missed, the questions that lost
// most since the baseline in place of those with the lowest score, which may
// always have been low.
func sinceBaseline(g *suite.Gate, baseline, now suite.Result, seed uint64) {
	if g.Passed || g.Metric == "" {
		return
	}
	after, ok := same(now, suite.Run{System: suite.Ken, Mode: g.Mode, Report: eval.Report{Set: g.Set}})
	if !ok {
		return
	}
	before, ok := same(baseline, after)
	if !ok {
		return
	}
	if d, ok := difference(before, after, g.Metric, seed); ok && len(d.Worst) > 0 {
		g.Message += fmt.Sprintf("; the mean over questions was %.4f and is %.4f", d.A, d.B)
		g.Worst = worst(d)
	}
}

func worst(d Difference) []string {
	var out []string
	for _, c := range d.Worst[:min(shown, len(d.Worst))] {
		out = append(out, fmt.Sprintf("%s (%.3f -> %.3f)", c.Query, c.A, c.B))
	}
	return out
}

func missing(run suite.Run, now suite.Result) []suite.Gate {
	after, ok := same(now, run)
	if !ok {
		return []suite.Gate{{Kind: suite.KindMissing, Name: run.Name(), Message: "the baseline has this run, and the result does not"}}
	}
	asked := make(map[string]bool)
	for _, o := range after.Outcomes {
		asked[o.Label()] = true
	}
	var gone []string
	for _, o := range run.Outcomes {
		if !asked[o.Label()] {
			gone = append(gone, o.Label())
		}
	}
	if gone == nil {
		return nil
	}
	return []suite.Gate{{
		Kind: suite.KindMissing, Name: run.Name(), Worst: gone[:min(shown, len(gone))],
		Message: fmt.Sprintf("%d questions of the baseline were not asked", len(gone)),
	}}
}

// shown is how many questions a gate names.
const shown = 5

func (o Options) gate(d Difference, a, b suite.Result) suite.Gate {
	g := suite.Gate{Kind: suite.KindRegression, Name: d.Run + ": " + d.Metric, Passed: true}
	g.Message = fmt.Sprintf("%.4f -> %.4f (%+.4f, 95 %% interval %+.4f to %+.4f, p %.4f, corrected %.4f; %d questions better, %d worse)",
		d.A, d.B, d.Change, d.Interval.Low, d.Interval.High, d.P, d.PHolm, d.Wins, d.Losses)
	lost := better(d.Metric, Change{A: d.A, B: d.B}) < 0 && d.PHolm < o.Level
	if d.Metric == LatencyMetric {
		before, after := medians(d.Run, a), medians(d.Run, b)
		lost = lost && after[whole] > before[whole]*o.LatencyRatio && after[whole]-before[whole] > o.LatencyMS
		g.Message = fmt.Sprintf("median %.2f ms -> %.2f ms; %s; %s", before[whole], after[whole], slowest(before, after), g.Message)
	}
	if !lost {
		return g
	}
	g.Passed, g.Worst = false, worst(d)
	return g
}

// whole is the key of a whole search among the stages.
const whole = ""

// medians returns the median milliseconds of a run by stage.
func medians(run string, r suite.Result) map[string]float64 {
	out := make(map[string]float64)
	for _, x := range r.Runs {
		if x.System != suite.Ken || x.Name() != run {
			continue
		}
		out[whole] = x.LatencyMS.P50
		for stage, l := range x.StagesMS {
			out[stage] = l.P50
		}
	}
	return out
}

// slowest names the stage whose median grew most.
func slowest(before, after map[string]float64) string {
	worst, most := "", 0.0
	for _, stage := range slices.Sorted(maps.Keys(after)) {
		if grown := after[stage] - before[stage]; stage != whole && grown > most {
			worst, most = stage, grown
		}
	}
	if worst == "" {
		return "no stage is slower"
	}
	return fmt.Sprintf("stage %s %+.2f ms", worst, most)
}
