package auth

import (
	"net/http"
	"strings"
)

// Either takes what of the three is not nil: ken's own keys and a provider's
// tokens, told apart by how they begin, and certificates of connections on
// which no credential is sent. What is no good as one is not tried as another.
type Either struct {
	Keys         *Keys
	Issuer       *Issuer
	Certificates *Certificates
}

// Authenticate asks the one that the credential is for.
func (e Either) Authenticate(r *http.Request) (Identity, error) {
	if one := e.of(r); one != nil {
		return one.Authenticate(r)
	}
	return Identity{}, ErrUnauthenticated
}

func (e Either) of(r *http.Request) Authenticator {
	token, _ := bearer(r)
	switch sent := len(r.Header.Values("Authorization")) > 0; {
	case !sent && e.Certificates != nil:
		return e.Certificates
	case e.Keys != nil && (e.Issuer == nil || strings.HasPrefix(token, keyPrefix)):
		return e.Keys
	case e.Issuer != nil && !strings.HasPrefix(token, keyPrefix):
		return e.Issuer
	}
	return nil
}

// Challenge names the provider if there is one: whoever has a key or a
// certificate knows that it wants one.
func (e Either) Challenge() string { return e.challenger().Challenge() }

// ScopeChallenge is made by whoever makes the Challenge.
func (e Either) ScopeChallenge(scopes ...string) string {
	return e.challenger().ScopeChallenge(scopes...)
}

func (e Either) challenger() Authenticator {
	if e.Issuer != nil {
		return e.Issuer
	}
	return (*Keys)(nil)
}

// Metadata is the provider's; nil if there is none.
func (e Either) Metadata() ([]byte, error) {
	if e.Issuer == nil {
		return nil, nil
	}
	return e.Issuer.Metadata()
}
