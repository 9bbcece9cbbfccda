package openai_test

import (
	"encoding/json"
	"hash/fnv"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"ken/embed/openai"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// request is what the endpoint was asked.
type request struct {
	Input      []string `json:"input"`
	Model      string   `json:"model"`
	Dimensions int      `json:"dimensions"`

	path, query   string
	bearer, azure []string
}

// endpoint is a real HTTP server that embeds as such servers do. Each request
// is answered by the next function of script; when it is used up, by answer.
type endpoint struct {
	*httptest.Server
	mu       sync.Mutex
	requests []request
	script   []http.HandlerFunc
}

const dim = 8

func serve(t *testing.T, script ...http.HandlerFunc) *endpoint {
	t.Helper()
	e := &endpoint{script: script}
	e.Server = httptest.NewServer(e)
	t.Cleanup(e.Close)
	return e
}

func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	req := request{path: r.URL.Path, query: r.URL.RawQuery, bearer: r.Header.Values("Authorization"), azure: r.Header.Values("Api-Key")}
	if err := json.NewDecoder(r.Body).Decode(&req); err != nil {
		http.Error(w, "bad request", http.StatusBadRequest)
		return
	}
	e.mu.Lock()
	e.requests = append(e.requests, req)
	next := func(w http.ResponseWriter, _ *http.Request) { answer(w, req.Input) }
	if len(e.script) > 0 {
		next, e.script = e.script[0], e.script[1:]
	}
	e.mu.Unlock()
	if next == nil {
		next = func(w http.ResponseWriter, _ *http.Request) { answer(w, req.Input) }
	}
	next(w, r)
}

// seen returns the requests so far.
func (e *endpoint) seen() []request {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]request(nil), e.requests...)
}

// item is one vector of a reply.
type item struct {
	Object    string    `json:"object"`
	Index     int       `json:"index"`
	Embedding []float64 `json:"embedding"`
}

// answer replies with a vector per text, in no order and of no fixed length.
func answer(w http.ResponseWriter, texts []string) {
	items := make([]item, len(texts))
	for i, text := range texts {
		items[i] = item{"embedding", i, vectorOf(text)}
	}
	rand.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
	reply(w, items)
}

func reply(w http.ResponseWriter, items []item) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]any{"object": "list", "data": items, "model": "m"})
}

// vectorOf returns a vector that depends on the text alone, of length 3.
func vectorOf(text string) []float64 {
	h := fnv.New64a()
	h.Write([]byte(text))
	random := rand.New(rand.NewPCG(h.Sum64(), 0))
	v := make([]float64, dim)
	for i := range v {
		v[i] = 3 * random.NormFloat64()
	}
	return v
}

// status answers with a status and a body that must never be seen again.
func status(code int, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(code)
		w.Write([]byte(`{"error":{"message":"` + secretBody + `","type":"x"}}`))
	}
}

// body answers 200 with this body.
func body(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(text)) }
}

// items answers 200 with these vectors, whatever was asked.
func items(vs ...[]float64) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		var list []item
		for i, v := range vs {
			list = append(list, item{"embedding", i, v})
		}
		reply(w, list)
	}
}

// hang answers nothing until the client has gone.
func hang(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// cut breaks the connection in the middle of an answer.
func cut(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "1000")
	w.Write([]byte(`{"data":[`))
	w.(http.Flusher).Flush()
	panic(http.ErrAbortHandler)
}

const (
	secretKey  = "sk-very-secret"
	secretBody = "body-with-customer-text"
)

// open returns an embedder of the endpoint that waits next to nothing between
// tries and needs no first call.
func open(t *testing.T, e *endpoint, change func(*openai.Options)) *openai.Embedder {
	t.Helper()
	o := openai.Options{
		BaseURL: e.URL + "/v1", Key: secretKey, Model: "m", Dimensions: dim, Native: true,
		Backoff: time.Microsecond,
	}
	if change != nil {
		change(&o)
	}
	got, err := openai.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { got.Close() })
	return got
}
