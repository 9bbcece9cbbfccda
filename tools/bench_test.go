package tools

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/index"
	"ken/retrieval"
	"ken/tools/auth"
)

// kept is a searcher that has its answer already, so that a benchmark measures
// what stands around a search.
type kept struct {
	Searcher
	answer retrieval.Response
}

func (k kept) Search(context.Context, acl.Principal, retrieval.Request) (retrieval.Response, error) {
	return k.answer, nil
}

// usualAnswer has ten documents with a passage of about 1 KB each: as much as the
// usual budget of tokens allows.
func usualAnswer() retrieval.Response {
	words := strings.Fields(`the office plants need water on Fridays and nobody reads Section 4.2 of a user guide, which
		tells whom to ask for parental leave: your lead; "travel expenses" are paid within 30 days of their approval`)
	r := rand.New(rand.NewPCG(1, 2))
	prose := func(n int) string {
		var b strings.Builder
		for range n {
			b.WriteString(words[r.IntN(len(words))])
			b.WriteByte(" \n"[r.IntN(20)/19])
		}
		return b.String()
	}
	var out retrieval.Response
	for i := range 10 {
		id := corpora.DocID(fmt.Sprintf("handbook/chapter-%d/page.md", i))
		text := prose(160)
		snippet := strings.ReplaceAll(text[:150], "\n", " ")
		out.Results = append(out.Results, retrieval.Result{
			Document: corpora.Document{
				ID: id, Source: "handbook", Title: "Page of a chapter", MediaType: "text/markdown", Language: "en", Version: strings.Repeat("0", 32),
				Tags: []string{"leave", "people"}, Class: "internal", Modified: now,
			},
			Score:   1 / float64(i+1),
			Snippet: retrieval.Snippet{Text: snippet, Highlights: []index.Span{{Start: 4, End: 10}, {Start: 20, End: 30}}},
			Passages: []retrieval.Passage{{
				Text: text, Heading: []string{"A chapter", "A section"}, Span: index.Span{End: len(text)},
				Citation: retrieval.Citation{Document: id, Version: strings.Repeat("0", 32), Span: index.Span{End: len(text)}, Hash: strings.Repeat("0", 64)},
			}},
		})
	}
	return out
}

// BenchmarkSearch is a call of the tool search as it comes over HTTP, without the
// connection and without the search.
func BenchmarkSearch(b *testing.B) {
	keys := auth.NewMemory(auth.Options{})
	_, key, err := keys.Create([]acl.Subject{"user:ann"}, time.Time{}, "")
	must(b, err)
	server, err := New(kept{answer: usualAnswer()}, Options{Version: "test"})
	must(b, err)
	served := server.newHTTP(HTTPOptions{Authenticator: keys}.WithDefaults(), true)
	defer served.sessions.close()
	post := func(version, session, body string) *httptest.ResponseRecorder {
		local := context.WithValue(b.Context(), http.LocalAddrContextKey, net.Addr(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}))
		r := httptest.NewRequestWithContext(local, http.MethodPost, "http://127.0.0.1"+PathMCP, strings.NewReader(body))
		for name, value := range map[string]string{
			"Authorization": "Bearer " + key, "Content-Type": "application/json", "Accept": "application/json, text/event-stream",
			"Mcp-Protocol-Version": version, headerSession: session, "Mcp-Method": "tools/call", "Mcp-Name": toolSearch,
		} {
			r.Header.Set(name, value)
		}
		w := httptest.NewRecorder()
		served.handler.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			b.Fatalf("%d %s", w.Code, w.Body)
		}
		return w
	}
	session := post("2025-11-25", "", initialize).Header().Get(headerSession)
	for _, c := range []struct{ version, session, body string }{
		{"2025-11-25", session, search},
		{"2026-07-28", "", strings.Replace(search, `"params":{`, `"params":{`+modernMeta+`,`, 1)},
	} {
		b.Run(c.version, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				b.SetBytes(int64(post(c.version, c.session, c.body).Body.Len()))
			}
		})
	}
}

// BenchmarkShow makes what clients see of an answer, and its text.
func BenchmarkShow(b *testing.B) {
	answer, s := usualAnswer(), surface{Server: &Server{}}
	b.Run("show", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			for _, r := range answer.Results {
				s.showResult(r)
			}
		}
	})
	var out searchAnswer
	for _, r := range answer.Results {
		out.Results = append(out.Results, s.showResult(r))
	}
	b.Run("encode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			io.Discard.Write(encode(out))
		}
	})
}
