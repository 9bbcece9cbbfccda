package tools

import (
	"errors"
	"net/http"
	"slices"
	"sync"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"ken/tools/auth"
)

// DefaultToolScopes are the scopes that the reading tools need; every other
// tool needs [auth.ScopeAdmin].
func DefaultToolScopes() map[string]string {
	return map[string]string{toolSearch: auth.ScopeRead, toolFetch: auth.ScopeRead, toolVersions: auth.ScopeRead, toolFeedback: auth.ScopeRead}
}

// sameScope are the methods that read as a tool does, and so need its scope.
var sameScope = map[string]string{
	methodListResources: toolSearch, "completion/complete": toolSearch, "prompts/get": toolSearch,
	methodReadResource: toolFetch, "resources/subscribe": toolFetch, "resources/unsubscribe": toolFetch, "subscriptions/listen": toolFetch,
}

// errScope says that the credential lacks the scope that the request needs.
var errScope = errors.New("insufficient scope")

// inScope refuses what the request's credential may not be used for. What is
// asked is read from the request as the handler will see it, never from the
// HTTP body, in which two readers can see two requests.
func (s surface) inScope(method string, req mcp.Request) error {
	if !s.fixed.IsZero() {
		return nil
	}
	tool, reads := sameScope[method]
	if call, ok := req.(*mcp.CallToolRequest); ok && call.Params != nil {
		tool, reads = call.Params.Name, s.tools[call.Params.Name]
	}
	if !reads { // such as tools/list, the same for everyone, or a tool that is none
		return nil
	}
	needed, named := s.opts.ToolScopes[tool]
	if !named {
		needed = auth.ScopeAdmin
	}
	id := identity(req)
	if needed == "" || id.HasScope(needed) {
		return nil
	}
	if missing, ok := req.GetExtra().TokenInfo.Extra[scopeInfo].(*missingScope); ok {
		missing.set(s.stepUp(id, needed))
	}
	return errScope
}

// stepUp names the scopes that the next credential should have: the one that
// is needed now, and those of ours that this one has, which a client would
// otherwise lose by asking for the new one alone.
func (s surface) stepUp(id auth.Identity, needed string) []string {
	out := []string{needed}
	for _, scope := range s.opts.ToolScopes {
		if scope != "" && id.HasScope(scope) {
			out = append(out, scope)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// missingScope carries a refusal from the protocol's middleware to the HTTP
// answer, which is where clients look for a challenge.
type missingScope struct {
	mu     sync.Mutex
	scopes []string
}

type scopeKey struct{}

func (m *missingScope) set(scopes []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.scopes = scopes
}

func (m *missingScope) get() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.scopes
}

// scopeWriter makes 403 with a challenge of an answer that was refused for its
// scope. The body is the protocol's own error.
type scopeWriter struct {
	http.ResponseWriter
	missing   *missingScope
	challenge func(scopes ...string) string
	written   bool
}

func (w *scopeWriter) WriteHeader(code int) {
	w.written = true
	if scopes := w.missing.get(); scopes != nil {
		w.Header().Set("WWW-Authenticate", w.challenge(scopes...))
		code = http.StatusForbidden
	}
	w.ResponseWriter.WriteHeader(code)
}

func (w *scopeWriter) Write(b []byte) (int, error) {
	if !w.written {
		w.WriteHeader(http.StatusOK)
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *scopeWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
