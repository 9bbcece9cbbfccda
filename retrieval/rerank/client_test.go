package rerank_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"ken/retrieval"
	"ken/retrieval/rerank"
)

var _ retrieval.Reranker = (*rerank.Client)(nil)

// serve starts an endpoint and returns a client of it.
func serve(t *testing.T, shape rerank.Shape, h http.HandlerFunc) *rerank.Client {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	c, err := rerank.New(rerank.Options{URL: server.URL + "/rerank", Shape: shape, Model: "m", Key: "s3cret"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestRequestAndAnswer(t *testing.T) {
	for _, c := range []struct {
		shape        rerank.Shape
		want, answer string
	}{
		{rerank.Documents, `{"documents":["a","b"],"model":"m","query":"q","top_n":2}`, `{"results":[{"index":1,"relevance_score":0.9},{"index":0,"relevance_score":-0.5}]}`},
		{rerank.Texts, `{"query":"q","texts":["a","b"],"truncate":true}`, `[{"index":1,"score":0.9},{"index":0,"score":-0.5}]`},
	} {
		t.Run(string(c.shape), func(t *testing.T) {
			client := serve(t, c.shape, func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				if r.Method != http.MethodPost || r.URL.Path != "/rerank" || r.Header.Get("Authorization") != "Bearer s3cret" || string(body) != c.want {
					t.Errorf("%s %s, authorization %q, body %s, want %s", r.Method, r.URL.Path, r.Header.Get("Authorization"), body, c.want)
				}
				io.WriteString(w, c.answer)
			})
			got, err := client.Rerank(t.Context(), "q", []string{"a", "b"})
			if err != nil || !slices.Equal(got, []float64{-.5, .9}) {
				t.Errorf("scores %v, error %v", got, err)
			}
		})
	}
}

func TestBadAnswers(t *testing.T) {
	for name, answer := range map[string]string{
		"empty":           ``,
		"not JSON":        `<html>secret page</html>`,
		"too few":         `[{"index":0,"score":1}]`,
		"too many":        `[{"index":0,"score":1},{"index":1,"score":1},{"index":1,"score":1}]`,
		"twice":           `[{"index":0,"score":1},{"index":0,"score":1}]`,
		"out of range":    `[{"index":0,"score":1},{"index":2,"score":1}]`,
		"negative":        `[{"index":0,"score":1},{"index":-1,"score":1}]`,
		"no index":        `[{"score":1},{"index":1,"score":1}]`,
		"no score":        `[{"index":0},{"index":1,"score":1}]`,
		"infinite":        `[{"index":0,"score":1e999},{"index":1,"score":1}]`,
		"error as object": `{"error":"secret page"}`,
		"too large":       `[` + strings.Repeat(" ", 5<<20) + `]`,
	} {
		t.Run(name, func(t *testing.T) {
			client := serve(t, rerank.Texts, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, answer) })
			got, err := client.Rerank(t.Context(), "q", []string{"a", "b"})
			if !errors.Is(err, rerank.ErrRerank) || got != nil {
				t.Errorf("scores %v, error %v", got, err)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("the error holds the answer: %v", err)
			}
		})
	}
}

func TestStatusAndTransport(t *testing.T) {
	status := http.StatusServiceUnavailable
	client := serve(t, "", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/elsewhere", status)
	})
	for _, status = range []int{302, 401, 429, 503} {
		_, err := client.Rerank(t.Context(), "q", []string{"a"})
		if !errors.Is(err, rerank.ErrRerank) || !strings.Contains(err.Error(), fmt.Sprint(status)) {
			t.Errorf("status %d: error %v", status, err)
		}
	}
	down, err := rerank.New(rerank.Options{URL: "http://127.0.0.1:1/rerank"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := down.Rerank(t.Context(), "q", []string{"a"}); !errors.Is(err, rerank.ErrRerank) || strings.Contains(err.Error(), "127.0.0.1") {
		t.Errorf("nobody listens: error %v, want one without the address", err)
	}
}

func TestTimeout(t *testing.T) {
	block := make(chan struct{})
	client := serve(t, "", func(http.ResponseWriter, *http.Request) { <-block })
	t.Cleanup(func() { close(block) }) // runs before the server's Close, which waits for the handler
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := client.Rerank(ctx, "q", []string{"a"}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v, want the deadline's", err)
	}
}

func TestNothingToRerank(t *testing.T) {
	client := serve(t, "", func(http.ResponseWriter, *http.Request) { t.Error("asked about no text") })
	if got, err := client.Rerank(t.Context(), "q", nil); got != nil || err != nil {
		t.Errorf("scores %v, error %v", got, err)
	}
}

func TestOptions(t *testing.T) {
	for _, o := range []rerank.Options{{}, {URL: "/rerank"}, {URL: "ftp://host/x"}, {URL: "http://"}, {URL: "http://host", Shape: "xml"}, {URL: "http://a b"}} {
		if _, err := rerank.New(o); err == nil {
			t.Errorf("%+v was taken", o)
		}
	}
}

// FuzzAnswer: no answer of an endpoint makes the client panic or give back
// another number of scores than of texts.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte(`[{"index":1,"score":0.9},{"index":0,"score":-0.5}]`))
	f.Add([]byte(`{"results":[{"index":0,"relevance_score":1}]}`))
	var answer []byte
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write(answer) }))
	f.Cleanup(server.Close)
	client, err := rerank.New(rerank.Options{URL: server.URL})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		answer = data
		got, err := client.Rerank(t.Context(), "q", []string{"a", "b"})
		if (err == nil) != (len(got) == 2) {
			t.Errorf("%q: %d scores, error %v", data, len(got), err)
		}
	})
}

func ExampleClient() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		json.NewEncoder(w).Encode(map[string]any{"results": []map[string]any{{"index": 1, "relevance_score": .92}, {"index": 0, "relevance_score": .03}}})
	}))
	defer server.Close()
	client, err := rerank.New(rerank.Options{URL: server.URL + "/v1/rerank", Model: "bge-reranker-base"})
	if err != nil {
		fmt.Println(err)
		return
	}
	scores, err := client.Rerank(context.Background(), "parental leave", []string{"the canteen's menu", "18 weeks of leave"})
	fmt.Println(scores, err)
	// Output: [0.03 0.92] <nil>
}
