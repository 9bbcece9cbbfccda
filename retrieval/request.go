package retrieval

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Limits of a request.
const (
	MaxQuery      = 8 << 10 // bytes
	DefaultLimit  = 10      // documents
	MaxLimit      = 50
	DefaultBudget = 2_000 // tokens
	MaxBudget     = 20_000
	maxFilter     = 1_000 // values in one filter field
)

// withDefaults fills in the zero values.
func (r Request) withDefaults() Request {
	if r.Mode == "" {
		r.Mode = Hybrid
	}
	if r.Limit == 0 {
		r.Limit = DefaultLimit
	}
	if r.Budget == 0 {
		r.Budget = DefaultBudget
	}
	return r
}

// validate expects the defaults to be in place. Values out of range are
// refused, not bent into range: whoever asks for a billion documents should
// learn that there is a limit.
func (r Request) validate() error {
	if err := validateQuery(r.Query); err != nil {
		return err
	}
	switch r.Mode {
	case Hybrid, Lexical, Vector:
	default:
		return bad("mode %q is unknown: use %s, %s or %s", clip(string(r.Mode)), Hybrid, Lexical, Vector)
	}
	if r.Limit < 1 || r.Limit > MaxLimit {
		return bad("limit %d is out of range: ask for 1 to %d documents", r.Limit, MaxLimit)
	}
	if r.Budget < 1 || r.Budget > MaxBudget {
		return bad("budget %d is out of range: ask for 1 to %d tokens", r.Budget, MaxBudget)
	}
	if r.Quota < 0 {
		return bad("quota %d is negative: use 0 for no quota", r.Quota)
	}
	return r.validateFilter()
}

func validateQuery(query string) error {
	switch {
	case len(query) > MaxQuery:
		return bad("the query has %d bytes, more than %d: ask a shorter question", len(query), MaxQuery)
	case !utf8.ValidString(query):
		return bad("the query is not valid UTF-8: send it as UTF-8 text")
	case strings.TrimSpace(query) == "":
		return bad("the query is empty: say what to look for")
	}
	return nil
}

func (r Request) validateFilter() error {
	f := r.Filter
	for _, field := range []struct {
		name string
		n    int
	}{
		{"sources", len(f.Sources)}, {"paths", len(f.Paths)}, {"media types", len(f.MediaTypes)},
		{"languages", len(f.Languages)}, {"tags", len(f.Tags)}, {"classes", len(f.Classes)}, {"documents", len(f.Documents)}, {"phrases", len(f.Phrases)},
	} {
		if field.n > maxFilter {
			return bad("the filter names %d %s, more than %d: name fewer", field.n, field.name, maxFilter)
		}
	}
	if !f.After.IsZero() && !f.Before.IsZero() && !f.After.Before(f.Before) {
		return bad("the filter's dates leave nothing: after must be earlier than before")
	}
	return nil
}

func bad(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrQuery, fmt.Sprintf(format, args...))
}

// clip shortens what a client sent before it is quoted back.
func clip(s string) string {
	s = strings.ToValidUTF8(s, "?")
	if len(s) <= 40 {
		return s
	}
	end := 40
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}
