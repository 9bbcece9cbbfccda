package eval

import (
	"maps"
	"slices"

	"ken/corpora"
	"ken/retrieval"
)

// Report is the outcome of a run. As JSON its keys have a fixed order, and for
// the same set, parameters and model everything but LatencyMS is the same.
type Report struct {
	Set       string             `json:"set"`
	Queries   int                `json:"queries"` // scored questions, each counted per persona
	Metrics   Metrics            `json:"metrics"` // means over the scored questions
	Leaks     int                `json:"leaks"`
	LatencyMS Latency            `json:"latency_ms"`
	StagesMS  map[string]Latency `json:"stages_ms,omitempty"` // where the time went; see Stages
	Personas  []PersonaReport    `json:"personas,omitempty"`
	Degraded  map[string]int     `json:"degraded,omitempty"` // questions that a service did not answer
	Notes     []string           `json:"notes,omitempty"`
	Settings  map[string]any     `json:"settings"`
	Outcomes  []Outcome          `json:"outcomes,omitempty"` // every question as every persona
}

// Outcome is what one persona got for one question.
type Outcome struct {
	Query     string             `json:"query"`
	Persona   string             `json:"persona,omitempty"`
	Text      string             `json:"text"`
	Metrics   Metrics            `json:"metrics"` // those that apply to the question
	LatencyMS float64            `json:"latency_ms"`
	StagesMS  map[string]float64 `json:"stages_ms,omitempty"`
	Leaks     int                `json:"leaks,omitempty"`
	Expected  []corpora.DocID    `json:"expected,omitempty"` // relevant and readable
	Top       []Place            `json:"top,omitempty"`      // the best documents
	Answer    *Answering         `json:"answer,omitempty"`   // nil if the set does not say whether there is an answer
}

// Place is a document of a ranking with the parts of its score.
type Place struct {
	Document corpora.DocID `json:"document"`
	Score    float64       `json:"score"`
	Lexical  float64       `json:"lexical"`
	Vector   float64       `json:"vector"`
}

// kept is how many places of a ranking an Outcome keeps.
const kept = 5

func places(ranked []retrieval.Ranked) []Place {
	var out []Place
	seen := make(map[corpora.DocID]bool)
	for _, c := range ranked {
		if len(out) == kept {
			break
		}
		if !seen[c.Doc] {
			seen[c.Doc] = true
			out = append(out, Place{c.Doc, c.Score, c.Lexical, c.Vector})
		}
	}
	return out
}

func (o *Outcome) score(j judged, metrics []metric) {
	for _, m := range metrics {
		o.Metrics[m.name] = m.score(j)
	}
}

// PersonaReport is the part of one persona.
type PersonaReport struct {
	Name      string  `json:"name"`
	Queries   int     `json:"queries"`
	Metrics   Metrics `json:"metrics"`
	Leaks     int     `json:"leaks"`
	LatencyMS Latency `json:"latency_ms"`
}

// Latency is percentiles in milliseconds of one whole search, one at a time:
// from the request to the packed answer, without transport.
type Latency struct {
	P50 float64 `json:"p50"`
	P95 float64 `json:"p95"`
	P99 float64 `json:"p99"`
}

// scorecard collects what one persona got.
type scorecard struct {
	questions int // with something to find
	tally     *tally
	leaks     int
	latencies []float64
	degraded  map[string]int
	outcomes  []Outcome
}

func newScorecard() *scorecard {
	return &scorecard{tally: newTally(), degraded: make(map[string]int)}
}

func (c *scorecard) add(o Outcome) {
	if len(o.Expected) > 0 {
		c.questions++
	}
	c.leaks += o.Leaks
	c.latencies = append(c.latencies, o.LatencyMS)
	for _, name := range slices.Sorted(maps.Keys(o.Metrics)) {
		c.tally.add(name, o.Metrics[name])
	}
	c.outcomes = append(c.outcomes, o)
}

func (c *scorecard) merge(other *scorecard) {
	for _, o := range other.outcomes {
		c.add(o)
	}
	for service, n := range other.degraded {
		c.degraded[service] += n
	}
}

func (c *scorecard) persona(name string) PersonaReport {
	return PersonaReport{
		Name: name, Queries: c.questions, Metrics: c.tally.means(), Leaks: c.leaks, LatencyMS: percentiles(c.latencies),
	}
}

func (r *Report) fill(c *scorecard) {
	r.Queries, r.Metrics, r.Leaks, r.LatencyMS = c.questions, c.tally.means(), c.leaks, percentiles(c.latencies)
	r.Degraded = maps.Clone(c.degraded)
	r.StagesMS = stagePercentiles(c.outcomes)
	r.Outcomes = c.outcomes
}

// percentiles are by nearest rank.
func percentiles(latencies []float64) Latency {
	sorted := slices.Sorted(slices.Values(latencies))
	at := func(percent int) float64 {
		if len(sorted) == 0 {
			return 0
		}
		rank := (percent*len(sorted) + 99) / 100
		return sorted[rank-1]
	}
	return Latency{P50: at(50), P95: at(95), P99: at(99)}
}

// settings is everything that decides the ranking, by name.
func (r *runner) settings() map[string]any {
	params := r.Retrieval.Params
	if params == (retrieval.Params{}) {
		params = retrieval.DefaultParams()
	}
	out := params.Settings()
	maps.Copy(out, r.Settings)
	out["mode"] = string(r.Mode)
	out["model"] = "none"
	if e := r.Retrieval.Embedder; e != nil {
		m := e.Model()
		out["model"], out["model_hash"] = m.Name, m.Hash
		if params.Alpha == retrieval.ModelAlpha {
			out["alpha"] = m.Fuse
		}
	}
	return out
}
