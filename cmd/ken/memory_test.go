package main

import (
	"math"
	"runtime/debug"
	"testing"
)

func TestParseSize(t *testing.T) {
	for text, want := range map[string]int64{
		"0": math.MaxInt64, "128MiB": 128 << 20, "2GiB": 2 << 30, "134217728": 128 << 20,
		"": -1, "1": -1, "127MiB": -1, "-1GiB": -1, "1GB": -1, "1.5GiB": -1, "9999999999999GiB": -1,
	} {
		got, err := parseSize(text)
		if err != nil {
			got = -1
		}
		if got != want {
			t.Errorf("%q: %d, %v, want %d", text, got, err, want)
		}
	}
}

// The flag counts more than the environment, and the environment more than the default.
func TestSetMemory(t *testing.T) {
	percent, limit := debug.SetGCPercent(100), debug.SetMemoryLimit(-1)
	t.Cleanup(func() { debug.SetGCPercent(percent); debug.SetMemoryLimit(limit) })
	for _, c := range []struct {
		name, gogc, gomemlimit string
		given, hosted          bool
		percent                int
		limit                  int64
	}{
		{"defaults", "", "", false, false, collectorPercent, 224 << 20},
		{"environment", "50", "300MiB", false, false, 50, 300 << 20},
		{"flag", "", "300MiB", true, false, collectorPercent, 224 << 20},
		{"carried out by a server", "", "", true, true, 50, 300 << 20},
	} {
		debug.SetGCPercent(50)
		debug.SetMemoryLimit(300 << 20) // as the runtime does for the environment
		p := &program{getenv: func(name string) string { return map[string]string{"GOGC": c.gogc, "GOMEMLIMIT": c.gomemlimit}[name] }}
		if c.hosted {
			p.host = &host{}
		}
		if err := p.setMemory("256MiB", c.given); err != nil {
			t.Fatal(err)
		}
		if got, limit := debug.SetGCPercent(50), debug.SetMemoryLimit(-1); got != c.percent || limit != c.limit {
			t.Errorf("%s: collector at %d %%, limit %d; want %d, %d", c.name, got, limit, c.percent, c.limit)
		}
	}
}

// A quarter of --memory is for what the index remembers.
func TestCacheMemory(t *testing.T) {
	percent, limit := debug.SetGCPercent(100), debug.SetMemoryLimit(-1)
	t.Cleanup(func() { debug.SetGCPercent(percent); debug.SetMemoryLimit(limit) })
	p := &program{getenv: func(string) string { return "" }}
	for memory, want := range map[string]int64{"0": 0, "1GiB": 1 << 28, "2GiB": 1 << 29} {
		if err := p.setMemory(memory, true); err != nil {
			t.Fatal(err)
		}
		if got := cacheMemory(); got != want {
			t.Errorf("--memory %s: %d bytes for what is remembered, want %d", memory, got, want)
		}
	}
}
