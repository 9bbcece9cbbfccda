package middleware

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func serve(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

var ok = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok") })

func TestPanicIsAnsweredAndLogged(t *testing.T) {
	var log bytes.Buffer
	h := RequestID(func() string { return "r1" }, Recover(slog.New(slog.NewTextHandler(&log, nil)), http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		panic("secret")
	})))
	r := httptest.NewRequest(http.MethodGet, "/?q=question", nil)
	r.Header.Set(HeaderRequestID, "forged")
	w := serve(h, r)
	if w.Code != 500 || w.Body.String() != "internal error\n" || w.Header().Get(HeaderRequestID) != "r1" {
		t.Errorf("%d %q %v", w.Code, w.Body, w.Header())
	}
	if s := log.String(); !strings.Contains(s, "request=r1") || strings.Contains(s, "question") || strings.Contains(s, "forged") {
		t.Errorf("log: %s", s)
	}
}

func TestAbortIsPassedOn(t *testing.T) {
	defer func() {
		if recover() != http.ErrAbortHandler {
			t.Error("the abort was kept")
		}
	}()
	serve(Recover(slog.New(slog.DiscardHandler), http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })), httptest.NewRequest(http.MethodGet, "/", nil))
}

func TestNothingIsStored(t *testing.T) {
	for _, h := range []http.HandlerFunc{
		func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Cache-Control", "public, max-age=60")
			io.WriteString(w, "x")
		},
		func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Cache-Control", "public")
			w.WriteHeader(404)
		},
	} {
		if w := serve(Headers(h), httptest.NewRequest(http.MethodGet, "/", nil)); w.Header().Get("Cache-Control") != "private, no-store" {
			t.Errorf("headers %v", w.Header())
		}
	}
}

func TestHost(t *testing.T) {
	over := func(local string) context.Context {
		a, _ := net.ResolveTCPAddr("tcp", local)
		return context.WithValue(context.Background(), http.LocalAddrContextKey, net.Addr(a))
	}
	for _, c := range []struct {
		local, host string
		want        int
	}{
		{"127.0.0.1:80", "127.0.0.1:80", 200}, {"127.0.0.1:80", "localhost", 200}, {"127.0.0.1:80", "[::1]:80", 200}, {"127.0.0.1:80", "LOCALHOST:9", 200},
		{"127.0.0.1:80", "evil.example", 403}, {"127.0.0.1:80", "localhost.evil.example", 403}, {"127.0.0.1:80", "", 403}, {"127.0.0.1:80", "127.0.0.1.evil.example", 403},
		{"127.0.0.1:80", "ken.example", 200}, {"127.0.0.1:80", "KEN.example:443", 200}, {"[::1]:80", "evil.example", 403}, {"127.0.0.1:80", "2130706433", 403},
		{"192.168.1.7:80", "anything.example", 200},
	} {
		r := httptest.NewRequestWithContext(over(c.local), http.MethodPost, "/", nil)
		r.Host = c.host
		if w := serve(Host([]string{"ken.example"}, ok), r); w.Code != c.want {
			t.Errorf("%s with Host %q: %d, want %d", c.local, c.host, w.Code, c.want)
		}
	}
	if w := serve(Host(nil, ok), httptest.NewRequest(http.MethodGet, "http://evil.example/", nil)); w.Code != 403 {
		t.Errorf("from an unknown address: %d", w.Code)
	}
}

func TestOrigin(t *testing.T) {
	for _, c := range []struct {
		method, host, origin, site string
		loopback                   bool
		want                       int
	}{
		{"POST", "ken.example", "", "", false, 200},
		{"GET", "ken.example", "", "", false, 200},
		{"POST", "ken.example", "https://ken.example", "same-origin", false, 200},
		{"POST", "ken.example", "https://chat.example", "cross-site", false, 200},
		{"POST", "ken.example", "https://evil.example", "", false, 403},
		{"GET", "ken.example", "https://evil.example", "", false, 403},
		{"GET", "ken.example", "", "cross-site", false, 403},
		{"POST", "ken.example", "", "same-site", false, 403},
		{"POST", "ken.example", "null", "", false, 403},
		{"POST", "ken.example", "https://chat.example.evil.example", "", false, 403},
		{"POST", "127.0.0.1:7", "http://localhost:6274", "", true, 200},
		{"POST", "127.0.0.1:7", "http://[::1]:6274", "", true, 200},
		{"POST", "127.0.0.1:7", "http://localhost:6274", "", false, 403},
		{"POST", "127.0.0.1:7", "file://localhost", "", true, 403},
		{"POST", "127.0.0.1:7", "http://localhost@evil.example", "", true, 403},
	} {
		r := httptest.NewRequest(c.method, "/", nil)
		r.Host = c.host
		if c.origin != "" {
			r.Header.Set("Origin", c.origin)
		}
		if c.site != "" {
			r.Header.Set("Sec-Fetch-Site", c.site)
		}
		if w := serve(Origin(Origins{Allowed: []string{"https://chat.example"}, Loopback: c.loopback}, ok), r); w.Code != c.want {
			t.Errorf("%+v: %d", c, w.Code)
		}
	}
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	r.Header["Origin"] = []string{"https://chat.example", "https://evil.example"}
	if w := serve(Origin(Origins{Allowed: []string{"https://chat.example"}}, ok), r); w.Code != 403 {
		t.Errorf("two origins: %d", w.Code)
	}
}

func TestGate(t *testing.T) {
	g := NewGate(1, 1)
	leave, err := g.Enter(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	waiting := make(chan error)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { _, err := g.Enter(ctx); waiting <- err }()
	for len(g.waiting) == 0 {
		time.Sleep(time.Millisecond)
	}
	if _, err := g.Enter(t.Context()); !errors.Is(err, ErrBusy) {
		t.Errorf("one too many: %v", err)
	}
	cancel()
	if err := <-waiting; !errors.Is(err, context.Canceled) {
		t.Errorf("whoever waited: %v", err)
	}
	leave()
	leave() // once more changes nothing
	again, err := g.Enter(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ended, stop := context.WithCancel(t.Context())
	stop()
	if err := g.Drain(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("drain while one runs: %v", err)
	}
	again()
	if err := g.Drain(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := g.Enter(t.Context()); !errors.Is(err, ErrBusy) {
		t.Errorf("after the drain: %v", err)
	}
}

// TestShare: a client that fills its share is turned away, and no other.
func TestShare(t *testing.T) {
	began, end := make(chan bool), make(chan bool)
	client := func(r *http.Request) string { return r.Header.Get("Client") }
	h := Share(client, 1, 1, time.Minute, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { began <- true; <-end }))
	answers := make(chan int)
	ask := func(method, who string) {
		r := httptest.NewRequest(method, "/", nil)
		r.Header.Set("Client", who)
		answers <- serve(h, r).Code
	}
	go ask(http.MethodPost, "ann")
	<-began
	go ask(http.MethodPost, "ann") // one of these two waits, the other is one too many
	go ask(http.MethodPost, "ann")
	if code := <-answers; code != http.StatusTooManyRequests {
		t.Errorf("one too many: %d", code)
	}
	go ask(http.MethodPost, "bob")
	<-began
	go ask(http.MethodGet, "ann") // a stream
	<-began
	for range 3 {
		end <- true
	}
	<-began // ann's second
	end <- true
	for range 4 {
		if code := <-answers; code != http.StatusOK {
			t.Errorf("answered %d", code)
		}
	}
}

func TestSharesAreForgotten(t *testing.T) {
	all := &shares{slots: 1, queue: 1, byClient: map[string]*share{}}
	first, forgetFirst := all.of("ann")
	second, forgetSecond := all.of("ann")
	if first != second {
		t.Error("two requests of one client have two gates")
	}
	forgetFirst()
	if third, forget := all.of("ann"); third != first {
		t.Error("the gate was forgotten while a request was in it")
	} else {
		forget()
	}
	forgetSecond()
	if len(all.byClient) != 0 {
		t.Errorf("%d clients are remembered without a request", len(all.byClient))
	}
}

func TestBody(t *testing.T) {
	read := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) })
	server := httptest.NewServer(Body(10, 50*time.Millisecond, time.Minute, read))
	defer server.Close()
	for body, want := range map[string]int{"0123456789": 200, "0123456789a": 413, "": 200} {
		for _, reader := range []io.Reader{strings.NewReader(body), io.MultiReader(strings.NewReader(body))} { // with a length, and chunked
			res, err := http.Post(server.URL, "text/plain", reader)
			if err != nil {
				t.Fatal(err)
			}
			got, _ := io.ReadAll(res.Body)
			res.Body.Close()
			if res.StatusCode != want || want == 200 && string(got) != body {
				t.Errorf("%q: %d %q", body, res.StatusCode, got)
			}
		}
	}
	stuck, send := io.Pipe()
	defer send.Close()
	res, err := http.Post(server.URL, "text/plain", stuck)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != 408 {
		t.Errorf("a body that never comes: %d", res.StatusCode)
	}
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
}
