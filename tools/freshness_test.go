package tools

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"ken/corpora/acl"
)

// Answers name the sources of their results, and no source that whoever asks may
// know nothing of.
func TestFreshness(t *testing.T) {
	w := newWorld(t)
	fresh, stale, never := freshness{"handbook", "2026-11-20T08:30:00Z", false}, freshness{"wiki", "2026-11-16T09:30:00Z", true}, freshness{"hr", "", true}
	synced := func(context.Context) (map[string]time.Time, error) {
		return map[string]time.Time{"handbook": now.Add(-time.Hour), "wiki": now.AddDate(0, 0, -4), "other": now}, nil
	}
	broken := func(context.Context) (map[string]time.Time, error) { return nil, errors.New("damaged") }
	for _, c := range []struct {
		name   string
		who    acl.Principal
		source string
		told   func(context.Context) (map[string]time.Time, error)
		want   []freshness
	}{
		{"a source", bob, "handbook", synced, []freshness{fresh}},
		{"a stale one", bob, "wiki", synced, []freshness{stale}},
		{"one that was never read to its end", ann, "hr", synced, []freshness{never}},
		{"one that may not be read", bob, "hr", synced, nil},
		{"one without documents", bob, "other", synced, nil},
		{"it cannot be told", bob, "wiki", broken, nil},
		{"nobody tells", bob, "wiki", nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			session := dialPipe(t, w.server(Options{Freshness: c.told}), c.who, "")
			a := answerOf[searchAnswer](t, call(t, session, "search", map[string]any{"query": "leave severance plants", "source": []string{c.source}}))
			if (c.want != nil || c.told == nil) && c.source != "other" && len(a.Results) == 0 {
				t.Fatal("nothing was found: this test could not fail")
			}
			if !slices.Equal(a.Freshness, c.want) {
				t.Errorf("freshness %v, want %v", a.Freshness, c.want)
			}
		})
	}
}
