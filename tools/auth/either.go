package auth

import (
	"net/http"
	"strings"
)

// Either takes ken's own keys and a provider's tokens, told apart by how they
// begin: a token that is no good is not tried as a key, nor a key as a token.
type Either struct {
	Keys   *Keys
	Issuer *Issuer
}

// Authenticate asks the one that the credential is for.
func (e Either) Authenticate(r *http.Request) (Identity, error) {
	if token, ok := bearer(r); ok && strings.HasPrefix(token, keyPrefix) {
		return e.Keys.Authenticate(r)
	}
	return e.Issuer.Authenticate(r)
}

// Challenge names the provider: whoever has a key knows that it wants one.
func (e Either) Challenge() string { return e.Issuer.Challenge() }

// ScopeChallenge is the provider's.
func (e Either) ScopeChallenge(scopes ...string) string { return e.Issuer.ScopeChallenge(scopes...) }

// Metadata is the provider's.
func (e Either) Metadata() ([]byte, error) { return e.Issuer.Metadata() }
