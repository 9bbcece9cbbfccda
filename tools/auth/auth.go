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

// ErrUnavailable says that whether a credential is good cannot be found out at
// the moment, because the provider does not answer. Nobody is let in.
var ErrUnavailable = errors.New("the identity provider cannot be asked")

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

// Person is equal for two identities of the same person, whatever groups each
// credential brings: a session belongs to it, and a refreshed token goes on
// with the session. Without a user it is the principal's key.
func (i Identity) Person() string {
	var users []string
	for _, s := range i.Principal.Subjects() {
		if s.IsUser() {
			users = append(users, string(s))
		}
	}
	if len(users) == 0 {
		return i.Principal.Key()
	}
	return strings.Join(users, "\x00")
}

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
	// ErrUnauthenticated, ErrUnavailable or ErrScope. It looks at headers and
	// the connection only, never at the URL or the body.
	Authenticate(r *http.Request) (Identity, error)
	// Challenge is the value of WWW-Authenticate in a 401.
	Challenge() string
	// ScopeChallenge is the value of WWW-Authenticate in a 403 to a credential
	// that lacks one of the scopes (none named: the one that all need).
	ScopeChallenge(scopes ...string) string
}

type identityKey struct{}

// FromContext returns the identity that [Require] found; the zero Identity,
// which may read nothing, if it did not run.
func FromContext(ctx context.Context) Identity {
	id, _ := ctx.Value(identityKey{}).(Identity)
	return id
}

// Require lets only authenticated requests through, with the identity in their
// context and without the credential: what is behind it cannot log it or pass
// it on. A request that lasts is authenticated again every so often (0: 5 s),
// and its context ends with its credential.
func Require(a Authenticator, every time.Duration, next http.Handler) http.Handler {
	if every <= 0 {
		every = defaultRecheck
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, err := authenticate(a, r)
		if err != nil {
			refuse(w, a, err)
			return
		}
		ctx, end := hold(r, a, id, every)
		defer end()
		inner := r.Clone(context.WithValue(ctx, identityKey{}, id))
		inner.Header.Del("Authorization")
		out := &heldWriter{ResponseWriter: w, held: ctx, refuse: func(w http.ResponseWriter, err error) { refuse(w, a, err) }}
		next.ServeHTTP(out, inner)
		out.end()
	})
}

// authenticate is a.Authenticate for whom the zero principal is nobody.
func authenticate(a Authenticator, r *http.Request) (Identity, error) {
	id, err := a.Authenticate(r)
	if err == nil && id.Principal.IsZero() {
		err = ErrUnauthenticated
	}
	return id, err
}

func isRefusal(err error) bool {
	return errors.Is(err, ErrUnauthenticated) || errors.Is(err, ErrScope) || errors.Is(err, ErrUnavailable)
}

// refuse answers with the status and the challenge that belong to the error,
// and with nothing else of it.
func refuse(w http.ResponseWriter, a Authenticator, err error) {
	switch {
	case errors.Is(err, ErrScope):
		w.Header().Set("WWW-Authenticate", a.ScopeChallenge())
		http.Error(w, "forbidden", http.StatusForbidden)
	case errors.Is(err, ErrUnavailable):
		w.Header().Set("Retry-After", retryAfter)
		http.Error(w, "who asks cannot be checked at the moment, try again in "+retryAfter+" s", http.StatusServiceUnavailable)
	default:
		w.Header().Set("WWW-Authenticate", a.Challenge())
		http.Error(w, "unauthorized", http.StatusUnauthorized)
	}
}

const retryAfter = "30" // seconds: as often as the provider's keys are asked for

// bearer returns the token of the only Authorization header.
func bearer(r *http.Request) (string, bool) {
	values := r.Header.Values("Authorization")
	if len(values) != 1 {
		return "", false
	}
	scheme, token, ok := strings.Cut(values[0], " ")
	return token, ok && strings.EqualFold(scheme, "bearer") && token != ""
}
