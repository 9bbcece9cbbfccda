package main

import (
	"math"
	"runtime/debug"
	"strconv"
	"strings"
)

// The collector. A search makes little garbage on a small heap, and with Go's
// default of 100 % the collector costs more than the search: it runs at 400 %
// instead, and in return the heap has a limit, near which it runs more often.
// Index files are mapped and do not count.
const (
	collectorPercent = 400
	defaultMemory    = "1GiB"
)

// setMemory sets the collector for --memory. What GOGC and GOMEMLIMIT say counts
// more than the defaults, and the flag more than both. A command that a server
// carries out leaves the server's memory alone.
func (p *program) setMemory(flag string, given bool) error {
	if p.host != nil {
		return nil
	}
	limit, err := parseSize(flag)
	if err != nil {
		return err
	}
	if p.getenv("GOGC") == "" {
		debug.SetGCPercent(collectorPercent)
	}
	if given || p.getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(collectorLimit(limit))
	}
	return nil
}

// collectorLimit is how much of --memory the collector may let the heap grow to. While
// documents are written it takes all that it may; the process has more than a heap.
func collectorLimit(memory int64) int64 {
	if memory == math.MaxInt64 {
		return memory
	}
	return memory - memory/8
}

// cacheMemory is how much of the limit the index may take for what it remembers: two
// sevenths, which is a quarter of --memory; 0, which is its own choice, without a limit.
func cacheMemory() int64 {
	limit := debug.SetMemoryLimit(-1)
	if limit == math.MaxInt64 {
		return 0
	}
	return limit / 7 * 2
}

// leastMemory is what the store's own buffers take.
const leastMemory = 128 << 20

// parseSize reads a number of bytes like 512MiB or 2GiB; "0" is no limit.
func parseSize(text string) (int64, error) {
	if text == "0" {
		return math.MaxInt64, nil
	}
	number, unit := text, int64(1)
	for suffix, factor := range map[string]int64{"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30} {
		if rest, ok := strings.CutSuffix(text, suffix); ok {
			number, unit = rest, factor
		}
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n > math.MaxInt64/unit || n*unit < leastMemory {
		return 0, usage("--memory %q: want a size of 128MiB or more, as 512MiB or 2GiB, or 0 for no limit", text)
	}
	return n * unit, nil
}
