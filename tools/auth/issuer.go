package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// ErrScope says that a good token lacks the scope that reading needs.
var ErrScope = errors.New("insufficient scope")

// IssuerOptions say whose tokens are good and who they speak for.
type IssuerOptions struct {
	Issuer   string // URL of the provider, exactly as its tokens name it; https, or loopback
	Audience string // URL of this server as clients type it; a token must be made for it (RFC 8707)

	UserClaim   string // claim that names the user; "" is "sub"
	GroupsClaim string // claim that lists the groups; "" takes none from tokens
	Scope       string // that a token must have; "" is none
	// Scopes are those that can be of use, the least first: clients are told
	// all of them, and are told to begin with the first.
	Scopes []string

	Introspection Introspection // of tokens that are not JSON Web Tokens

	// MaxAge is how long after its making (iat) a token's groups are believed,
	// however long it is good; 0 is until it expires.
	MaxAge time.Duration

	Skew   time.Duration    // between the provider's clock and ours; 0 is 30 s
	Clock  func() time.Time // nil is time.Now
	Log    *slog.Logger     // told why tokens are refused, without the token; nil is silent
	Client *http.Client     // fetches the provider's keys; nil is one with a limit of 3 s
}

// Issuer accepts access tokens of an identity provider: JSON Web Tokens as RFC
// 9068 has them, and others if the provider can be asked about them. It is an OAuth 2.1 resource server: it never sees a password,
// and passes no token on. Safe for concurrent use.
type Issuer struct {
	IssuerOptions
	keys   *keySet
	opaque *introspector
}

// algorithms are fixed: neither the token nor the provider chooses others. All
// are asymmetric, so that a public key is never taken for a secret.
var algorithms = []jose.SignatureAlgorithm{jose.RS256, jose.PS256, jose.ES256, jose.ES384, jose.EdDSA}

const (
	maxToken  = 32 << 10
	maxGroups = 1_000
)

// NewIssuer checks the options. The provider is asked when the first token
// comes, so that it may be down when ken starts.
func NewIssuer(o IssuerOptions) (*Issuer, error) {
	for _, u := range []struct{ what, url string }{{"issuer", o.Issuer}, {"audience", o.Audience}} {
		if err := checkURL(u.url); err != nil {
			return nil, fmt.Errorf("%s %q: %w", u.what, u.url, err)
		}
	}
	if o.Skew < 0 || o.Skew > 5*time.Minute {
		return nil, fmt.Errorf("skew %s is not between 0 and 5 min", o.Skew)
	}
	for _, s := range o.allScopes() {
		if !IsScope(s) {
			return nil, fmt.Errorf("scope %q: want one word", s)
		}
	}
	if err := o.Introspection.validate(); err != nil {
		return nil, err
	}
	if o.UserClaim == "" {
		o.UserClaim = "sub"
	}
	if o.Skew == 0 {
		o.Skew = 30 * time.Second
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Issuer{IssuerOptions: o, keys: newKeySet(o), opaque: newIntrospector(o)}, nil
}

// allScopes is Scope and Scopes, each once.
func (o IssuerOptions) allScopes() []string {
	var out []string
	for _, s := range append([]string{o.Scope}, o.Scopes...) {
		if s != "" && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

func checkURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return errors.New("want a URL such as https://login.example.com")
	case u.Scheme == "https", u.Scheme == "http" && loopback(u.Hostname()):
		return nil
	}
	return errors.New("it must be https: whoever is on the way could say who everybody is")
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Authenticate takes the token from the header "Authorization: Bearer TOKEN".
func (i *Issuer) Authenticate(r *http.Request) (Identity, error) {
	token, ok := bearer(r)
	if !ok {
		return Identity{}, ErrUnauthenticated
	}
	id, err := i.verify(r.Context(), token, thumbprint(r))
	switch {
	case errors.Is(err, ErrScope):
		return Identity{}, ErrScope
	case errors.Is(err, ErrUnavailable):
		i.Log.Error("token not checked", "error", err)
		return Identity{}, ErrUnavailable
	case err != nil:
		i.Log.Warn("token refused", "error", err)
		return Identity{}, ErrUnauthenticated
	}
	return id, nil
}

// Verify returns who a token speaks for that is not bound to a certificate.
// Errors are for operators: they say what is wrong and do not hold the token.
func (i *Issuer) Verify(ctx context.Context, token string) (Identity, error) {
	return i.verify(ctx, token, "")
}

func (i *Issuer) verify(ctx context.Context, token, thumbprint string) (Identity, error) {
	if len(token) > maxToken {
		return Identity{}, fmt.Errorf("the token has %d bytes, more than %d", len(token), maxToken)
	}
	c, err := i.claims(ctx, token)
	if err != nil {
		return Identity{}, err
	}
	if err := c.boundTo(thumbprint); err != nil {
		return Identity{}, err
	}
	return i.identity(c)
}

// claims are what the provider says of the token, in it or when it is asked.
// What is wrong with one kind is not tried as the other.
func (i *Issuer) claims(ctx context.Context, token string) (claims, error) {
	if i.Introspection.URL != "" && strings.Count(token, ".") != 2 {
		c, err := i.opaque.find(ctx, token)
		if err != nil {
			return nil, err
		}
		return c, i.checkAnswer(c)
	}
	payload, err := i.signed(ctx, token)
	if err != nil {
		return nil, err
	}
	c, err := strictObject(payload)
	if err != nil {
		return nil, fmt.Errorf("claims: %w", err)
	}
	return c, i.checkClaims(c)
}

// signed returns the payload if one of the provider's keys signed it.
func (i *Issuer) signed(ctx context.Context, token string) ([]byte, error) {
	kid, alg, err := readHeader(token)
	if err != nil {
		return nil, err
	}
	jws, err := jose.ParseSignedCompact(token, algorithms)
	if err != nil {
		return nil, errors.New("not a signed token of an accepted algorithm")
	}
	key, err := i.keys.find(ctx, kid)
	if err != nil {
		return nil, err
	}
	if key.Algorithm != "" && key.Algorithm != alg {
		return nil, fmt.Errorf("the token says %s, its key is for %s", alg, key.Algorithm)
	}
	payload, err := jws.Verify(key.Key)
	if err != nil {
		return nil, errors.New("the signature does not match")
	}
	return payload, nil
}

// Challenge tells a client without a good token where to get one (RFC 9728).
func (i *Issuer) Challenge() string {
	out := fmt.Sprintf(`Bearer resource_metadata="%s"`, i.metadataURL())
	if first := i.allScopes(); len(first) > 0 {
		out += fmt.Sprintf(`, scope="%s"`, first[0])
	}
	return out
}

// ScopeChallenge tells a client which scopes the next token needs (RFC 6750).
func (i *Issuer) ScopeChallenge(scopes ...string) string {
	if i.Scope != "" && !slices.Contains(scopes, i.Scope) {
		scopes = append([]string{i.Scope}, scopes...)
	}
	return fmt.Sprintf(`Bearer error="insufficient_scope", scope="%s", resource_metadata="%s"`, strings.Join(scopes, " "), i.metadataURL())
}

// MetadataPath is where the root's metadata stands; that of a resource with a
// path stands at this path followed by the resource's.
const MetadataPath = "/.well-known/oauth-protected-resource"

func (i *Issuer) metadataURL() string {
	u, err := url.Parse(i.Audience)
	if err != nil { // NewIssuer has refused it
		return ""
	}
	u.Path = MetadataPath + strings.TrimSuffix(u.Path, "/")
	return u.String()
}

// Metadata is the protected resource's metadata (RFC 9728).
func (i *Issuer) Metadata() ([]byte, error) {
	m := map[string]any{
		"resource": i.Audience, "authorization_servers": []string{i.Issuer},
		"bearer_methods_supported": []string{"header"}, "resource_name": "ken",
	}
	if scopes := i.allScopes(); len(scopes) > 0 {
		m["scopes_supported"] = scopes
	}
	return json.Marshal(m)
}
