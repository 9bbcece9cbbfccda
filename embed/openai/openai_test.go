package openai_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ken/embed"
	"ken/embed/embedtest"
	"ken/embed/openai"
)

func TestConformance(t *testing.T) {
	embedtest.Run(t, func(t *testing.T) embed.Embedder { return open(t, serve(t), nil) }, embedtest.Options{})
}

func TestRequests(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*openai.Options)
		want   request
	}{
		{"OpenAI", nil, request{Model: "m", path: "/v1/embeddings", bearer: []string{"Bearer " + secretKey}}},
		{"no key", func(o *openai.Options) { o.Key = "" }, request{Model: "m", path: "/v1/embeddings"}},
		{"shortened vectors", func(o *openai.Options) { o.Native = false },
			request{Model: "m", Dimensions: dim, path: "/v1/embeddings", bearer: []string{"Bearer " + secretKey}}},
		{"Azure", func(o *openai.Options) {
			o.Azure, o.APIVersion, o.Model = true, "2024-10-21", "text-3.5"
			o.BaseURL = strings.TrimSuffix(o.BaseURL, "/v1")
		}, request{Model: "text-3.5", path: "/openai/deployments/text-3.5/embeddings", query: "api-version=2024-10-21", azure: []string{secretKey}}},
		{"Azure, no key", func(o *openai.Options) {
			o.Azure, o.APIVersion, o.Key = true, "2024-10-21", ""
		}, request{Model: "m", path: "/v1/openai/deployments/m/embeddings", query: "api-version=2024-10-21"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := serve(t)
			mustEmbed(t, open(t, server, test.change), embed.Passage, "a text")
			test.want.Input = []string{"a text"}
			if got := server.seen(); len(got) != 1 || fmt.Sprint(got[0]) != fmt.Sprint(test.want) {
				t.Errorf("requests %+v\nwant one: %+v", got, test.want)
			}
		})
	}
}

func TestVectorsAreThoseOfTheTextsAtUnitLength(t *testing.T) {
	var texts []string
	for i := range 20 {
		texts = append(texts, fmt.Sprintf("text %d", i))
	}
	for i, v := range mustEmbed(t, open(t, serve(t), nil), embed.Passage, texts...) {
		raw := vectorOf(texts[i])
		var length float64
		for _, x := range raw {
			length += x * x
		}
		for j, x := range raw {
			if want := x / math.Sqrt(length); math.Abs(float64(v[j])-want) > 1e-6 {
				t.Fatalf("text %d, component %d: %v, want %v", i, j, v[j], want)
			}
		}
	}
}

func TestBatches(t *testing.T) {
	for _, test := range []struct {
		name         string
		texts, bytes int
		in           []string
		want         string
	}{
		{"by count", 2, 100, []string{"a", "b", "c", "d", "e"}, "[[a b] [c d] [e]]"},
		{"by size", 9, 5, []string{"aa", "bbb", "c", "dddddddd", "e"}, "[[aa bbb] [c] [dddddddd] [e]]"},
		{"exactly full", 2, 4, []string{"aa", "bb", "cc", "dd"}, "[[aa bb] [cc dd]]"},
		{"blank texts are not sent", 2, 100, []string{"", "a", " \n", "b", "", "c"}, "[[a b] [c]]"},
		{"nothing to send", 2, 100, []string{"", " "}, "[]"},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := serve(t)
			e := open(t, server, func(o *openai.Options) { o.BatchTexts, o.BatchBytes = test.texts, test.bytes })
			mustEmbed(t, e, embed.Passage, test.in...)
			got := [][]string{}
			for _, r := range server.seen() {
				got = append(got, r.Input)
			}
			slices.SortFunc(got, slices.Compare) // they are under way side by side
			if fmt.Sprint(got) != test.want {
				t.Errorf("requests %v, want %v", got, test.want)
			}
		})
	}
}

func TestTextsAreMadeFit(t *testing.T) {
	for _, test := range []struct {
		name string
		kind embed.Kind
		text string
		want string
	}{
		{"query prefix", embed.Query, "leave", "query: leave"},
		{"passage prefix", embed.Passage, "leave", "passage: leave"},
		{"cut", embed.Passage, strings.Repeat("x", 1000), "passage: " + strings.Repeat("x", 11)},
		{"cut between characters", embed.Passage, strings.Repeat("é", 1000), "passage: " + strings.Repeat("é", 5)},
		{"cut before replacing", embed.Passage, strings.Repeat("\xff", 1000), "passage: \ufffd"},
		{"invalid UTF-8", embed.Passage, "a\xffb", "passage: a\ufffdb"},
	} {
		server := serve(t)
		e := open(t, server, func(o *openai.Options) {
			o.QueryPrefix, o.PassagePrefix, o.MaxBytes = "query: ", "passage: ", 20
		})
		mustEmbed(t, e, test.kind, test.text)
		if got := server.seen(); len(got) != 1 || got[0].Input[0] != test.want {
			t.Errorf("%s: requests %+v, want one of %q", test.name, got, test.want)
		}
	}
}

func TestFailures(t *testing.T) {
	unit, other := make([]float64, dim), make([]float64, dim)
	unit[0], other[1] = 1, 1
	for _, test := range []struct {
		name     string
		script   []http.HandlerFunc
		kind     openai.Kind // of the error; "" is success
		status   int
		requests int
	}{
		{"500, then OK", []http.HandlerFunc{status(500), nil}, "", 0, 2},
		{"500 and 503, then OK", []http.HandlerFunc{status(500), status(503), nil}, "", 0, 3},
		{"429, then OK", []http.HandlerFunc{status(429), nil}, "", 0, 2},
		{"429 with Retry-After, then OK", []http.HandlerFunc{status(429, "Retry-After", "0"), nil}, "", 0, 2},
		{"429 with a date in the past, then OK", []http.HandlerFunc{status(429, "Retry-After", "Wed, 21 Oct 2015 07:28:00 GMT"), nil}, "", 0, 2},
		{"429 with a wait beyond MaxWait", []http.HandlerFunc{status(429, "Retry-After", "3600"), nil}, openai.RateLimited, 429, 1},
		{"broken connection, then OK", []http.HandlerFunc{cut, nil}, "", 0, 2},
		{"four times 500", []http.HandlerFunc{status(500), status(500), status(500), status(500), nil}, openai.Server, 500, 4},
		{"400", []http.HandlerFunc{status(400)}, openai.Rejected, 400, 1},
		{"401", []http.HandlerFunc{status(401)}, openai.Unauthorized, 401, 1},
		{"403", []http.HandlerFunc{status(403)}, openai.Unauthorized, 403, 1},
		{"404", []http.HandlerFunc{status(404)}, openai.Rejected, 404, 1},
		{"413", []http.HandlerFunc{status(413)}, openai.Rejected, 413, 1},
		{"malformed JSON", []http.HandlerFunc{body(`{"data":[{"index":0,"embedding":[1,`)}, openai.BadReply, 200, 1},
		{"NaN", []http.HandlerFunc{body(`{"data":[{"index":0,"embedding":[NaN]}]}`)}, openai.BadReply, 200, 1},
		{"HTML", []http.HandlerFunc{body("<html>login</html>")}, openai.BadReply, 200, 1},
		{"no data", []http.HandlerFunc{body(`{}`)}, openai.BadReply, 200, 1},
		{"too few", []http.HandlerFunc{items(unit)}, openai.BadReply, 200, 1},
		{"too many", []http.HandlerFunc{items(unit, other, unit)}, openai.BadReply, 200, 1},
		{"too short", []http.HandlerFunc{items(unit, unit[:3])}, openai.BadReply, 200, 1},
		{"too long", []http.HandlerFunc{items(unit, append(unit[:dim:dim], 1))}, openai.BadReply, 200, 1},
		{"zero", []http.HandlerFunc{items(unit, make([]float64, dim))}, openai.BadReply, 200, 1},
		{"too large for float32", []http.HandlerFunc{body(`{"data":[{"index":0,"embedding":[1e300]}]}`)}, openai.BadReply, 200, 1},
		{"the same index twice", []http.HandlerFunc{body(`{"data":[{"index":0,"embedding":[1,0,0,0,0,0,0,0]},{"index":0,"embedding":[0,1,0,0,0,0,0,0]}]}`)}, openai.BadReply, 200, 1},
		{"indexes from 1", []http.HandlerFunc{body(`{"data":[{"index":1,"embedding":[1,0,0,0,0,0,0,0]},{"index":2,"embedding":[0,1,0,0,0,0,0,0]}]}`)}, openai.BadReply, 200, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := serve(t, test.script...)
			vs, err := open(t, server, nil).Embed(t.Context(), embed.Passage, []string{"one", "two"})
			failure, _ := errors.AsType[*openai.Error](err)
			switch {
			case test.kind == "" && (err != nil || len(vs) != 2):
				t.Errorf("%d vectors, error %v", len(vs), err)
			case test.kind != "" && (failure == nil || failure.Kind != test.kind || failure.Status != test.status || vs != nil):
				t.Errorf("%d vectors, error %#v, want kind %q and status %d", len(vs), failure, test.kind, test.status)
			}
			if got := len(server.seen()); got != test.requests {
				t.Errorf("%d requests, want %d", got, test.requests)
			}
			noSecrets(t, server, err)
		})
	}
}

// noSecrets checks every way to print the error.
func noSecrets(t *testing.T, server *endpoint, err error) {
	t.Helper()
	printed := fmt.Sprintf("%v %+v %#v", err, err, err)
	for _, secret := range []string{secretKey, secretBody, strings.TrimPrefix(server.URL, "http://"), "one"} {
		if strings.Contains(printed, secret) {
			t.Errorf("the error holds %q: %s", secret, printed)
		}
	}
}

func TestBadVectorsAreErrVector(t *testing.T) {
	_, err := open(t, serve(t, items(make([]float64, dim))), nil).Embed(t.Context(), embed.Passage, []string{"a"})
	if !errors.Is(err, embed.ErrVector) {
		t.Errorf("error %v, want embed.ErrVector", err)
	}
}

// A failure in the second batch must not give the vectors of the first.
func TestAllOrNothing(t *testing.T) {
	server := serve(t, nil, status(400))
	e := open(t, server, func(o *openai.Options) { o.BatchTexts = 1 })
	if vs, err := e.Embed(t.Context(), embed.Passage, []string{"one", "two"}); err == nil || vs != nil {
		t.Errorf("%d vectors, error %v", len(vs), err)
	}
}

// The exponential backoff alone would wait an hour.
func TestRetryAfterReplacesTheBackoff(t *testing.T) {
	server := serve(t, status(503, "Retry-After", "1"))
	e := open(t, server, func(o *openai.Options) { o.Backoff = time.Hour })
	mustEmbed(t, e, embed.Passage, "a")
}

func TestARetryThatOutlastsTheCallerIsNotWaitedFor(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	_, err := open(t, serve(t, status(429, "Retry-After", "50")), nil).Embed(ctx, embed.Query, []string{"a"})
	failure, ok := errors.AsType[*openai.Error](err)
	if !ok || failure.Kind != openai.RateLimited || failure.RetryAfter != 50*time.Second {
		t.Errorf("error %v, want rate limited for 50 s", err)
	}
}

func TestHangingEndpointTimesOut(t *testing.T) {
	server := serve(t, hang, hang)
	e := open(t, server, func(o *openai.Options) { o.Timeout, o.Retries = 20*time.Millisecond, 1 })
	_, err := e.Embed(t.Context(), embed.Passage, []string{"one"})
	failure, ok := errors.AsType[*openai.Error](err)
	if !ok || failure.Kind != openai.Timeout || len(server.seen()) != 2 {
		t.Errorf("error %v after %d requests, want a timeout after 2", err, len(server.seen()))
	}
	noSecrets(t, server, err)
}

func TestConnectionRefused(t *testing.T) {
	server := serve(t)
	e := open(t, server, nil)
	server.Close()
	_, err := e.Embed(t.Context(), embed.Passage, []string{"one"})
	failure, ok := errors.AsType[*openai.Error](err)
	if !ok || failure.Kind != openai.Unreachable || failure.Reason != "connection refused" {
		t.Errorf("error %v, want connection refused", err)
	}
	noSecrets(t, server, err)
}

func TestCancelWhileTheEndpointHangs(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	server := serve(t, func(w http.ResponseWriter, r *http.Request) { cancel(); hang(w, r) })
	_, err := open(t, server, nil).Embed(ctx, embed.Passage, []string{"a"})
	if !errors.Is(err, context.Canceled) || len(server.seen()) != 1 {
		t.Errorf("error %v after %d requests, want context.Canceled after 1", err, len(server.seen()))
	}
}

func TestCancelWhileWaitingToRetry(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		status(500)(w, r)
		time.AfterFunc(20*time.Millisecond, cancel)
	})
	e := open(t, server, func(o *openai.Options) { o.Backoff = time.Hour })
	if _, err := e.Embed(ctx, embed.Passage, []string{"a"}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	for _, code := range []int{301, 302, 303, 307, 308} {
		for _, azure := range []bool{false, true} {
			visited := make(chan http.Header, 1)
			elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { visited <- r.Header }))
			server := serve(t, status(code, "Location", elsewhere.URL+"/v1/embeddings"))
			e := open(t, server, func(o *openai.Options) { o.Azure, o.APIVersion = azure, "1" })
			_, err := e.Embed(t.Context(), embed.Passage, []string{"one"})
			elsewhere.Close()
			if failure, ok := errors.AsType[*openai.Error](err); !ok || failure.Kind != openai.Redirected || failure.Status != code {
				t.Errorf("status %d, Azure %v: error %v, want redirected", code, azure, err)
			}
			select {
			case header := <-visited:
				t.Errorf("status %d, Azure %v: the other host was asked with %v", code, azure, header)
			default:
			}
			noSecrets(t, server, err)
		}
	}
}

func mustEmbed(t *testing.T, e embed.Embedder, kind embed.Kind, texts ...string) []embed.Vector {
	t.Helper()
	vs, err := e.Embed(t.Context(), kind, texts)
	if err != nil {
		t.Fatal(err)
	}
	if err := embed.Check(vs, len(texts), dim); err != nil {
		t.Fatal(err)
	}
	return vs
}

// An endpoint that takes three requests at once and refuses more still embeds
// everything, and is soon left in peace.
func TestManyRequestsAtOnce(t *testing.T) {
	var mu sync.Mutex
	busy, most, refused := 0, 0, 0
	server := serve(t)
	server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		if busy == 3 {
			refused++
			mu.Unlock()
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		busy++
		most = max(most, busy)
		mu.Unlock()
		time.Sleep(2 * time.Millisecond)
		server.ServeHTTP(w, r)
		mu.Lock()
		busy--
		mu.Unlock()
	})
	e := open(t, server, func(o *openai.Options) { o.BatchTexts, o.Concurrency, o.Backoff = 2, 16, time.Millisecond })
	texts := make([]string, 600)
	for i := range texts {
		texts[i] = fmt.Sprint("text ", i)
	}
	together := mustEmbed(t, e, embed.Passage, texts...)
	for _, i := range []int{0, 1, 299, 598, 599} {
		if alone := mustEmbed(t, e, embed.Passage, texts[i]); !slices.Equal(alone[0], together[i]) {
			t.Errorf("text %d has another vector among others", i)
		}
	}
	if most != 3 || refused > 150 {
		t.Errorf("%d requests at once and %d refused, want 3 and few", most, refused)
	}
}
