package auth

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"ken/corpora/acl"
)

// ErrUnauthenticated is the one answer to a missing, malformed, unknown,
// expired or revoked credential.
var ErrUnauthenticated = errors.New("unauthenticated")

// Identity is who asks.
type Identity struct {
	Principal  acl.Principal
	Credential string // public name of what proved it, such as a key's id

	// Scopes are what the credential may be used for; nil is nothing. They
	// limit the principal's rights and never add to them.
	Scopes  []string
	Expires time.Time // when the credential ends; zero if that is not known
}

// Scopes that ken gives a meaning. Others may be configured.
const (
	ScopeRead  = "ken.read"  // search and read
	ScopeAdmin = "ken.admin" // change what others may read
)

// HasScope reports whether the credential may be used for what needs the scope.
func (i Identity) HasScope(scope string) bool { return slices.Contains(i.Scopes, scope) }

// IsScope reports whether text is one scope as RFC 6749 writes it: printable
// ASCII without spaces, quotes and backslashes.
func IsScope(text string) bool {
	return text != "" && len(text) <= 256 && !strings.ContainsFunc(text, func(r rune) bool {
		return r <= ' ' || r == '"' || r == '\\' || r > '~'
	})
}

// Authenticator finds out who sent a request.
type Authenticator interface {
	// Authenticate returns the sender, or an error that wraps
	// ErrUnauthenticated. It looks at headers and the connection only, never
	// at the URL or the body.
	Authenticate(r *http.Request) (Identity, error)
	// Challenge is the value of WWW-Authenticate in a 401.
	Challenge() string
}

type identityKey struct{}

// FromContext returns the identity that [Require] found; the zero Identity,
// which may read nothing, if it did not run.
func FromContext(ctx context.Context) Identity {
	id, _ := ctx.Value(identityKey{}).(Identity)
	return id
}

// Require lets only authenticated requests through, with the identity in their
// context and without the credential: what is behind it cannot log it or pass it on.
func Require(a Authenticator, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, err := a.Authenticate(r)
		if scoped, ok := a.(interface{ ScopeChallenge() string }); ok && errors.Is(err, ErrScope) {
			w.Header().Set("WWW-Authenticate", scoped.ScopeChallenge())
			http.Error(w, "forbidden", http.StatusForbidden)
			return
		}
		if err != nil || id.Principal.IsZero() {
			w.Header().Set("WWW-Authenticate", a.Challenge())
			http.Error(w, "unauthorized", http.StatusUnauthorized)
			return
		}
		r = r.Clone(context.WithValue(r.Context(), identityKey{}, id))
		r.Header.Del("Authorization")
		next.ServeHTTP(w, r)
	})
}

// bearer returns the token of the only Authorization header.
func bearer(r *http.Request) (string, bool) {
	values := r.Header.Values("Authorization")
	if len(values) != 1 {
		return "", false
	}
	scheme, token, ok := strings.Cut(values[0], " ")
	return token, ok && strings.EqualFold(scheme, "bearer") && token != ""
}
