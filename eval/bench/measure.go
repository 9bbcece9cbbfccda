package main

import (
	"slices"
	"time"
)

// times are how long calls took.
type times []time.Duration

func (t *times) measure(f func() error) error {
	begin := time.Now()
	err := f()
	*t = append(*t, time.Since(begin))
	return err
}

// percentile returns milliseconds.
func (t times) percentile(p float64) float64 {
	sorted := slices.Sorted(slices.Values(t))
	return ms(sorted[min(len(sorted)-1, int(p/100*float64(len(sorted))))])
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// figures are what was measured, in the order in which it was.
type figures struct {
	names  []string
	values map[string]float64

	prefixes []string // of the runs whose figures these are
}

func (f *figures) set(name string, value float64) {
	if f.values == nil {
		f.values = map[string]float64{}
	}
	if _, ok := f.values[name]; !ok {
		f.names = append(f.names, name)
	}
	f.values[name] = value
}

// latencies sets NAME_p50_ms, NAME_p95_ms and NAME_p99_ms.
func (f *figures) latencies(name string, t times) {
	f.set(name+"_p50_ms", t.percentile(50))
	f.set(name+"_p95_ms", t.percentile(95))
	f.set(name+"_p99_ms", t.percentile(99))
}

// figure is one of them as one process tells it to another.
type figure struct {
	Name  string
	Value float64
}

func (f *figures) list() []figure {
	out := make([]figure, len(f.names))
	for i, name := range f.names {
		out[i] = figure{name, f.values[name]}
	}
	return out
}

// ratio sets how many times as long the other took.
func (f *figures) ratio(name string, other, own float64) { f.set(name, other/own) }
