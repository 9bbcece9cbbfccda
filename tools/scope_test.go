package tools

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ken/corpora/acl"
	"ken/retrieval"
	"ken/tools/auth"
)

const fetchLeave = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"fetch","arguments":{"id":"handbook/leave.md"}}}`

// keyWith makes a key for bob with these scopes.
func (w *world) keyWith(scopes ...string) string {
	w.t.Helper()
	_, secret, err := w.keys.Create([]acl.Subject{"user:bob"}, time.Time{}, "", scopes...)
	must(w.t, err)
	return secret
}

// TestScopes: a credential is of use for the tools whose scope it has. For the others the
// challenge names what the next one needs, and what this one has and should not lose.
func TestScopes(t *testing.T) {
	w := newWorld(t)
	base := w.serveHTTP(w.server(Options{ToolScopes: map[string]string{"search": "ken.read", "fetch": "ken.fetch"}}), HTTPOptions{})
	reader, both, other, unscoped := w.keyWith("ken.read"), w.keyWith("ken.read", "ken.fetch"), w.keyWith("mail.send"), w.keyWith("mail.send")
	const readLeave = `{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"ken://doc/handbook%2Fleave.md"}}`
	const list = `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":""}}`
	for name, c := range map[string]struct {
		key, method, body, missing string
	}{
		"search with its scope":      {reader, "", search, ""},
		"fetch without its scope":    {reader, "", fetchLeave, "ken.fetch ken.read"},
		"fetch with both":            {both, "", fetchLeave, ""},
		"another service's scope":    {other, "", search, "ken.read"},
		"a resource is fetched":      {reader, "resources/read", readLeave, "ken.fetch ken.read"},
		"a resource, with the scope": {both, "resources/read", readLeave, ""},
		"completions search":         {unscoped, "completion/complete", `{"jsonrpc":"2.0","id":1,"method":"completion/complete","params":{"ref":{"type":"ref/resource","uri":"ken://doc/{id}"},"argument":{"name":"id","value":"h"}}}`, "ken.read"},
		"the list is for everyone":   {unscoped, "tools/list", list, ""},
		"a tool that is none":        {unscoped, "", strings.Replace(search, `"search"`, `"nothing"`, 1), "none"},
		"a name in two cases":        {reader, "", strings.Replace(fetchLeave, `"name":"fetch"`, `"name":"fetch","Name":"search"`, 1), "none"},
	} {
		for _, version := range []string{"2026-07-28", "2025-11-25"} {
			t.Run(name+", "+version, func(t *testing.T) {
				var res *http.Response
				var body []byte
				if version == statelessVersion {
					headers := []string{}
					if c.method != "" {
						headers = []string{"Mcp-Method", c.method, "Mcp-Name", between(c.body, `"uri":"`, `"`)}
					}
					if c.method == "completion/complete" || c.method == "tools/list" {
						headers[3] = ""
					}
					res, body = post(t, base, c.key, "", c.body, headers...)
				} else {
					res, body = post(t, base, c.key, version, c.body, headerSession, begin(t, base, c.key))
				}
				challenge := res.Header.Get("WWW-Authenticate")
				switch {
				case c.missing == "none" && (res.StatusCode == 403 || challenge != "" || strings.Contains(string(body), "26 weeks")):
					t.Errorf("an unknown tool: %d, %s", res.StatusCode, challenge)
				case c.missing == "none":
				case c.missing == "" && (res.StatusCode != 200 || strings.Contains(string(body), "error\":")):
					t.Errorf("%d %s", res.StatusCode, body)
				case c.missing != "" && (res.StatusCode != 403 || challenge != `Bearer realm="ken", error="insufficient_scope", scope="`+c.missing+`"` || strings.Contains(string(body), "26 weeks")):
					t.Errorf("%d, %s, %s", res.StatusCode, challenge, body)
				}
			})
		}
	}
}

// A tool that nobody gave a scope needs that of administrators.
func TestToolsWithoutAScopeAreForAdministrators(t *testing.T) {
	w := newWorld(t)
	base := w.serveHTTP(w.server(Options{ToolScopes: map[string]string{"search": ""}}), HTTPOptions{})
	if res, body := post(t, base, w.keyWith("x"), "", search); res.StatusCode != 200 {
		t.Errorf("a tool that needs none: %d %s", res.StatusCode, body)
	}
	if res, body := post(t, base, w.keyWith("ken.read"), "", fetchLeave); res.StatusCode != 403 || !strings.Contains(res.Header.Get("WWW-Authenticate"), `scope="ken.admin"`) {
		t.Errorf("a reader: %d %s", res.StatusCode, body)
	}
	if res, body := post(t, base, w.keyWith("ken.admin"), "", fetchLeave); res.StatusCode != 200 {
		t.Errorf("an administrator: %d %s", res.StatusCode, body)
	}
}

// A session goes on with another credential of the same person, and with that credential's rights.
func TestSessionOutlivesItsCredential(t *testing.T) {
	w := newWorld(t)
	base := w.serveHTTP(w.server(Options{}), HTTPOptions{})
	first, err := w.keyOf("user:ann", "group:hr")
	must(t, err)
	id := begin(t, base, first.secret)
	ask := func(secret string) (int, string) {
		res, body := post(t, base, secret, "2025-11-25", strings.Replace(fetchLeave, "handbook/leave.md", string(secretID), 1), headerSession, id)
		return res.StatusCode, string(body)
	}
	if code, body := ask(first.secret); code != 200 || !strings.Contains(body, "two months") {
		t.Errorf("the first key: %d %s", code, body)
	}
	must(t, w.keys.Revoke(first.id))
	if code, _ := ask(first.secret); code != 401 {
		t.Errorf("the revoked key: %d", code)
	}
	second, err := w.keyOf("user:ann") // out of the group meanwhile
	must(t, err)
	if code, body := ask(second.secret); code != 200 || strings.Contains(body, "two months") {
		t.Errorf("the second key: %d %s", code, body)
	}
	other, err := w.keyOf("user:bob", "group:hr")
	must(t, err)
	if code, _ := ask(other.secret); code != 404 {
		t.Errorf("another person: %d", code)
	}
}

type secretKey struct{ id, secret string }

func (w *world) keyOf(subjects ...acl.Subject) (secretKey, error) {
	key, secret, err := w.keys.Create(subjects, time.Time{}, "")
	return secretKey{key.ID, secret}, err
}

// revocable is an authenticator whose one credential can be taken away.
type revocable struct {
	auth.Authenticator
	gone atomic.Pointer[error]
}

func (a *revocable) Authenticate(r *http.Request) (auth.Identity, error) {
	if err := a.gone.Load(); err != nil {
		return auth.Identity{}, *err
	}
	return a.Authenticator.Authenticate(r)
}

// A stream that is open ends when its credential does, whatever the reason.
func TestStreamsEndWithTheirCredential(t *testing.T) {
	for name, reason := range map[string]error{"revoked": auth.ErrUnauthenticated, "cannot be checked": auth.ErrUnavailable} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			who := &revocable{Authenticator: w.keys}
			base := w.serveHTTP(w.server(Options{}), HTTPOptions{Authenticator: who, Recheck: time.Millisecond})
			key := w.key(ann)
			id := begin(t, base, key)
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+PathMCP, nil)
			must(t, err)
			r.Header = http.Header{"Authorization": {"Bearer " + key}, "Accept": {"text/event-stream"}, headerSession: {id}, "Mcp-Protocol-Version": {"2025-11-25"}}
			res, err := http.DefaultTransport.RoundTrip(r)
			must(t, err)
			defer res.Body.Close()
			if res.StatusCode != 200 || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/event-stream") {
				t.Fatalf("no stream: %d %v", res.StatusCode, res.Header)
			}
			who.gone.Store(&reason)
			for b := make([]byte, 512); err == nil; { // ends, or the test binary's own limit does
				_, err = res.Body.Read(b)
			}
		})
	}
}

// A call that runs when its credential ends gets no answer but the refusal.
func TestLongCallsEndWithTheirCredential(t *testing.T) {
	w := newWorld(t)
	s := patient{w.searcher, make(chan struct{}), make(chan struct{})}
	who := &revocable{Authenticator: w.keys}
	base := w.serveHTTP(newServer(t, s, Options{}), HTTPOptions{Authenticator: who, Recheck: time.Millisecond})
	key := w.key(bob)
	for _, version := range []string{"", "2025-11-25"} {
		headers := []string{}
		if version != "" {
			headers = []string{headerSession, begin(t, base, key)}
		}
		status := make(chan int)
		go func() {
			res, _ := post(t, base, key, version, search, headers...)
			status <- res.StatusCode
		}()
		<-s.begun
		reason := auth.ErrUnauthenticated
		who.gone.Store(&reason)
		if got := <-status; got != 401 {
			t.Errorf("version %q: %d, want 401", version, got)
		}
		if version != "" { // in a session the call itself goes on
			s.release <- struct{}{}
		}
		who.gone.Store(nil)
	}
}

// patient is a searcher that waits to be released, or for the end of its context.
type patient struct {
	Searcher
	begun, release chan struct{}
}

func (p patient) Search(ctx context.Context, _ acl.Principal, _ retrieval.Request) (retrieval.Response, error) {
	p.begun <- struct{}{}
	select {
	case <-p.release:
	case <-ctx.Done():
	}
	return retrieval.Response{}, ctx.Err()
}

// TestRequireHoldsThePerson: a credential that speaks for another person from one check to the
// next is not gone on with.
func TestRequireHoldsThePerson(t *testing.T) {
	var checks atomic.Int32
	who := authenticatorFunc(func(*http.Request) (auth.Identity, error) {
		if checks.Add(1) > 3 {
			return auth.Identity{Principal: bob}, nil
		}
		return auth.Identity{Principal: ann}, nil
	})
	h := auth.Require(who, time.Millisecond, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil))
	if w.Code != 401 || ctx.Err() != nil {
		t.Errorf("%d, %v", w.Code, ctx.Err())
	}
}

type authenticatorFunc func(*http.Request) (auth.Identity, error)

func (f authenticatorFunc) Authenticate(r *http.Request) (auth.Identity, error) { return f(r) }
func (authenticatorFunc) Challenge() string                                     { return "Bearer" }
func (authenticatorFunc) ScopeChallenge(...string) string                       { return "Bearer" }
