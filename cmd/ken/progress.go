package main

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/schollz/progressbar/v3"

	"ken/index/ingest"
)

// progress shows how far an ingest is: a bar on a terminal, else a line of JSON
// every few seconds.
type progress struct {
	out  io.Writer
	bar  *progressbar.ProgressBar // nil if out is no terminal
	last time.Duration            // when the last line was written
}

// progressEvery is the time between two lines of JSON.
const progressEvery = 5 * time.Second

func newProgress(out io.Writer) *progress {
	p := &progress{out: out}
	if isTerminal(out) {
		p.bar = progressbar.NewOptions(-1, progressbar.OptionSetWriter(out), progressbar.OptionSetDescription("ingest"),
			progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetItsString("docs"),
			progressbar.OptionSetPredictTime(true), progressbar.OptionClearOnFinish(), progressbar.OptionThrottle(100*time.Millisecond))
	}
	return p
}

func (p *progress) show(now ingest.Progress) {
	if p.bar != nil {
		if !now.Listing && p.bar.GetMax() != now.Listed {
			p.bar.ChangeMax(now.Listed)
		}
		_ = p.bar.Set(now.Done) // only drawing can fail
		return
	}
	if now.Elapsed-p.last >= progressEvery {
		p.last = now.Elapsed
		p.line(now)
	}
}

// line writes the progress with the rate so far, and the time that is left at
// that rate once the number of documents is known.
func (p *progress) line(now ingest.Progress) {
	out := struct {
		Done    int     `json:"done"`
		Listed  int     `json:"listed"`
		Chunks  int     `json:"chunks"`
		Bytes   int64   `json:"bytes"`
		Seconds float64 `json:"seconds"`
		Rate    float64 `json:"documents_per_second"`
		ETA     float64 `json:"eta_seconds,omitempty"`
	}{now.Done, now.Listed, now.Chunks, now.Bytes, now.Elapsed.Seconds(), 0, 0}
	if out.Seconds > 0 {
		out.Rate = float64(now.Done) / out.Seconds
	}
	if !now.Listing && out.Rate > 0 {
		out.ETA = float64(now.Listed-now.Done) / out.Rate
	}
	if text, err := json.Marshal(map[string]any{"progress": out}); err == nil {
		fmt.Fprintf(p.out, "%s\n", text)
	}
}

func (p *progress) finish() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}
