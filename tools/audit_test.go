package tools

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// told collects what the auditor is told.
type told struct {
	mu    sync.Mutex
	calls []Call
	err   error
}

func (a *told) audit(_ context.Context, c Call) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.calls = append(a.calls, c)
	return a.err
}

// last is the last call of a method, as text.
func (a *told) last(method string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i := len(a.calls) - 1; i >= 0; i-- {
		if c := a.calls[i]; c.Method == method {
			text := fmt.Sprintf("%s %s %s %v:", c.Principal.User(), c.Tool, c.Kind, c.Arguments)
			for _, l := range c.Left {
				text += fmt.Sprintf(" %s %d %d", l.Document, len(l.Version), len(l.Spans))
				for _, s := range l.Spans {
					text += fmt.Sprintf(" [%d,%d)", s.Start, s.End)
				}
			}
			return text
		}
	}
	return "nothing"
}

// What leaves is written down, whichever way it leaves, and what does not is not.
func TestWhatLeftIsWrittenDown(t *testing.T) {
	w := newWorld(t)
	var a told
	base := w.serveHTTP(w.server(Options{Audit: a.audit}), HTTPOptions{})
	for _, version := range versions {
		s := dialHTTP(t, base, w.key(bob), version)
		check := func(what, method, want string) {
			t.Helper()
			if got := a.last(method); got != want {
				t.Errorf("%s %s:\ngot  %s\nwant %s", version, what, got, want)
			}
		}
		callTool(t, s, toolSearch, map[string]any{"query": "spring discount fifty", "limit": 1})
		check("search", "tools/call", `user:bob search  map[limit:1 query:(23 bytes)]: `+string(oddID)+" 32 1 [0,39)")
		callTool(t, s, toolFetch, map[string]any{"id": "handbook/long.md", "max_tokens": 64, "offset": 10})
		page := fetchSpan(t, s)
		check("fetch", "tools/call", "user:bob fetch  map[id:\"handbook/long.md\" max_tokens:64 offset:10]: handbook/long.md 32 1 "+page)
		callTool(t, s, toolFetch, map[string]any{"id": string(secretID)})
		check("a hidden document", "tools/call", `user:bob fetch not_found map[id:"hr/severance.md"]:`)
		callTool(t, s, toolFetch, map[string]any{"id": "handbook/leave.md", "offset": 1 << 30})
		check("an error", "tools/call", `user:bob fetch invalid_argument map[id:"handbook/leave.md" offset:1073741824]:`)
		callTool(t, s, toolFetch, map[string]any{"id": "handbook/leave.md", "the secret plan": "x"})
		check("an unknown argument", "tools/call", `user:bob fetch invalid_argument map[id:"handbook/leave.md" unknown:(3 bytes)]:`)
		_, err := s.ReadResource(t.Context(), &mcp.ReadResourceParams{URI: resourceURI("handbook/leave.md")})
		must(t, err)
		check("a resource", "resources/read", fmt.Sprintf("user:bob   map[uri:ken://doc/handbook%%2Fleave.md]: handbook/leave.md 32 1 [0,%d)", len(texts["handbook/leave.md"])))
		_, err = s.ListResources(t.Context(), nil)
		must(t, err)
		if got := a.last("resources/list"); strings.Count(got, " 32 0") != len(library)-1 || strings.Contains(got, string(secretID)) {
			t.Errorf("%s a list: %s", version, got)
		}
		_, err = s.Complete(t.Context(), &mcp.CompleteParams{Ref: &mcp.CompleteReference{Type: "ref/resource", URI: resourcePrefix + "{id}"}, Argument: mcp.CompleteParamsArgument{Name: "id", Value: "handbook/leave."}})
		must(t, err)
		check("a completion", "completion/complete", "user:bob   map[]: handbook/leave.md 32 0")
	}
	for _, c := range a.calls {
		if text := fmt.Sprint(c); strings.Contains(text, "weeks") || strings.Contains(text, "discount f") || strings.Contains(text, "secret plan") {
			t.Errorf("text in a record: %s", text)
		}
	}
}

// fetchSpan asks for the same page once more and returns its span.
func fetchSpan(t *testing.T, s *mcp.ClientSession) string {
	t.Helper()
	res, err := s.CallTool(t.Context(), &mcp.CallToolParams{Name: toolFetch, Arguments: map[string]any{"id": "handbook/long.md", "max_tokens": 64, "offset": 10}})
	must(t, err)
	c := res.StructuredContent.(map[string]any)["citation"].(map[string]any)
	return fmt.Sprintf("[%v,%v)", c["start"], c["end"])
}

// What cannot be written down does not leave.
func TestNothingLeavesUnwritten(t *testing.T) {
	w := newWorld(t)
	a := told{err: errors.New("write /var/log/audit: no space left on device")}
	s := dialPipe(t, newServer(t, w.searcher, Options{Audit: func(ctx context.Context, c Call) error {
		if c.Method == "initialize" || c.Method == "notifications/initialized" {
			return nil
		}
		return a.audit(ctx, c)
	}}), bob, "2025-11-25")
	for _, got := range []string{
		callTool(t, s, toolSearch, map[string]any{"query": "leave"}),
		callTool(t, s, toolFetch, map[string]any{"id": "handbook/leave.md"}),
	} {
		if !strings.Contains(got, "internal error") || strings.Contains(got, "weeks") || strings.Contains(got, "/var") {
			t.Errorf("answer %s", got)
		}
	}
	if _, err := s.ReadResource(t.Context(), &mcp.ReadResourceParams{URI: resourceURI("handbook/leave.md")}); err == nil {
		t.Error("a resource left")
	}
}
