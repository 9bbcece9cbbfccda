package latency_test

import (
	"math"
	"testing"
	"time"

	"ken/eval/latency"
)

func TestSummary(t *testing.T) {
	var h latency.Histogram
	if got := h.Summary(); got != (latency.Summary{}) {
		t.Errorf("of nothing %+v", got)
	}
	for i := 1; i <= 1000; i++ {
		h.Add(time.Duration(i) * time.Millisecond)
	}
	got := h.Summary()
	for name, c := range map[string][2]float64{
		"p50": {got.P50, 500}, "p90": {got.P90, 900}, "p95": {got.P95, 950}, "p99": {got.P99, 990}, "p999": {got.P999, 999}, "max": {got.Max, 1000}, "mean": {got.Mean, 500.5},
	} {
		if math.Abs(c[0]-c[1])/c[1] > .001 {
			t.Errorf("%s %v, want %v to three digits", name, c[0], c[1])
		}
	}
	if got.Count != 1000 {
		t.Errorf("count %d", got.Count)
	}
}

// What is out of range is kept at its end and never lost.
func TestRange(t *testing.T) {
	var h latency.Histogram
	h.Add(0)
	h.Add(-time.Second)
	h.Add(time.Hour)
	if got := h.Summary(); got.Count != 3 || math.Abs(got.Max-60_000) > 60 {
		t.Errorf("%+v", got)
	}
}

func TestBars(t *testing.T) {
	var h latency.Histogram
	for _, d := range []time.Duration{1100 * time.Microsecond, 1900 * time.Microsecond, 9 * time.Millisecond} {
		h.Add(d)
	}
	bars := h.Bars()
	if len(bars) != 4 || bars[0] != (latency.Bar{From: 1, Count: 2}) || bars[1].Count != 0 || bars[3] != (latency.Bar{From: 8, Count: 1}) {
		t.Errorf("bars %+v", bars)
	}
}
