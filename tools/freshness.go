package tools

import (
	"context"
	"maps"
	"slices"
	"time"

	"ken/retrieval"
)

// StaleAfter is the age from which on a source counts as stale.
const StaleAfter = 72 * time.Hour

// freshness is when a source was last read to its end.
type freshness struct {
	Source string `json:"source"`
	Synced string `json:"synced,omitempty"`
	Stale  bool   `json:"stale"`
}

// freshness tells of the sources of the results, in order of their names, and of
// no other: that there is another source may be what the person must not know. If
// it cannot be told, the answer goes without.
func (s surface) freshness(ctx context.Context, results []retrieval.Result) []freshness {
	if s.opts.Freshness == nil || len(results) == 0 {
		return nil
	}
	synced, err := s.opts.Freshness(ctx)
	if err != nil {
		s.opts.Log.Warn("when sources were read cannot be told", "error", err)
		return nil
	}
	sources := map[string]bool{}
	for _, r := range results {
		sources[r.Document.Source] = true
	}
	var out []freshness
	for _, name := range slices.Sorted(maps.Keys(sources)) {
		at := synced[name]
		out = append(out, freshness{Source: line(name), Synced: instant(at), Stale: s.opts.Clock().Sub(at) > StaleAfter})
	}
	return out
}
