package tools

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/index"
	"ken/retrieval"
	"ken/tools/middleware"
)

// trouble is a searcher that fails in a chosen way.
type trouble struct {
	Searcher
	fail func(context.Context) error
}

func (s trouble) Search(ctx context.Context, _ acl.Principal, _ retrieval.Request) (retrieval.Response, error) {
	return retrieval.Response{}, s.fail(ctx)
}

func (s trouble) Documents(ctx context.Context, _ acl.Principal, _ string, _ corpora.DocID, _ int) ([]corpora.Document, error) {
	return nil, s.fail(ctx)
}

func TestFailures(t *testing.T) {
	w := newWorld(t)
	for name, c := range map[string]struct {
		fail func(context.Context) error
		kind string
	}{
		"panic":       {func(context.Context) error { panic("secret /var/lib/ken") }, kindInternal},
		"index":       {func(context.Context) error { var none []error; return none[len(t.Name())] }, kindInternal},
		"unknown":     {func(context.Context) error { return errors.New("open /var/lib/ken/secret: no space left") }, kindInternal},
		"busy":        {func(context.Context) error { return fmt.Errorf("store at 10.1.2.3: %w", middleware.ErrBusy) }, kindBusy},
		"unavailable": {func(context.Context) error { return fmt.Errorf("secret: %w", retrieval.ErrUnavailable) }, kindUnavailable},
		"time-out":    {func(ctx context.Context) error { <-ctx.Done(); return fmt.Errorf("secret: %w", ctx.Err()) }, kindTimeout},
		"not found":   {func(context.Context) error { return fmt.Errorf("secret: %w", index.ErrNotFound) }, kindNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			var seen []Call
			s := newServer(t, trouble{w.searcher, c.fail}, Options{Timeout: 20_000_000, Observe: func(_ context.Context, c Call) { mu.Lock(); seen = append(seen, c); mu.Unlock() }})
			client := dialPipe(t, s, bob, "")
			for range 2 { // the first must not have ended the server
				res := call(t, client, "search", map[string]any{"query": "x"})
				f := failureOf(t, res)
				if f.Kind != c.kind || f.Suggestion == "" || regexp.MustCompile(`secret|/var|10\.1|goroutine|panic`).MatchString(textOf(res)) {
					t.Errorf("search: %s", textOf(res))
				}
				_, err := client.ListResources(t.Context(), nil)
				if text := wireError(err); !strings.Contains(text, `"kind":"`+c.kind) || regexp.MustCompile(`secret|/var|10\.1|goroutine`).MatchString(text) {
					t.Errorf("list: %s", text)
				}
			}
			mu.Lock()
			defer mu.Unlock()
			last := seen[len(seen)-2]
			if last.Tool != "search" || last.Kind != c.kind || last.Principal.Key() != bob.Key() {
				t.Errorf("observed %+v", last)
			}
		})
	}
}

// slow is a searcher whose searches wait until they are let go.
type slow struct {
	Searcher
	begun   chan struct{}
	release chan struct{}
}

func (s slow) Search(ctx context.Context, p acl.Principal, r retrieval.Request) (retrieval.Response, error) {
	s.begun <- struct{}{}
	<-s.release
	return s.Searcher.Search(ctx, p, r)
}

func TestOneCallTooManyIsToldToComeBack(t *testing.T) {
	w := newWorld(t)
	s := slow{w.searcher, make(chan struct{}), make(chan struct{})}
	client := dialPipe(t, newServer(t, s, Options{Concurrency: 1, Queue: 1}), bob, "")
	results := make(chan *mcp.CallToolResult, 2)
	ask := func() {
		res, err := client.CallTool(context.Background(), &mcp.CallToolParams{Name: "search", Arguments: map[string]any{"query": "leave"}})
		if err != nil {
			t.Error(err)
		}
		results <- res
	}
	go ask()
	<-s.begun // the slot is taken
	go ask()  // this one or the next waits
	go ask()
	if f := failureOf(t, <-results); f.Kind != kindBusy || f.RetryAfter != 5 {
		t.Errorf("the third got %+v", f)
	}
	s.release <- struct{}{}
	<-s.begun
	s.release <- struct{}{}
	for range 2 {
		answerOf[searchAnswer](t, <-results)
	}
}

func TestNobodyIsRefused(t *testing.T) {
	w := newWorld(t)
	s := w.server(Options{})
	_, there := mcp.NewInMemoryTransports()
	if err := s.Run(t.Context(), acl.Principal{}, there); err == nil {
		t.Error("the zero principal was served")
	}
	_, err := surface{Server: s}.receive(func(context.Context, string, mcp.Request) (mcp.Result, error) {
		t.Error("a request without a principal was served")
		return nil, nil
	})(t.Context(), "tools/list", &mcp.ListToolsRequest{})
	if !strings.Contains(wireError(err), kindUnauthenticated) {
		t.Errorf("a request without a principal: %v", err)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	w := newWorld(t)
	for _, o := range []Options{{CursorKey: []byte("short")}, {DocumentURL: "javascript:x"}, {Timeout: -1}} {
		if _, err := New(w.searcher, o); err == nil {
			t.Errorf("New(%+v) is fine", o)
		}
	}
	if _, err := New(nil, Options{}); err == nil {
		t.Error("New without a searcher is fine")
	}
}
