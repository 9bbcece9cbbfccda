package mcp_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/corpora/source/item"
	"ken/corpora/source/mcp"
	"ken/corpora/source/remote"
	"ken/corpora/source/safenet"
	"ken/corpora/sourcetest"
)

// shelf is an MCP server whose resources a test changes.
type shelf struct {
	*sdk.Server
	http    *httptest.Server
	broken  atomic.Bool
	reads   atomic.Int64
	texts   map[string]string
	readers map[string]any
	stamped bool // resources tell when they were modified
	now     time.Time
}

func newShelf(t *testing.T, stamped bool) *shelf {
	t.Helper()
	s := &shelf{texts: map[string]string{}, readers: map[string]any{}, stamped: stamped, now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	s.Server = sdk.NewServer(&sdk.Implementation{Name: "shelf", Version: "1"}, &sdk.ServerOptions{PageSize: 2, Capabilities: &sdk.ServerCapabilities{Resources: &sdk.ResourceCapabilities{}}})
	handler := sdk.NewStreamableHTTPHandler(func(*http.Request) *sdk.Server { return s.Server }, &sdk.StreamableHTTPOptions{Stateless: true, JSONResponse: true})
	s.http = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.broken.Load() {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(s.http.Close)
	return s
}

func (s *shelf) offer(name string) {
	s.now = s.now.Add(time.Minute)
	text := s.texts[name]
	r := &sdk.Resource{URI: "shelf://" + name, Name: name, MIMEType: "text/markdown"}
	if s.stamped {
		r.Annotations = &sdk.Annotations{LastModified: s.now.Format(time.RFC3339)}
	}
	if who, ok := s.readers[name]; ok {
		r.Meta = sdk.Meta{"ken/acl": who}
	}
	s.AddResource(r, func(_ context.Context, q *sdk.ReadResourceRequest) (*sdk.ReadResourceResult, error) {
		s.reads.Add(1)
		return &sdk.ReadResourceResult{Contents: []*sdk.ResourceContents{{URI: q.Params.URI, MIMEType: "text/markdown", Text: text}}}, nil
	})
}

func source(t *testing.T, s *shelf) *mcp.Source {
	t.Helper()
	rules, err := safenet.Parse([]string{"127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	client, err := safenet.NewClient(safenet.Options{Rules: rules})
	if err != nil {
		t.Fatal(err)
	}
	out, err := mcp.New(mcp.Options{
		Options: item.Options{Name: "shelf"}, Calls: remote.Options{Backoff: time.Millisecond},
		Transport: func() sdk.Transport {
			return &sdk.StreamableClientTransport{Endpoint: s.http.URL, HTTPClient: client, MaxRetries: -1, DisableStandaloneSSE: true}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = out.Close(); client.CloseIdleConnections() })
	return out
}

func TestConformance(t *testing.T) {
	for name, stamped := range map[string]bool{"resources that tell when they changed": true, "resources that do not": false} {
		t.Run(name, func(t *testing.T) {
			sourcetest.Run(t, func(t *testing.T) sourcetest.Fixture { return fixture(t, newShelf(t, stamped)) })
		})
	}
}

func fixture(t *testing.T, s *shelf) sourcetest.Fixture {
	return sourcetest.Fixture{
		Source: source(t, s),
		Put:    func(name, text string) { s.texts[name] = text; s.offer(name) },
		Remove: func(name string) { s.RemoveResources("shelf://" + name) },
		SetACL: func(name string, who ...acl.Subject) { s.readers[name] = who; s.offer(name) },
		Spoil:  func(name string) { s.readers[name] = map[string]any{"alow": []string{"user:ann"}}; s.offer(name) },
		Break:  func() { s.broken.Store(true) },
	}
}

// A resource that tells when it changed is not read to see whether it did.
func TestListingReadsNothing(t *testing.T) {
	s := newShelf(t, true)
	for _, n := range []string{"a.md", "b.md", "c.md"} {
		s.texts[n] = "text"
		s.offer(n)
	}
	n := 0
	for c, err := range source(t, s).Changes(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		if c.Op == corpora.Put {
			n++
		}
	}
	if n != 3 || s.reads.Load() != 0 {
		t.Errorf("%d resources listed, %d read; want 3 and 0", n, s.reads.Load())
	}
}
