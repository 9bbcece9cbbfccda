package auth_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"ken/corpora/acl"
	"ken/tools/auth"
)

const audience = "https://kb.example.com/mcp"

var instant = time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)

// provider is an identity provider over loopback HTTP, as far as a resource
// server sees one: metadata and keys.
type provider struct {
	*httptest.Server
	rsa   *rsa.PrivateKey
	ec    *ecdsa.PrivateKey
	asked atomic.Int32
	down  atomic.Bool

	mu   sync.Mutex
	keys []jose.JSONWebKey
}

func newProvider(t *testing.T) *provider {
	t.Helper()
	p := &provider{}
	var err error
	if p.rsa, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		t.Fatal(err)
	}
	if p.ec, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	p.publish(jose.JSONWebKey{Key: &p.rsa.PublicKey, KeyID: "r1", Use: "sig", Algorithm: "RS256"}, jose.JSONWebKey{Key: &p.ec.PublicKey, KeyID: "e1"},
		jose.JSONWebKey{Key: &p.rsa.PublicKey, KeyID: "enc", Use: "enc"}, jose.JSONWebKey{Key: []byte("a secret that is published"), KeyID: "oct"})
	mux := http.NewServeMux()
	answer := func(f func() any) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			if p.down.Load() {
				http.Error(w, "down", http.StatusServiceUnavailable)
				return
			}
			if err := json.NewEncoder(w).Encode(f()); err != nil {
				t.Error(err)
			}
		}
	}
	mux.HandleFunc("/.well-known/openid-configuration", answer(func() any {
		p.asked.Add(1)
		return map[string]string{"issuer": p.URL, "jwks_uri": p.URL + "/keys"}
	}))
	mux.HandleFunc("/keys", answer(func() any {
		p.mu.Lock()
		defer p.mu.Unlock()
		return jose.JSONWebKeySet{Keys: p.keys}
	}))
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

func (p *provider) publish(keys ...jose.JSONWebKey) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keys = keys
}

func (p *provider) issuer(t *testing.T, clock func() time.Time) *auth.Issuer {
	t.Helper()
	i, err := auth.NewIssuer(auth.IssuerOptions{Issuer: p.URL, Audience: audience, GroupsClaim: "groups", Scope: "ken.read", Clock: clock, Client: p.Client()})
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func (p *provider) header() map[string]any {
	return map[string]any{"alg": "RS256", "kid": "r1", "typ": "at+jwt"}
}

func (p *provider) claims() map[string]any {
	return map[string]any{"iss": p.URL, "aud": audience, "sub": "ann", "groups": []string{"hr", "staff"}, "scope": "openid ken.read",
		"exp": instant.Add(time.Hour).Unix(), "iat": instant.Unix(), "nbf": instant.Unix()}
}

func part(v any) string {
	text, ok := v.(string)
	if !ok {
		data, err := json.Marshal(v)
		if err != nil {
			panic(err)
		}
		text = string(data)
	}
	return base64.RawURLEncoding.EncodeToString([]byte(text))
}

// sign signs whatever it is given, by RSA.
func (p *provider) sign(header, claims any) string {
	body := part(header) + "." + part(claims)
	sum := sha256.Sum256([]byte(body))
	sig, err := rsa.SignPKCS1v15(nil, p.rsa, crypto.SHA256, sum[:])
	if err != nil {
		panic(err)
	}
	return body + "." + base64.RawURLEncoding.EncodeToString(sig)
}

func with(m map[string]any, name string, value any) map[string]any {
	m = maps.Clone(m)
	m[name] = value
	return m
}

func without(m map[string]any, name string) map[string]any {
	m = maps.Clone(m)
	delete(m, name)
	return m
}

func (p *provider) good() string { return p.sign(p.header(), p.claims()) }

func TestGoodTokens(t *testing.T) {
	p := newProvider(t)
	i := p.issuer(t, func() time.Time { return instant })
	h, c := p.header(), p.claims()
	for name, token := range map[string]string{
		"plain":                        p.good(),
		"typ JWT":                      p.sign(with(h, "typ", "JWT"), c),
		"no typ":                       p.sign(without(h, "typ"), c),
		"several audiences":            p.sign(h, with(c, "aud", []string{"https://other.example.com", audience})),
		"expired within the skew":      p.sign(h, with(c, "exp", instant.Add(-29*time.Second).Unix())),
		"made within the skew":         p.sign(h, with(c, "iat", instant.Add(29*time.Second).Unix())),
		"scp, as a list":               p.sign(h, with(without(c, "scope"), "scp", []string{"ken.read"})),
		"claims that ken does not use": p.sign(h, with(c, "act", map[string]any{"sub": "agent"})),
	} {
		who, err := i.Verify(t.Context(), token)
		if err != nil || who.Principal.User() != "user:ann" || !who.Principal.Holds("group:hr") || !who.HasScope("ken.read") {
			t.Errorf("%s: %+v, %v", name, who, err)
		}
	}
	if who, err := i.Verify(t.Context(), p.sign(h, with(c, "groups", []string{}))); err != nil || who.Principal.Holds("group:hr") {
		t.Errorf("no groups: %+v, %v", who, err)
	}
}

// TestTokenAge: groups are not believed longer than the operator says.
func TestTokenAge(t *testing.T) {
	p := newProvider(t)
	i := p.issuer(t, func() time.Time { return instant })
	i.MaxAge = time.Hour
	h, c := p.header(), p.claims()
	for age, want := range map[time.Duration]bool{59 * time.Minute: true, 61 * time.Minute: false, 24 * time.Hour: false} {
		if _, err := i.Verify(t.Context(), p.sign(h, with(c, "iat", instant.Add(-age).Unix()))); (err == nil) != want {
			t.Errorf("%s old: %v", age, err)
		}
	}
	if _, err := i.Verify(t.Context(), p.sign(h, without(c, "iat"))); err == nil {
		t.Error("a token that does not say when it was made is believed")
	}
}

// badTokens are tokens of every wrong kind that somebody might send.
func (p *provider) badTokens() map[string]string {
	h, c, good := p.header(), p.claims(), p.good()
	bad := map[string]string{"empty": "", "one part": "abc", "two parts": "a.b", "four parts": good + ".x", "a key": "ken_abcd1234_guess", "five parts": "a.b.c.d.e"}
	hs := func(header map[string]any, key []byte) string {
		body := part(header) + "." + part(c)
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(body))
		return body + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
	}
	der, err := x509.MarshalPKIXPublicKey(&p.rsa.PublicKey)
	if err != nil {
		panic(err)
	}
	for name, key := range map[string][]byte{"DER": der, "PEM": pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), "N": p.rsa.N.Bytes(), "empty": {}, "published": []byte("a secret that is published")} {
		for _, kid := range []string{"r1", "e1", "oct", ""} {
			bad["HS256 with the public key as "+name+", kid "+kid] = hs(with(with(h, "alg", "HS256"), "kid", kid), key)
		}
	}
	for _, alg := range []any{"none", "None", "NONE", "nOnE", "", "HS256", "HS384", "HS512", "RS384", "RS512", "PS256", "ES256", "ES512", "EdDSA", "RS256 ", "rs256", nil, 5, []string{"RS256"}, true} {
		bad[fmt.Sprintf("algorithm %v", alg)] = p.sign(with(h, "alg", alg), c)
		unsigned := part(with(h, "alg", alg)) + "." + part(c) + "."
		bad[fmt.Sprintf("algorithm %v, unsigned", alg)] = unsigned
	}
	for _, kid := range []any{nil, "", "r2", "R1", "r1 ", "../r1", "r1\x00", "' OR 1=1", "enc", "oct", "e1", 1, []string{"r1"}, strings.Repeat("k", 300), "https://evil.example.com/k"} {
		bad[fmt.Sprintf("kid %v", kid)] = p.sign(with(h, "kid", kid), c)
	}
	bad["no kid"] = p.sign(without(h, "kid"), c)
	for _, typ := range []any{"id+jwt", "logout+jwt", "dpop+jwt", "JWE", "at+jwt ", "secevent+jwt", 5, []string{"at+jwt"}} {
		bad[fmt.Sprintf("type %v", typ)] = p.sign(with(h, "typ", typ), c)
	}
	for _, name := range []string{"crit", "jwk", "jku", "x5u", "x5c", "b64", "zip", "enc", "cty"} {
		for _, value := range []any{"x", []string{"exp"}, nil, false, map[string]string{"kty": "oct", "k": "AA"}} {
			bad[fmt.Sprintf("header %s %v", name, value)] = p.sign(with(h, name, value), c)
		}
	}
	for _, iss := range []any{nil, "", "https://evil.example.com", p.URL + "/", strings.ToUpper(p.URL), p.URL + " ", []string{p.URL}, 1, p.URL + ".evil.example.com"} {
		bad[fmt.Sprintf("issuer %v", iss)] = p.sign(h, with(c, "iss", iss))
	}
	for _, aud := range []any{nil, "", "ken", audience + "/", audience + "/x", strings.ToUpper(audience), "https://kb.example.com", []string{}, []any{nil}, []any{audience, nil}, []any{audience, 5}, 5, map[string]any{"aud": audience}, strings.Replace(audience, "https", "http", 1), "*"} {
		bad[fmt.Sprintf("audience %v", aud)] = p.sign(h, with(c, "aud", aud))
	}
	for _, exp := range []any{nil, "", fmt.Sprint(instant.Add(time.Hour).Unix()), instant.Add(-30 * time.Second).Unix(), instant.AddDate(-1, 0, 0).Unix(), 0, -1, json.Number("1e300"), json.Number("9007199254740993000000"), []int64{instant.Add(time.Hour).Unix()}, true, instant.Add(time.Hour).UnixMilli() * 1000} {
		bad[fmt.Sprintf("expiry %v", exp)] = p.sign(h, with(c, "exp", exp))
	}
	for _, name := range []string{"nbf", "iat"} {
		for _, at := range []any{nil, "", "now", instant.Add(31 * time.Second).Unix(), instant.Add(time.Hour).Unix(), instant.AddDate(1, 0, 0).Unix(), -1, json.Number("1e300"), true} {
			bad[fmt.Sprintf("%s %v", name, at)] = p.sign(h, with(c, name, at))
		}
	}
	for _, sub := range []any{nil, "", " ann", "ann\n", "a\x00b", "ann\u200b", 5, []string{"ann"}, true, strings.Repeat("a", 600), "\u202eann"} {
		bad[fmt.Sprintf("user %.20v", sub)] = p.sign(h, with(c, "sub", sub))
	}
	many := make([]string, 10_000)
	for n := range many {
		many[n] = fmt.Sprintf("g%d", n)
	}
	for name, groups := range map[string]any{
		"null": nil, "a text": "hr", "separated": "hr,staff", "numbers": []int{1}, "objects": []any{map[string]string{"name": "hr"}}, "an object": map[string]any{"hr": true},
		"nested": []any{[]string{"hr"}}, "mixed": []any{"hr", 5}, "with null": []any{"hr", nil}, "an empty one": []string{""}, "hidden": []string{"h\u200br"}, "10,000": many, "1,001": many[:1001], "true": true,
	} {
		bad["groups: "+name] = p.sign(h, with(c, "groups", groups))
	}
	for _, name := range []string{"iss", "aud", "sub", "exp", "groups", "scope"} {
		bad["without "+name] = p.sign(h, without(c, name))
		bad["without "+name+", in upper case"] = p.sign(h, with(without(c, name), strings.ToUpper(name), c[name]))
		text, err := json.Marshal(c)
		if err != nil {
			panic(err)
		}
		value, _ := json.Marshal(c[name])
		bad["twice "+name] = p.sign(h, fmt.Sprintf(`{%q:%s,%s`, name, value, text[1:]))
	}
	bad["twice in the header"] = p.sign(`{"alg":"none","alg":"RS256","kid":"r1"}`, c)
	bad["twice deep inside"] = p.sign(h, strings.Replace(string(must(json.Marshal(c))), "{", `{"x":{"a":1,"a":2},`, 1))
	for name, payload := range map[string]string{"no JSON": "x", "a list": "[]", "null": "null", "cut": `{"iss":`, "two objects": "{}{}", "deep": strings.Repeat(`{"a":`, 500) + "1" + strings.Repeat("}", 500), "bad UTF-8": "{\"sub\":\"\xff\"}", "empty": ""} {
		bad["claims: "+name] = p.sign(h, payload)
		bad["header: "+name] = p.sign(payload, c)
	}
	bad["oversize"] = p.sign(h, with(c, "pad", strings.Repeat("x", 40<<10)))
	segments := strings.Split(good, ".")
	for n := range segments {
		for name, change := range map[string]func(string) string{
			"empty": func(string) string { return "" }, "cut": func(s string) string { return s[:len(s)-5] }, "padded": func(s string) string { return s + "=" },
			"spaced": func(s string) string { return " " + s }, "flipped": flip, "of another alphabet": func(s string) string { return s[:4] + "+/" + s[6:] },
		} {
			changed := slices.Clone(segments)
			changed[n] = change(changed[n])
			bad[fmt.Sprintf("part %d %s", n, name)] = strings.Join(changed, ".")
		}
	}
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	bad["signed by another key"] = (&provider{rsa: other}).sign(h, c)
	return bad
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func flip(s string) string {
	b := []byte(s)
	i := len(b) / 2
	if b[i] == 'A' {
		b[i] = 'B'
	} else {
		b[i] = 'A'
	}
	return string(b)
}

// TestBadTokens: none is accepted, and each gets the same answer, except that one that
// only lacks the scope is told which.
func TestBadTokens(t *testing.T) {
	p := newProvider(t)
	i := p.issuer(t, func() time.Time { return instant })
	reached := false
	handler := auth.Require(i, 0, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	try := func(token string) string {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/mcp", nil)
		r.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return fmt.Sprint(w.Code, w.Header(), w.Body)
	}
	want := try("nothing")
	if reached || !strings.Contains(want, `resource_metadata="https://kb.example.com/.well-known/oauth-protected-resource/mcp"`) {
		t.Fatalf("no challenge: %s", want)
	}
	bad := p.badTokens()
	for name, token := range bad {
		got := try(token)
		if name == "without scope" || name == "without scope, in upper case" {
			if !strings.HasPrefix(got, "403") || !strings.Contains(got, `error="insufficient_scope", scope="ken.read"`) {
				t.Errorf("%s: %s", name, got)
			}
		} else if got != want {
			t.Errorf("%s: %s\nwant %s", name, got, want)
		}
		if reached {
			t.Fatalf("accepted: %s", name)
		}
	}
	if len(bad) < 200 {
		t.Errorf("%d bad tokens, want at least 200", len(bad))
	}
	if try(p.good()); !reached {
		t.Error("the good token was refused too")
	}
	t.Logf("%d bad tokens, 0 accepted", len(bad))
}

// TestRotation: new keys are found, known ones serve while the provider is down, and a flood of
// unknown key ids asks it once in 30 s.
func TestRotation(t *testing.T) {
	p := newProvider(t)
	now := instant
	i := p.issuer(t, func() time.Time { return now })
	p.down.Store(true)
	if _, err := i.Verify(t.Context(), p.good()); err == nil {
		t.Fatal("accepted a token without a key to check it")
	}
	p.down.Store(false)
	now = now.Add(30 * time.Second)
	check := func(what string, token string, want bool) {
		t.Helper()
		if _, err := i.Verify(t.Context(), token); (err == nil) != want {
			t.Errorf("%s: %v", what, err)
		}
	}
	check("the provider is back", p.good(), true)
	p.publish(jose.JSONWebKey{Key: &p.rsa.PublicKey, KeyID: "r1"}, jose.JSONWebKey{Key: &p.rsa.PublicKey, KeyID: "r2"})
	rotated := p.sign(with(p.header(), "kid", "r2"), p.claims())
	check("a new key within 30 s", rotated, false)
	now = now.Add(30 * time.Second)
	check("a new key", rotated, true)
	before := p.asked.Load()
	now = now.Add(30 * time.Second)
	var wg sync.WaitGroup
	for n := range 50 {
		wg.Go(func() {
			check("an unknown key", p.sign(with(p.header(), "kid", fmt.Sprint("x", n)), p.claims()), false)
		})
	}
	wg.Wait()
	if asked := p.asked.Load() - before; asked != 1 {
		t.Errorf("50 unknown keys asked the provider %d times", asked)
	}
	p.down.Store(true)
	now = now.Add(20 * time.Minute)
	check("a known key while the provider is down", p.sign(p.header(), with(p.claims(), "exp", now.Add(time.Hour).Unix())), true)
	p.down.Store(false)
	p.publish(jose.JSONWebKey{Key: &p.rsa.PublicKey, KeyID: "r2"})
	now = now.Add(20 * time.Minute)
	check("a key that was withdrawn", p.sign(p.header(), with(p.claims(), "exp", now.Add(time.Hour).Unix())), false)
	now = instant // an hour back
	check("after the clock was set back", rotated, true)
}

func TestNewIssuerRefuses(t *testing.T) {
	good := auth.IssuerOptions{Issuer: "https://login.example.com", Audience: audience}
	if _, err := auth.NewIssuer(good); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*auth.IssuerOptions){
		"no issuer":         func(o *auth.IssuerOptions) { o.Issuer = "" },
		"plain HTTP":        func(o *auth.IssuerOptions) { o.Issuer = "http://login.example.com" },
		"no audience":       func(o *auth.IssuerOptions) { o.Audience = "" },
		"audience, no URL":  func(o *auth.IssuerOptions) { o.Audience = "ken" },
		"with a password":   func(o *auth.IssuerOptions) { o.Issuer = "https://a:b@login.example.com" },
		"negative skew":     func(o *auth.IssuerOptions) { o.Skew = -1 },
		"skew of an hour":   func(o *auth.IssuerOptions) { o.Skew = time.Hour },
		"scope with quotes": func(o *auth.IssuerOptions) { o.Scope = `a"b` },
	} {
		o := good
		change(&o)
		if _, err := auth.NewIssuer(o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestEither(t *testing.T) {
	p := newProvider(t)
	keys := auth.NewMemory(auth.Options{})
	_, secret, err := keys.Create([]acl.Subject{"user:bob"}, time.Time{}, "")
	if err != nil {
		t.Fatal(err)
	}
	e := auth.Either{Keys: keys, Issuer: p.issuer(t, func() time.Time { return instant })}
	for token, want := range map[string]acl.Subject{secret: "user:bob", p.good(): "user:ann", "ken_" + p.good(): "", secret[4:]: ""} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/mcp", nil)
		r.Header.Set("Authorization", "Bearer "+token)
		id, err := e.Authenticate(r)
		if id.Principal.User() != want || (want == "") != errors.Is(err, auth.ErrUnauthenticated) {
			t.Errorf("user %q, %v; want %q", id.Principal.User(), err, want)
		}
	}
}
