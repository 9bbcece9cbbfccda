package eval

import (
	"maps"
	"slices"
	"time"

	"ken/retrieval"
)

// Report is the outcome of a run. As JSON its keys have a fixed order, and for
// the same set, parameters and model everything but LatencyMS is the same.
type Report struct {
	Set       string          `json:"set"`
	Queries   int             `json:"queries"` // scored questions, each counted per persona
	Metrics   Metrics         `json:"metrics"` // means over the scored questions
	Leaks     int             `json:"leaks"`
	LatencyMS Latency         `json:"latency_ms"`
	Personas  []PersonaReport `json:"personas,omitempty"`
	Degraded  map[string]int  `json:"degraded,omitempty"` // questions that a service did not answer
	Notes     []string        `json:"notes,omitempty"`
	Settings  map[string]any  `json:"settings"`
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
	questions int
	tally     *tally
	leaks     int
	latencies []time.Duration
	degraded  map[string]int
}

func newScorecard() *scorecard {
	return &scorecard{tally: newTally(), degraded: make(map[string]int)}
}

func (c *scorecard) score(j judged) {
	c.questions++
	for _, m := range metrics() {
		c.tally.add(m.name, m.score(j))
	}
}

func (c *scorecard) merge(other *scorecard) {
	c.questions += other.questions
	c.leaks += other.leaks
	c.latencies = append(c.latencies, other.latencies...)
	for name, sum := range other.tally.sum {
		c.tally.sum[name] += sum
		c.tally.n[name] += other.tally.n[name]
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
}

// percentiles are by nearest rank.
func percentiles(latencies []time.Duration) Latency {
	sorted := slices.Sorted(slices.Values(latencies))
	at := func(percent int) float64 {
		if len(sorted) == 0 {
			return 0
		}
		rank := (percent*len(sorted) + 99) / 100
		return float64(sorted[rank-1].Microseconds()) / 1000
	}
	return Latency{P50: at(50), P95: at(95), P99: at(99)}
}

// settings is everything that decides the ranking, by name.
func (r *runner) settings() map[string]any {
	out := r.searcher.Params.Settings()
	maps.Copy(out, r.Settings)
	out["mode"] = string(r.Mode)
	out["model"] = "none"
	if e := r.Retrieval.Embedder; e != nil {
		m := e.Model()
		out["model"], out["model_hash"] = m.Name, m.Hash
		if r.searcher.Params.Alpha == retrieval.ModelAlpha {
			out["alpha"] = m.Fuse
		}
	}
	return out
}
