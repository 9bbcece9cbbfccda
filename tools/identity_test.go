package tools

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"ken/tools/auth"
)

// TestTokens goes the way of a client with an identity provider: refused, told where the
// metadata is, reading it at both well-known places, and asking with a token.
func TestTokens(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	mux := http.NewServeMux()
	provider := httptest.NewServer(mux)
	defer provider.Close()
	serve := func(path string, v any) {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) { must(t, json.NewEncoder(w).Encode(v)) })
	}
	serve("/.well-known/openid-configuration", map[string]string{"issuer": provider.URL, "jwks_uri": provider.URL + "/keys"})
	serve("/keys", jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: &key.PublicKey, KeyID: "k", Use: "sig"}}})

	const audience = "https://kb.example.com/mcp"
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	issuer, err := auth.NewIssuer(auth.IssuerOptions{Issuer: provider.URL, Audience: audience, GroupsClaim: "groups", Clock: tick, Client: client})
	must(t, err)
	w := newWorld(t)
	base := w.serveHTTP(w.server(Options{}), HTTPOptions{Authenticator: issuer, PublicURL: audience})

	res, _ := post(t, base, "", "", search)
	if c := res.Header.Get("WWW-Authenticate"); res.StatusCode != 401 || c != `Bearer resource_metadata="https://kb.example.com/.well-known/oauth-protected-resource/mcp"` {
		t.Fatalf("%d %s", res.StatusCode, c)
	}
	for _, path := range []string{"/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/mcp"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+path, nil)
		must(t, err)
		res, body := do(t, r)
		var m struct {
			Resource string   `json:"resource"`
			Servers  []string `json:"authorization_servers"`
		}
		must(t, json.Unmarshal(body, &m))
		if res.StatusCode != 200 || m.Resource != audience || len(m.Servers) != 1 || m.Servers[0] != provider.URL {
			t.Errorf("%s: %d %s", path, res.StatusCode, body)
		}
	}
	for _, c := range []struct {
		groups []string
		want   bool
	}{{[]string{"hr"}, true}, {[]string{}, false}} {
		token := token(t, key, map[string]any{"iss": provider.URL, "aud": audience, "sub": "ann", "exp": now.Unix() + 60, "scope": "ken.read", "groups": c.groups})
		res, body := post(t, base, token, "", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"fetch","arguments":{"id":"`+string(secretID)+`"}}}`)
		if got := strings.Contains(string(body), "two months"); res.StatusCode != 200 || got != c.want {
			t.Errorf("groups %v: %d %s", c.groups, res.StatusCode, body)
		}
	}
}

func token(t *testing.T, key *rsa.PrivateKey, claims map[string]any) string {
	t.Helper()
	text, err := json.Marshal(claims)
	must(t, err)
	e := base64.RawURLEncoding
	body := e.EncodeToString([]byte(`{"alg":"RS256","kid":"k","typ":"at+jwt"}`)) + "." + e.EncodeToString(text)
	sum := sha256.Sum256([]byte(body))
	sig, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
	must(t, err)
	return body + "." + e.EncodeToString(sig)
}
