package tools

import (
	"context"
	"flag"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"ken/corpora/acl"
	"ken/corpora/policy"
	"ken/tools/auth"
)

var conformance = flag.String("conformance", "", "folder of the conformance suite's node_modules; without it the suite does not run")

var conformanceScenario = flag.String("conformance-scenario", "", "run this scenario alone, and show its checks in full")

// TestConformance runs the official conformance suite against the product's handlers, with its
// fixtures beside ken's own tools. The suite sends no credential: once everyone is let in, and
// once a proxy before the server adds a key.
func TestConformance(t *testing.T) {
	if *conformance == "" {
		t.Skip("SKIPPED: run make conformance")
	}
	for _, revision := range []string{"2025-11-25", "2026-07-28"} {
		for _, through := range []string{"everyone", "keys"} {
			t.Run(revision+"/"+through, func(t *testing.T) {
				w := newWorld(t)
				server := w.server(Options{Authority: allTools{}})
				server.fixtures = &suite{}
				target := w.conform(server, through)
				cmd := exec.CommandContext(t.Context(), "node", filepath.Join(*conformance, "@modelcontextprotocol/conformance/dist/index.js"),
					"server", "--url", target, "--requirements", revision)
				if *conformanceScenario != "" {
					cmd.Args = append(cmd.Args[:5], "--scenario", *conformanceScenario, "--spec-version", revision, "--verbose")
				}
				cmd.Dir = t.TempDir()
				cmd.Env = append(os.Environ(), "NO_COLOR=1")
				out, err := cmd.CombinedOutput()
				t.Logf("%s", out)
				if err != nil {
					t.Errorf("%v", err)
				}
			})
		}
	}
}

// conform serves and returns the URL for the suite.
func (w *world) conform(s *Server, through string) string {
	if through == "everyone" {
		everyone := auth.Identity{Principal: acl.NewPrincipal("user:bob"), Scopes: []string{auth.ScopeRead, auth.ScopeAdmin}}
		who := authenticatorFunc(func(*http.Request) (auth.Identity, error) { return everyone, nil })
		return w.serveHTTP(s, HTTPOptions{Authenticator: who}) + PathMCP
	}
	target, err := url.Parse(w.serveHTTP(s, HTTPOptions{}))
	must(w.t, err)
	key := w.keyWith(auth.ScopeRead, auth.ScopeAdmin)
	proxy := httptest.NewServer(&httputil.ReverseProxy{FlushInterval: -1, Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Host = r.In.Host // which the suite also sends wrong ones of
		r.Out.Header.Set("Authorization", "Bearer "+key)
	}})
	w.t.Cleanup(proxy.Close)
	return proxy.URL + PathMCP
}

// allTools lets everybody use the suite's own tools, which no role knows.
type allTools struct{}

func (allTools) Use(context.Context, acl.Principal, policy.Credential, string) (policy.Use, error) {
	return policy.Use{Allowed: true}, nil
}
