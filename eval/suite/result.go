package suite

import (
	"fmt"
	"slices"

	"ken/eval"
)

// Result is the outcome of a suite: what eval.json holds.
type Result struct {
	Suite        string  `json:"suite"`
	Accuracy     float64 `json:"accuracy"`      // over all sets with answers; see eval.Abstention
	Leaks        int     `json:"leaks"`         // in all runs
	AbstentionF1 float64 `json:"abstention_f1"` // on the questions that the threshold was not calibrated on
	GatesFailed  int     `json:"gates_failed"`
	Gates        []Gate  `json:"gates"`
	Answers      Answers `json:"answers"`

	// Baseline are the answers of plain RAG, nil if it was not asked for.
	Baseline *Answers `json:"baseline,omitempty"`
	Runs     []Run    `json:"runs"`

	// Trend are the stored points of earlier runs and this one, oldest first.
	Trend []Point `json:"trend,omitempty"`
}

// Answers is the accuracy of one system.
type Answers struct {
	System     string           `json:"system"`
	Calibrated eval.Abstention  `json:"calibrated"` // the half that gave the threshold
	HeldOut    eval.Abstention  `json:"held_out"`   // the other half
	Swapped    eval.Abstention  `json:"swapped"`    // the half that gave the threshold, at the threshold that the other would give
	All        eval.Abstention  `json:"all"`        // every question of every set
	Sets       []SetAnswers     `json:"sets"`
	Personas   []PersonaAnswers `json:"personas,omitempty"`
}

// SetAnswers is the part of one set.
type SetAnswers struct {
	Set string `json:"set"`
	eval.Abstention
}

// PersonaAnswers is the part of one persona of one set.
type PersonaAnswers struct {
	Set     string `json:"set"`
	Persona string `json:"persona"`
	eval.Abstention
}

// The systems that are measured.
const (
	Ken   = "ken"
	Plain = "plain RAG"
)

// Run is the report of one system on one set in one mode.
type Run struct {
	System string `json:"system"`
	Mode   string `json:"mode"`
	eval.Report
}

// Name tells runs of a result apart.
func (r Run) Name() string {
	if r.System != Ken {
		return r.Set + ", " + r.System
	}
	return r.Set + ", " + r.Mode
}

// Kinds of gates.
const (
	KindThreshold  = "threshold"
	KindLeak       = "leak"
	KindRegression = "regression"
	KindMissing    = "missing"
)

// Gate is a condition that held or did not.
type Gate struct {
	Kind    string   `json:"kind"`
	Name    string   `json:"name"` // "pegelwick, hybrid: ndcg@10"
	Passed  bool     `json:"passed"`
	Message string   `json:"message"`
	Worst   []string `json:"worst,omitempty"` // the questions that speak most against it

	// Of a threshold on a run: where its figure stands in the Result.
	Set    string `json:"set,omitempty"`
	Mode   string `json:"mode,omitempty"`
	Metric string `json:"metric,omitempty"`
}

// answers scores one system: the threshold comes from the first half of the set
// named calibrate. There is one run per set.
func answers(system, calibrate string, runs []Run) Answers {
	a := Answers{System: system}
	var all []eval.Outcome
	i := slices.IndexFunc(runs, func(r Run) bool { return r.Set == calibrate })
	if i < 0 {
		return a
	}
	half, other := eval.Halves(runs[i].Outcomes)
	threshold := eval.Calibrate(half)
	a.Calibrated, a.HeldOut = eval.Abstain(half, threshold), eval.Abstain(other, threshold)
	a.Swapped = eval.Abstain(half, eval.Calibrate(other))
	for _, r := range runs {
		got := eval.Abstain(r.Outcomes, threshold)
		if got.Questions == 0 {
			continue
		}
		all = append(all, r.Outcomes...)
		a.Sets = append(a.Sets, SetAnswers{r.Set, got})
		for _, p := range r.Personas {
			of := slices.DeleteFunc(slices.Clone(r.Outcomes), func(o eval.Outcome) bool { return o.Persona != p.Name })
			a.Personas = append(a.Personas, PersonaAnswers{r.Set, p.Name, eval.Abstain(of, threshold)})
		}
	}
	a.All = eval.Abstain(all, threshold)
	return a
}

// Fail counts the gates that did not hold.
func (r *Result) Fail(gates ...Gate) {
	r.Gates = append(r.Gates, gates...)
	r.GatesFailed = 0
	for _, g := range r.Gates {
		if !g.Passed {
			r.GatesFailed++
		}
	}
}

// figure finds a figure of a run, or of a persona in it, by name.
func figure(r Run, persona, name string) (float64, bool) {
	metrics, latency, leaks := r.Metrics, r.LatencyMS, r.Leaks
	if persona != "" {
		i := slices.IndexFunc(r.Personas, func(p eval.PersonaReport) bool { return p.Name == persona })
		if i < 0 {
			return 0, false
		}
		metrics, latency, leaks = r.Personas[i].Metrics, r.Personas[i].LatencyMS, r.Personas[i].Leaks
	}
	switch name {
	case "leaks":
		return float64(leaks), true
	case "p50_ms":
		return latency.P50, true
	case "p95_ms":
		return latency.P95, true
	case "p99_ms":
		return latency.P99, true
	}
	x, ok := metrics[name]
	return x, ok
}

// headline finds a figure of the whole suite by name.
func (r Result) headline(name string) (float64, bool) {
	switch name {
	case "accuracy":
		return r.Accuracy, true
	case "accuracy_strict":
		return r.Answers.All.Strict, true
	case "abstention_f1":
		return r.AbstentionF1, true
	}
	return 0, false
}

// check holds the thresholds against the result.
func (s Suite) check(r Result) []Gate {
	var gates []Gate
	for _, t := range s.Thresholds {
		before := len(gates)
		if x, ok := r.headline(t.Metric); ok {
			gates = append(gates, t.gate("all sets", x, nil))
		}
		for _, run := range r.Runs {
			if run.System != Ken || t.Set != "" && t.Set != run.Set || run.Mode != t.mode(s, run.Set) {
				continue
			}
			if x, ok := figure(run, t.Persona, t.Metric); ok {
				g := t.gate(run.Name(), x, worst(run, t.Persona, t.Metric))
				g.Set, g.Mode, g.Metric = run.Set, run.Mode, t.Metric
				gates = append(gates, g)
			}
		}
		if len(gates) == before {
			gates = append(gates, Gate{Kind: KindMissing, Name: t.Metric, Message: t.Metric + " was not measured in any run that the threshold is for"})
		}
	}
	for _, run := range r.Runs {
		if run.System == Ken {
			gates = append(gates, leakGate(run))
		}
	}
	return gates
}

func (t Threshold) mode(s Suite, set string) string {
	if t.Mode != "" {
		return t.Mode
	}
	i := slices.IndexFunc(s.Sets, func(x Set) bool { return x.Name == set })
	return string(s.Sets[i].Modes[0])
}

func (t Threshold) gate(where string, x float64, worst []string) Gate {
	if t.Persona != "" {
		where += ", " + t.Persona
	}
	g := Gate{Kind: KindThreshold, Name: where + ": " + t.Metric, Passed: true, Message: fmt.Sprintf("%.4f", x)}
	if t.Min != nil {
		g.Passed = x >= *t.Min
		g.Message += fmt.Sprintf(", at least %g", *t.Min)
	}
	if t.Max != nil {
		g.Passed = g.Passed && x <= *t.Max
		g.Message += fmt.Sprintf(", at most %g", *t.Max)
	}
	if !g.Passed {
		g.Worst = worst
	}
	return g
}

func leakGate(r Run) Gate {
	g := Gate{Kind: KindLeak, Name: r.Name() + ": leaks", Passed: r.Leaks == 0, Message: fmt.Sprintf("%d leaks", r.Leaks)}
	for _, o := range r.Outcomes {
		if o.Leaks > 0 && len(g.Worst) < worstShown {
			g.Worst = append(g.Worst, o.Label())
		}
	}
	return g
}

// worstShown is how many questions a gate names.
const worstShown = 5

// worst names the questions with the lowest score; for errors, the highest.
func worst(r Run, persona, metric string) []string {
	var with []eval.Outcome
	for _, o := range r.Outcomes {
		if _, ok := o.Metrics[metric]; ok && (persona == "" || persona == o.Persona) {
			with = append(with, o)
		}
	}
	sign := 1.0
	if eval.LowerIsBetter(metric) {
		sign = -1
	}
	slices.SortStableFunc(with, func(a, b eval.Outcome) int {
		return compare(sign*a.Metrics[metric], sign*b.Metrics[metric])
	})
	var out []string
	for _, o := range with[:min(worstShown, len(with))] {
		out = append(out, fmt.Sprintf("%s (%.3f)", o.Label(), o.Metrics[metric]))
	}
	return out
}

func compare(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
