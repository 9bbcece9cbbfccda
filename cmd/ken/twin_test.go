package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"slices"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"ken/cmd/ken/internal/config"
	"ken/cmd/ken/internal/wire"
	"ken/corpora"
	"ken/corpora/acl"
	"ken/corpora/sample"
	"ken/corpora/source/folder"
	"ken/eval"
)

// The twin test: for every person of the bundled handbook, a server over all
// documents and one over only those that the person may read answer every
// question, and every request for a document, with the same bytes. It goes red
// when any statistic is taken from the whole index.

var twinClock = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// only is a source without what the principal may not read.
type only struct {
	corpora.Source
	who acl.Principal
}

func (o only) Changes(ctx context.Context, after corpora.Cursor) iter.Seq2[corpora.Change, error] {
	return func(yield func(corpora.Change, error) bool) {
		for c, err := range o.Source.Changes(ctx, after) {
			if err == nil && c.Op == corpora.Put {
				d, _, err := c.Load(ctx)
				if err == nil && !d.ACL.Admits(o.who, twinClock) {
					continue
				}
			}
			if !yield(c, err) {
				return
			}
		}
	}
}

func handbookSource(t *testing.T) corpora.Source {
	t.Helper()
	corpus, err := sample.Corpus()
	if err != nil {
		t.Fatal(err)
	}
	source, err := folder.New(corpus, folder.Options{Name: sample.Name})
	if err != nil {
		t.Fatal(err)
	}
	return source
}

// twinSession serves the source in memory to one person and connects to it.
func twinSession(t *testing.T, source corpora.Source, who acl.Principal) *mcp.ClientSession {
	t.Helper()
	kb, err := wire.Open(t.Context(), wire.Options{
		Memory: true, Getenv: func(string) string { return "" },
		Settings: config.Settings{Embedder: config.Embedder{Kind: "hashed"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { kb.Close() })
	summary, err := wire.Ingest(t.Context(), kb.Store, kb.Embedder, wire.IngestOptions{}, source)
	if err != nil || len(summary.Quarantined) > 0 {
		t.Fatalf("ingest: %v, %v", err, summary.Quarantined)
	}
	p := &program{stderr: io.Discard, now: func() time.Time { return twinClock }}
	server, err := p.tools(kb, serveOptions{})
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := mcp.NewInMemoryTransports()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	served := make(chan error, 1)
	go func() { served <- server.Run(ctx, who, theirs) }()
	session, err := mcp.NewClient(&mcp.Implementation{Name: "twin", Version: "1"}, nil).Connect(t.Context(), ours, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		session.Close()
		cancel()
		<-served
	})
	return session
}

// call returns everything that a tool call gave, as bytes.
func call(t *testing.T, s *mcp.ClientSession, tool string, arguments map[string]any) []byte {
	t.Helper()
	result, err := s.CallTool(t.Context(), &mcp.CallToolParams{Name: tool, Arguments: arguments})
	text, merr := json.Marshal([]any{result, fmt.Sprint(err)})
	if merr != nil {
		t.Fatal(merr)
	}
	return text
}

func TestTwin(t *testing.T) {
	people, err := sample.People()
	if err != nil {
		t.Fatal(err)
	}
	set, err := eval.LoadFS(sample.Set(), sample.Name)
	if err != nil {
		t.Fatal(err)
	}
	ids := allIDs(t)
	for _, person := range people {
		t.Run(string(person.ID), func(t *testing.T) {
			who := acl.NewPrincipal(person.Subjects()...)
			all := twinSession(t, handbookSource(t), who)
			own := twinSession(t, only{handbookSource(t), who}, who)
			compared, found := 0, 0
			same := func(tool string, arguments map[string]any) {
				a, b := call(t, all, tool, arguments), call(t, own, tool, arguments)
				compared++
				found += bytes.Count(b, []byte(`"passages"`))
				if !bytes.Equal(a, b) {
					t.Errorf("%s %v differs:\n%s", tool, arguments, firstDifference(a, b))
				}
			}
			queries := set.Queries
			if testing.Short() { // the race detector makes a search twenty times as long
				queries = queries[:8]
			}
			for _, q := range queries {
				same("search", map[string]any{"query": q.Text})
				same("search", map[string]any{"query": q.Text, "limit": 3, "max_tokens": 300, "mode": "lexical"})
			}
			for _, id := range append(slices.Clone(ids), sample.Name+"/no/such.md") {
				same("fetch", map[string]any{"id": id})
			}
			if found == 0 {
				t.Error("no search found anything: the comparison shows nothing")
			}
			t.Logf("%d answers compared, byte by byte", compared)
		})
	}
}

// TestTwinCanDiffer shows that the comparison sees a difference of one grant.
func TestTwinCanDiffer(t *testing.T) {
	ines, dov := acl.NewPrincipal("user:ines", "group:staff"), acl.NewPrincipal("user:dov", "group:contractors")
	question := map[string]any{"query": demoQuestion}
	a := call(t, twinSession(t, handbookSource(t), ines), "search", question)
	b := call(t, twinSession(t, handbookSource(t), dov), "search", question)
	if bytes.Equal(a, b) {
		t.Error("two people who may read different documents got the same answer")
	}
}

// allIDs returns the id of every document of the handbook.
func allIDs(t *testing.T) []string {
	t.Helper()
	var ids []string
	for c, err := range handbookSource(t).Changes(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		if c.Op == corpora.Put {
			ids = append(ids, string(c.ID))
		}
	}
	return ids
}

func firstDifference(a, b []byte) string {
	i := 0
	for i < min(len(a), len(b)) && a[i] == b[i] {
		i++
	}
	part := func(s []byte) []byte { return s[max(0, i-80):min(len(s), i+80)] }
	return fmt.Sprintf("all: …%s…\nown: …%s…", part(a), part(b))
}
