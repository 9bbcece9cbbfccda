package main

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/schollz/progressbar/v3"

	"ken/index/ingest"
)

// bar is a bar on a terminal, and nothing elsewhere.
type bar struct{ *progressbar.ProgressBar }

func newBar(out io.Writer, unit string) bar {
	if !isTerminal(out) {
		return bar{}
	}
	return bar{progressbar.NewOptions(-1, progressbar.OptionSetWriter(out), progressbar.OptionShowCount(), progressbar.OptionShowIts(),
		progressbar.OptionSetItsString(unit), progressbar.OptionSetPredictTime(true), progressbar.OptionClearOnFinish(),
		progressbar.OptionThrottle(100*time.Millisecond))}
}

func (b bar) show(done, of int) {
	if b.ProgressBar == nil {
		return
	}
	if of > 0 && b.GetMax() != of {
		b.ChangeMax(of)
	}
	_ = b.Set(done) // only drawing can fail
}

func (b bar) finish() {
	if b.ProgressBar != nil {
		_ = b.Finish()
	}
}

// progress shows how far an ingest is: a bar on a terminal, else a line of JSON
// every few seconds.
type progress struct {
	bar
	out  io.Writer
	last time.Duration // when the last line was written
}

// progressEvery is the time between two lines of JSON.
const progressEvery = 5 * time.Second

func newProgress(out io.Writer) *progress { return &progress{bar: newBar(out, "docs"), out: out} }

func (p *progress) show(now ingest.Progress) {
	if p.ProgressBar != nil {
		total := now.Listed
		if now.Listing {
			total = 0 // not known yet
		}
		p.bar.show(now.Done, total)
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
