package tools

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"ken/corpora/acl"
	"ken/tools/auth"
)

// post sends a body as the holder of the key ("" is none) and a protocol
// version. Without a session only versions that have none answer calls.
func post(t *testing.T, base, key, version, body string, headers ...string) (*http.Response, []byte) {
	t.Helper()
	if version == "" {
		version = "2026-07-28"
		headers = append([]string{"Mcp-Method", "tools/call", "Mcp-Name", between(body, `"name":"`, `"`)}, headers...)
		body = strings.Replace(body, `"params":{`, `"params":{`+modernMeta+`,`, 1)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+PathMCP, strings.NewReader(body))
	must(t, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	if version != "none" {
		r.Header.Set("Mcp-Protocol-Version", version)
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			r.Host = headers[i+1]
		} else if headers[i+1] == "" {
			r.Header.Del(headers[i])
		} else {
			r.Header.Set(headers[i], headers[i+1])
		}
	}
	return do(t, r)
}

const modernMeta = `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{},"io.modelcontextprotocol/clientInfo":{"name":"raw","version":"1"}}`

func between(s, before, after string) string {
	_, s, _ = strings.Cut(s, before)
	s, _, _ = strings.Cut(s, after)
	return s
}

func do(t *testing.T, r *http.Request) (*http.Response, []byte) {
	t.Helper()
	res, err := http.DefaultTransport.RoundTrip(r)
	must(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	must(t, err)
	return res, body
}

const (
	search     = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search","arguments":{"query":"leave"}}}`
	initialize = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"raw","version":"1"}}}`
)

func TestAttacks(t *testing.T) {
	w := newWorld(t)
	base := w.serveHTTP(w.server(Options{}), HTTPOptions{MaxBody: 4 << 20})
	key := w.key(bob)
	deep := strings.Repeat(`{"a":`, 650_000) + "1" + strings.Repeat("}", 650_000)
	for _, c := range []struct {
		name    string
		key     string
		body    string
		headers []string
		status  int
	}{
		{"fine", key, search, nil, 200},
		{"page of another site", key, search, []string{"Origin", "https://evil.example"}, 403},
		{"page without an origin", key, search, []string{"Origin", "null"}, 403},
		{"page that looks like loopback", key, search, []string{"Origin", "http://127.0.0.1.evil.example"}, 403},
		{"browser says cross-site", key, search, []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"page of this machine", key, search, []string{"Origin", "http://localhost:6274"}, 200},
		{"rebound name", key, search, []string{"Host", "evil.example"}, 403},
		{"rebound name with our port", key, search, []string{"Host", "evil.example:7337"}, 403},
		{"loopback name", key, search, []string{"Host", "localhost:7337"}, 200},
		{"no key", "", search, nil, 401},
		{"no key, another site", "", search, []string{"Origin", "https://evil.example"}, 403},
		{"text", key, search, []string{"Content-Type", "text/plain"}, 415},
		{"form", key, search, []string{"Content-Type", "application/x-www-form-urlencoded"}, 415},
		{"no JSON", key, `{"jsonrpc":`, nil, 400},
		{"nothing", key, "", nil, 400},
		{"NUL", key, "\x00", nil, 400},
		{"deep", key, deep, nil, 400},
		{"deep arguments", key, strings.Replace(search, `"leave"`, deep[:5*100_000]+"1"+strings.Repeat("}", 100_000), 1), nil, 0},
		{"big", key, strings.Repeat(" ", 4<<20) + search, nil, 413},
	} {
		t.Run(c.name, func(t *testing.T) {
			res, body := post(t, base, c.key, "", c.body, c.headers...)
			if c.status != 0 && res.StatusCode != c.status || res.StatusCode >= 500 {
				t.Errorf("status %d, want %d: %.200s", res.StatusCode, c.status, body)
			}
			if res.Header.Get("Cache-Control") != "private, no-store" || res.Header.Get("X-Content-Type-Options") != "nosniff" || res.Header.Get("X-Request-Id") == "" {
				t.Errorf("headers are %v", res.Header)
			}
			if bytes.Contains(body, []byte("goroutine")) || bytes.Contains(body, []byte(".go:")) {
				t.Errorf("internals in %.300s", body)
			}
			if _, body := post(t, base, key, "", search); !bytes.Contains(body, []byte("handbook/leave.md")) {
				t.Errorf("the server is not well: %.200s", body)
			}
		})
	}
}

// Whatever is wrong with a credential, the answer is the same bytes.
func TestUnauthenticatedIsOneAnswer(t *testing.T) {
	w := newWorld(t)
	clock := now
	w.keys = auth.NewMemory(auth.Options{Clock: func() time.Time { return clock }})
	base := w.serveHTTP(w.server(Options{}), HTTPOptions{})
	key := w.key(bob)
	gone, revoked, err := w.keys.Create([]acl.Subject{"user:bob"}, time.Time{}, "")
	must(t, err)
	must(t, w.keys.Revoke(gone.ID))
	_, expired, err := w.keys.Create([]acl.Subject{"user:bob"}, now.Add(time.Minute), "")
	must(t, err)
	clock = now.Add(time.Minute)

	want := ""
	for name, headers := range map[string][]string{
		"missing": {"Authorization", ""}, "revoked": {"Authorization", "Bearer " + revoked}, "expired": {"Authorization", "Bearer " + expired},
		"malformed": {"Authorization", "Bearer x"}, "basic": {"Authorization", "Basic " + key}, "cut": {"Authorization", "Bearer " + key[:len(key)-1]},
		"other secret": {"Authorization", "Bearer " + key[:len(key)-1] + "~"}, "two spaces": {"Authorization", "Bearer  " + key}, "huge": {"Authorization", "Bearer " + strings.Repeat("a", 30_000)},
	} {
		res, body := post(t, base, key, "", search, headers...)
		got := fmt.Sprint(res.StatusCode, res.Header.Get("WWW-Authenticate"), string(body))
		if want == "" {
			want = got
		}
		if got != want || res.StatusCode != 401 || !strings.HasPrefix(res.Header.Get("WWW-Authenticate"), "Bearer ") {
			t.Errorf("%s: %s; want %s", name, got, want)
		}
	}
	for _, query := range []string{"?key=" + key, "?access_token=" + key, "?authorization=Bearer%20" + key} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+PathMCP+query, strings.NewReader(search))
		must(t, err)
		if res, _ := do(t, r); res.StatusCode != 401 {
			t.Errorf("a key in the URL got %d", res.StatusCode)
		}
	}
	if res, _ := post(t, base, key, "", search); res.StatusCode != 200 {
		t.Errorf("a good key got %d", res.StatusCode)
	}
}

func TestRevokeIsEffectiveForTheNextRequest(t *testing.T) {
	w := newWorld(t)
	path := filepath.Join(t.TempDir(), "keys.yaml")
	must(t, auth.CreateFile(path))
	served, err := auth.Open(path, auth.Options{})
	must(t, err)
	operator, err := auth.Open(path, auth.Options{}) // another process
	must(t, err)
	base := w.serveHTTP(w.server(Options{}), HTTPOptions{Authenticator: served})
	for range 20 {
		key, secret, err := operator.Create([]acl.Subject{"user:bob"}, time.Time{}, "")
		must(t, err)
		if res, _ := post(t, base, secret, "", search); res.StatusCode != 200 {
			t.Fatalf("a new key got %d", res.StatusCode)
		}
		must(t, operator.Revoke(key.ID))
		if res, _ := post(t, base, secret, "", search); res.StatusCode != 401 {
			t.Fatalf("a revoked key got %d", res.StatusCode)
		}
	}
	must(t, os.WriteFile(path, []byte("keys: {"), 0o600))
	if res, _ := post(t, base, "x", "", search); res.StatusCode != 401 {
		t.Errorf("with a broken key file: %d", res.StatusCode)
	}
}

// begin starts a session with the handshake of the older protocols.
func begin(t *testing.T, base, key string) string {
	t.Helper()
	res, body := post(t, base, key, "none", initialize)
	id := res.Header.Get(headerSession)
	if res.StatusCode != 200 || id == "" {
		t.Fatalf("initialize: %d %s", res.StatusCode, body)
	}
	res, body = post(t, base, key, "2025-11-25", `{"jsonrpc":"2.0","method":"notifications/initialized"}`, headerSession, id)
	if res.StatusCode != 202 {
		t.Fatalf("initialized: %d %s", res.StatusCode, body)
	}
	return id
}

// A session is of use to the principal that began it alone, and then with that
// principal's rights of the moment.
func TestSessionsBelongToTheirPrincipal(t *testing.T) {
	w := newWorld(t)
	base := w.serveHTTP(w.server(Options{}), HTTPOptions{})
	annKey, annOther, bobKey := w.key(ann), w.key(ann), w.key(bob)
	id := begin(t, base, annKey)
	for _, key := range []string{annKey, annOther} {
		if res, body := post(t, base, key, "2025-11-25", search, headerSession, id); res.StatusCode != 200 || !bytes.Contains(body, []byte("handbook/leave.md")) {
			t.Errorf("ann in her session: %d %s", res.StatusCode, body)
		}
	}
	unknown, unknownBody := post(t, base, bobKey, "2025-11-25", search, headerSession, "NO-SUCH-SESSION")
	for _, method := range []string{http.MethodPost, http.MethodGet, http.MethodDelete} {
		r, err := http.NewRequestWithContext(t.Context(), method, base+PathMCP, strings.NewReader(search))
		must(t, err)
		r.Header = http.Header{"Authorization": {"Bearer " + bobKey}, "Content-Type": {"application/json"}, "Accept": {"application/json, text/event-stream"}, headerSession: {id}}
		res, body := do(t, r)
		if res.StatusCode != unknown.StatusCode || string(body) != string(unknownBody) || res.StatusCode != 404 {
			t.Errorf("bob's %s in ann's session: %d %s; want %d %s", method, res.StatusCode, body, unknown.StatusCode, unknownBody)
		}
	}
	if res, _ := post(t, base, annKey, "2025-11-25", search, headerSession, id); res.StatusCode != 200 {
		t.Errorf("ann's session ended: %d", res.StatusCode)
	}
}

func TestSessionsAreBounded(t *testing.T) {
	w := newWorld(t)
	base := w.serveHTTP(w.server(Options{}), HTTPOptions{MaxSessions: 3, SessionsEach: 2})
	annKey, bobKey, eveKey := w.key(ann), w.key(bob), w.key(acl.NewPrincipal("user:eve"))
	first := begin(t, base, annKey)
	begin(t, base, annKey)
	refused := func(key string) {
		t.Helper()
		if res, _ := post(t, base, key, "none", initialize); res.StatusCode != 429 || res.Header.Get("Retry-After") == "" {
			t.Errorf("one session too many got %d", res.StatusCode)
		}
	}
	refused(annKey) // has her two
	begin(t, base, bobKey)
	refused(eveKey) // three are all
	r, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, base+PathMCP, nil)
	must(t, err)
	r.Header = http.Header{"Authorization": {"Bearer " + annKey}, headerSession: {first}}
	if res, body := do(t, r); res.StatusCode != 204 {
		t.Fatalf("delete: %d %s", res.StatusCode, body)
	}
	begin(t, base, eveKey)
	if res, _ := post(t, base, eveKey, "", search); res.StatusCode != 200 {
		t.Errorf("a request without session got %d", res.StatusCode)
	}
}

func TestIdleSessionsEnd(t *testing.T) {
	w := newWorld(t)
	base := w.serveHTTP(w.server(Options{}), HTTPOptions{SessionTimeout: time.Millisecond})
	key := w.key(ann)
	id := begin2(t, base, key)
	for range 10_000 {
		if res, _ := post(t, base, key, "2025-11-25", `{"jsonrpc":"2.0","id":2,"method":"ping"}`, headerSession, id); res.StatusCode == 404 {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Error("the session never ended")
}

func begin2(t *testing.T, base, key string) string {
	t.Helper()
	res, _ := post(t, base, key, "none", initialize)
	return res.Header.Get(headerSession)
}

func TestConcurrentPeopleGetTheirOwn(t *testing.T) {
	w := newWorld(t)
	base := w.serveHTTP(w.server(Options{}), HTTPOptions{})
	annKey, bobKey := w.key(ann), w.key(bob)
	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() {
			key, may := annKey, true
			if i%2 == 0 {
				key, may = bobKey, false
			}
			_, body := post(t, base, key, "", strings.Replace(search, "leave", "severance salary", 1))
			if got := bytes.Contains(body, []byte("months of salary")); got != may {
				t.Errorf("request %d: severance shown is %v", i, got)
			}
		})
	}
	all.Wait()
}

// TestRequestsTooManyAreTurnedAway: one runs and one waits; the third is told
// that the server is busy, or that its sender asks too much at once.
func TestRequestsTooManyAreTurnedAway(t *testing.T) {
	carl := acl.NewPrincipal("user:carl")
	for name, c := range map[string]struct {
		askers [3]acl.Principal
		status int
	}{
		"three people": {[3]acl.Principal{ann, bob, carl}, 503},
		"one person":   {[3]acl.Principal{bob, bob, bob}, 429},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			s := slow{w.searcher, make(chan struct{}), make(chan struct{})}
			base := w.serveHTTP(newServer(t, s, Options{}), HTTPOptions{Concurrency: 1, Queue: 1})
			statuses := make(chan int, 3)
			ask := func(key string) {
				res, _ := post(t, base, key, "", search)
				if res.StatusCode != 200 && res.Header.Get("Retry-After") == "" {
					t.Errorf("%d without Retry-After", res.StatusCode)
				}
				statuses <- res.StatusCode
			}
			keys := [3]string{w.key(c.askers[0]), w.key(c.askers[1]), w.key(c.askers[2])}
			go ask(keys[0])
			<-s.begun
			go ask(keys[1])
			go ask(keys[2])
			if got := <-statuses; got != c.status {
				t.Errorf("the third got %d, want %d", got, c.status)
			}
			s.release <- struct{}{}
			<-s.begun
			s.release <- struct{}{}
			for range 2 {
				if got := <-statuses; got != 200 {
					t.Errorf("the others got %d", got)
				}
			}
		})
	}
}

// TestSlowBodiesKeepNobodyElseOut: bodies that do not arrive take up the share
// of whoever sends them.
func TestSlowBodiesKeepNobodyElseOut(t *testing.T) {
	w := newWorld(t)
	base := w.serveHTTP(w.server(Options{}), HTTPOptions{Concurrency: 2, Queue: 1, ShutdownTimeout: time.Minute})
	annKey, bobKey := w.key(ann), w.key(bob)
	var conns []net.Conn
	var answers []*bufio.Reader
	for range 2 {
		conn, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
		must(t, err)
		defer conn.Close()
		fmt.Fprintf(conn, "POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n", bobKey)
		answer := bufio.NewReader(conn)
		line, err := answer.ReadString('\n') // sent when the body is being read
		if err != nil || !strings.Contains(line, "100 Continue") {
			t.Fatalf("%q, %v", line, err)
		}
		conns, answers = append(conns, conn), append(answers, answer)
	}
	if res, body := post(t, base, annKey, "", search); res.StatusCode != 200 {
		t.Errorf("ann gets %d: %s", res.StatusCode, body)
	}
	for i, conn := range conns { // she did not get her answer because his bodies were given up
		fmt.Fprint(conn, "no JSON..")
		_, err := answers[i].ReadString('\n') // the empty line after 100 Continue
		must(t, err)
		if line, err := answers[i].ReadString('\n'); err != nil || !strings.Contains(line, " 400 ") {
			t.Errorf("bob gets %q, %v", line, err)
		}
	}
}

// Serving that is not safe is refused before the first byte.
func TestInsecureServingIsRefused(t *testing.T) {
	keys := auth.NewMemory(auth.Options{})
	loopback, public := addr("127.0.0.1:7337"), addr("0.0.0.0:7337")
	for name, c := range map[string]struct {
		addr net.Addr
		o    HTTPOptions
		ok   bool
	}{
		"loopback with keys":         {loopback, HTTPOptions{Authenticator: keys}, true},
		"IPv6 loopback with keys":    {addr("[::1]:7337"), HTTPOptions{Authenticator: keys}, true},
		"loopback without keys":      {loopback, HTTPOptions{}, false},
		"demo without keys":          {loopback, HTTPOptions{Demo: true}, false},
		"demo with keys":             {loopback, HTTPOptions{Demo: true, Authenticator: keys}, true},
		"public demo":                {public, HTTPOptions{Demo: true, Authenticator: keys, TrustProxy: true}, false},
		"public in the clear":        {public, HTTPOptions{Authenticator: keys}, false},
		"public behind a proxy":      {public, HTTPOptions{Authenticator: keys, TrustProxy: true}, true},
		"public URL that is no URL":  {loopback, HTTPOptions{Authenticator: keys, PublicURL: "ken.example.com"}, false},
		"a limit that lets none in":  {loopback, HTTPOptions{Authenticator: keys, MaxSessions: -1}, false},
		"private network, no TLS":    {addr("192.168.1.7:80"), HTTPOptions{Authenticator: keys}, false},
		"all interfaces, no TLS, v6": {addr("[::]:80"), HTTPOptions{Authenticator: keys}, false},
	} {
		if err := c.o.Validate(c.addr); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := (HTTPOptions{}).Validate(loopback); !errors.Is(err, ErrInsecure) {
		t.Errorf("the zero options: %v", err)
	}
}

func addr(s string) net.Addr { a, _ := net.ResolveTCPAddr("tcp", s); return a }

// Serving ends only when what runs has ended, and streams do not hold it up.
func TestShutdownLetsRequestsEnd(t *testing.T) {
	w := newWorld(t)
	s := slow{w.searcher, make(chan struct{}), make(chan struct{})}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	server := newServer(t, s, Options{})
	go func() { ended <- server.ServeHTTP(ctx, l, HTTPOptions{Authenticator: w.keys}) }()
	base, key := "http://"+l.Addr().String(), w.key(bob)
	dialHTTP(t, base, key, "2025-11-25") // holds a stream open
	status := make(chan int)
	go func() {
		res, _ := post(t, base, key, "", search)
		status <- res.StatusCode
	}()
	<-s.begun
	cancel()
	s.release <- struct{}{}
	if got := <-status; got != 200 {
		t.Errorf("the running request got %d", got)
	}
	must(t, <-ended)
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
}

func TestHealth(t *testing.T) {
	w := newWorld(t)
	base := w.serveHTTP(w.server(Options{}), HTTPOptions{})
	for path, want := range map[string]int{PathHealth: 200, "/": 401, PathMCP: 401, "/nothing": 404, "/mcp/": 404, "/../etc/passwd": 404} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+path, nil)
		must(t, err)
		if res, body := do(t, r); res.StatusCode != want && res.StatusCode != 301 && res.StatusCode != 307 {
			t.Errorf("%s: %d %s", path, res.StatusCode, body)
		}
	}
}
