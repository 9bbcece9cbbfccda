package openai_test

import (
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"

	"ken/embed"
	"ken/embed/openai"
)

// failing returns an endpoint that fails n times and works from then on, and an
// embedder of it that does not retry.
func failing(t *testing.T, n int, fail http.HandlerFunc, openFor time.Duration) (*endpoint, *openai.Embedder) {
	server := serve(t, slices.Repeat([]http.HandlerFunc{fail}, n)...)
	return server, open(t, server, func(o *openai.Options) { o.Retries, o.OpenFor = -1, openFor })
}

// kindOf embeds one text and returns the kind of the failure, "" for none.
func kindOf(t *testing.T, e embed.Embedder, kind embed.Kind) openai.Kind {
	t.Helper()
	_, err := e.Embed(t.Context(), kind, []string{"a"})
	failure, _ := errors.AsType[*openai.Error](err)
	switch {
	case failure != nil:
		return failure.Kind
	case err != nil:
		t.Fatal(err)
	}
	return ""
}

func TestBreakerOpensAfterFiveFailures(t *testing.T) {
	server, e := failing(t, 5, status(500), time.Hour)
	for i := range 5 {
		if got := kindOf(t, e, embed.Passage); got != openai.Server {
			t.Fatalf("call %d: %q, want a server error", i+1, got)
		}
	}
	if got := kindOf(t, e, embed.Passage); got != openai.Open {
		t.Errorf("sixth call: %q, want an open breaker", got)
	}
	if got := len(server.seen()); got != 5 {
		t.Errorf("%d requests, want 5", got)
	}
	if got := kindOf(t, e, embed.Query); got != "" {
		t.Errorf("a query failed with %q because passages did", got)
	}
}

func TestASuccessEndsTheRow(t *testing.T) {
	server := serve(t, status(500), status(500), status(500), status(500), nil, status(500), status(500), status(500), status(500), nil)
	e := open(t, server, func(o *openai.Options) { o.Retries = -1 })
	for i := range 10 {
		if got := kindOf(t, e, embed.Query); got == openai.Open {
			t.Fatalf("call %d: the breaker is open after four failures in a row", i+1)
		}
	}
}

func TestBreakerClosesAgain(t *testing.T) {
	server, e := failing(t, 5, status(500), time.Nanosecond)
	for range 5 {
		kindOf(t, e, embed.Query)
	}
	if got := kindOf(t, e, embed.Query); got != "" {
		t.Errorf("half-open: %q, want success", got)
	}
	if got := len(server.seen()); got != 6 {
		t.Errorf("%d requests, want 6", got)
	}
}

// A text that the endpoint refuses says nothing of the next text.
func TestRefusedTextsDoNotOpenTheBreaker(t *testing.T) {
	_, e := failing(t, 9, status(400), time.Hour)
	for i := range 9 {
		if got := kindOf(t, e, embed.Passage); got != openai.Rejected {
			t.Fatalf("call %d: %q, want rejected", i+1, got)
		}
	}
	if got := kindOf(t, e, embed.Passage); got != "" {
		t.Errorf("call 10: %q, want success", got)
	}
}

func TestRetriesStopWhenTheBreakerOpens(t *testing.T) {
	server := serve(t, slices.Repeat([]http.HandlerFunc{status(500)}, 9)...)
	e := open(t, server, func(o *openai.Options) { o.OpenFor = time.Hour })
	kindOf(t, e, embed.Passage)
	if got := kindOf(t, e, embed.Passage); got != openai.Open || len(server.seen()) != 5 {
		t.Errorf("%q after %d requests, want an open breaker after 5", got, len(server.seen()))
	}
}
