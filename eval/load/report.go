package load

import "ken/eval/latency"

// Report is how fast one system answers the questions of a set.
type Report struct {
	System    string `json:"system"`
	Set       string `json:"set"`
	Questions int    `json:"questions"` // pairs of a question and a person, asked in turn

	// ColdMS is the first question to a store that was just opened, whose own
	// caches are empty; those of the operating system are not. WarmMS is one
	// question at a time after all of them were asked once. StagesMS is where the
	// warm time went.
	ColdMS   *latency.Summary           `json:"cold_ms,omitempty"`
	WarmMS   latency.Summary            `json:"warm_ms"`
	WarmBars []latency.Bar              `json:"warm_histogram"`
	StagesMS map[string]latency.Summary `json:"stages_ms,omitempty"`

	InProcess Loaded  `json:"in_process"`
	MCP       *Loaded `json:"mcp,omitempty"` // through the protocol over HTTP on loopback, with a real client
}

// Loaded is what a system did under load.
type Loaded struct {
	At        Result      `json:"at"`                  // the rate that was asked for
	Sustained *Sustaining `json:"sustained,omitempty"` // nil if it was not looked for
}

// Sustaining is the highest rate at which the bound held.
type Sustaining struct {
	Bound Bound   `json:"bound"`
	Best  *Result `json:"best"` // nil if no rate held
	Tried int     `json:"tried"`
}
