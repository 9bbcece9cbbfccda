package latency

import (
	"math"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Longest is the longest time that is told apart; what takes longer counts as that.
const Longest = time.Minute

// digits are the decimal digits that are kept of a value.
const digits = 3

// Histogram is times. The zero Histogram is empty; it may be used by several
// goroutines.
type Histogram struct {
	mu sync.Mutex
	h  *hdrhistogram.Histogram
}

// Add adds a time.
func (h *Histogram) Add(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.h == nil {
		h.h = hdrhistogram.New(1, int64(Longest/time.Microsecond), digits)
	}
	_ = h.h.RecordValue(int64(min(max(d, time.Microsecond), Longest) / time.Microsecond)) // in range by construction
}

// Summary is what is reported of a histogram, in milliseconds.
type Summary struct {
	Count int64   `json:"count"`
	Mean  float64 `json:"mean"`
	P50   float64 `json:"p50"`
	P90   float64 `json:"p90"`
	P95   float64 `json:"p95"`
	P99   float64 `json:"p99"`
	P999  float64 `json:"p999"`
	Max   float64 `json:"max"`
}

// Summary returns the percentiles; all are 0 without a time.
func (h *Histogram) Summary() Summary {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.h == nil {
		return Summary{}
	}
	at := func(p float64) float64 { return float64(h.h.ValueAtPercentile(p)) / 1000 }
	return Summary{
		Count: h.h.TotalCount(), Mean: round(h.h.Mean() / 1000),
		P50: at(50), P90: at(90), P95: at(95), P99: at(99), P999: at(99.9), Max: float64(h.h.Max()) / 1000,
	}
}

func round(x float64) float64 { return math.Round(x*1000) / 1000 }

// Bar is the times from From milliseconds up to twice as many.
type Bar struct {
	From  float64 `json:"from"`
	Count int64   `json:"count"`
}

// Bars returns the histogram in steps that double, without the empty ones at
// either end.
func (h *Histogram) Bars() []Bar {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.h == nil {
		return nil
	}
	counts := map[int]int64{}
	first, last := math.MaxInt, math.MinInt
	for _, b := range h.h.Distribution() {
		if b.Count > 0 {
			i := int(math.Floor(math.Log2(float64(max(b.From, 1)) / 1000)))
			counts[i] += b.Count
			first, last = min(first, i), max(last, i)
		}
	}
	var out []Bar
	for i := first; i <= last; i++ {
		out = append(out, Bar{math.Exp2(float64(i)), counts[i]})
	}
	return out
}
