package auth

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"ken/corpora/acl"
)

// readHeader reads the first part of a token before any library does. It takes
// alg, kid and typ, and refuses every way to bring a key along or to change
// what is signed.
func readHeader(token string) (kid, alg string, err error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return "", "", errors.New("not a token of three parts")
	}
	data, err := base64.RawURLEncoding.Strict().DecodeString(parts[0])
	if err != nil {
		return "", "", errors.New("the header is not base64url")
	}
	h, err := strictObject(data)
	if err != nil {
		return "", "", fmt.Errorf("header: %w", err)
	}
	for _, refused := range []string{"crit", "jwk", "jku", "x5u", "x5c", "b64", "zip", "enc", "cty"} {
		if _, ok := h[refused]; ok {
			return "", "", fmt.Errorf("the header has %q", refused)
		}
	}
	typ := ""
	if raw, ok := h["typ"]; ok && json.Unmarshal(raw, &typ) != nil {
		return "", "", errors.New("the type is no text")
	}
	if !slices.Contains([]string{"", "jwt", "at+jwt", "application/at+jwt"}, strings.ToLower(typ)) {
		return "", "", errors.New("the type is not that of an access token")
	}
	if json.Unmarshal(h["alg"], &alg) != nil || json.Unmarshal(h["kid"], &kid) != nil || kid == "" || len(kid) > 256 {
		return "", "", errors.New("the header does not name its algorithm and its key")
	}
	return kid, alg, nil
}

// strictObject reads a JSON object in which, at every depth, no name stands
// twice: two readers could otherwise see two different tokens.
func strictObject(data []byte) (map[string]json.RawMessage, error) {
	if !utf8.Valid(data) {
		return nil, errors.New("not valid UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.New("not a JSON object")
	}
	if err := unique(d, '{', 1); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the object")
	}
	var out map[string]json.RawMessage
	return out, json.Unmarshal(data, &out)
}

const maxDepth = 16

// unique reads to the end of what was opened.
func unique(d *json.Decoder, opened json.Delim, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("nested deeper than %d", maxDepth)
	}
	seen := map[string]bool{}
	for d.More() {
		if opened == '{' {
			t, err := d.Token()
			name, _ := t.(string)
			if err != nil {
				return errors.New("not valid JSON")
			}
			if seen[name] {
				return errors.New("a name stands twice")
			}
			seen[name] = true
		}
		t, err := d.Token()
		if err != nil {
			return errors.New("not valid JSON")
		}
		if inner, ok := t.(json.Delim); ok {
			if err := unique(d, inner, depth+1); err != nil {
				return err
			}
		}
	}
	if _, err := d.Token(); err != nil {
		return errors.New("not valid JSON")
	}
	return nil
}

type claims map[string]json.RawMessage

// identity is what good claims say.
func (i *Issuer) identity(c claims) (Identity, error) {
	p, err := i.principal(c)
	if err != nil {
		return Identity{}, err
	}
	id := Identity{Principal: p, Credential: "token", Scopes: c.scopes()}
	if i.Scope != "" && !id.HasScope(i.Scope) {
		return Identity{}, ErrScope
	}
	if expires, ok, _ := c.instant("exp"); ok { // checked above
		id.Expires = expires.Add(i.Skew)
	}
	return id, nil
}

// checkClaims checks who made the token, for whom, and when it is good.
func (i *Issuer) checkClaims(c claims) error {
	var issuer string
	if !c.take("iss", &issuer) || issuer != i.Issuer {
		return errors.New("another issuer")
	}
	if _, ok := c["exp"]; !ok {
		return errors.New("no expiry")
	}
	return i.checkUse(c)
}

// checkAnswer is checkClaims for what introspection says, in which the issuer
// and the expiry may be missing: the provider itself says that it is good now.
func (i *Issuer) checkAnswer(c claims) error {
	var issuer, kind string
	if _, ok := c["iss"]; ok && (!c.take("iss", &issuer) || issuer != i.Issuer) {
		return errors.New("another issuer")
	}
	if _, ok := c["token_type"]; ok && (!c.take("token_type", &kind) || !strings.EqualFold(kind, "bearer") && !strings.EqualFold(kind, "access_token")) {
		return errors.New("not the type of an access token that its bearer may use")
	}
	return i.checkUse(c)
}

// checkUse checks for whom the token was made and when it is good.
func (i *Issuer) checkUse(c claims) error {
	audience, ok := c.texts("aud")
	if !ok || !slices.Contains(audience, i.Audience) {
		return errors.New("made for another audience")
	}
	now := i.Clock()
	expires, limited, err := c.instant("exp")
	if err != nil {
		return errors.New("the expiry is no time")
	}
	if limited && !now.Before(expires.Add(i.Skew)) {
		return errors.New("expired")
	}
	for _, name := range []string{"nbf", "iat"} {
		begins, ok, err := c.instant(name)
		if err != nil || ok && now.Before(begins.Add(-i.Skew)) {
			return fmt.Errorf("%s is not a time in the past", name)
		}
		if name == "iat" && i.MaxAge > 0 && (!ok || now.After(begins.Add(i.MaxAge+i.Skew))) {
			return fmt.Errorf("made more than %s ago, or it does not say when", i.MaxAge)
		}
	}
	return nil
}

// boundTo refuses a token that is bound to a key which the sender did not
// show: whoever stole it would be let in (RFC 8705; the key of a DPoP proof is
// never shown here).
func (c claims) boundTo(thumbprint string) error {
	raw, ok := c["cnf"]
	if !ok {
		return nil
	}
	var certificate struct {
		Thumbprint string `json:"x5t#S256"`
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if d.Decode(&certificate) != nil || certificate.Thumbprint == "" {
		return errors.New("bound to a key in a way that is not understood")
	}
	if certificate.Thumbprint != thumbprint {
		return errors.New("bound to another certificate than the connection's")
	}
	return nil
}

// principal is the claims' user and groups. A claim that is missing or has
// another shape is an error: without its groups a person might escape a deny.
func (i *Issuer) principal(c claims) (acl.Principal, error) {
	var name string
	if !c.take(i.UserClaim, &name) {
		return acl.Principal{}, fmt.Errorf("the claim %q is not a text", i.UserClaim)
	}
	user, err := acl.ParseSubject(string(acl.User(name)))
	if err != nil {
		return acl.Principal{}, fmt.Errorf("the claim %q names no user: %w", i.UserClaim, err)
	}
	subjects := []acl.Subject{user}
	if i.GroupsClaim == "" {
		return acl.NewPrincipal(subjects...), nil
	}
	var groups []*string
	if !c.take(i.GroupsClaim, &groups) || groups == nil {
		return acl.Principal{}, fmt.Errorf("the claim %q is not a list of texts", i.GroupsClaim)
	}
	if len(groups) > maxGroups {
		return acl.Principal{}, fmt.Errorf("the claim %q has %d groups, more than %d", i.GroupsClaim, len(groups), maxGroups)
	}
	for _, g := range groups {
		if g == nil {
			return acl.Principal{}, fmt.Errorf("the claim %q has a group that is null", i.GroupsClaim)
		}
		group, err := acl.ParseSubject(string(acl.Group(*g)))
		if err != nil {
			return acl.Principal{}, fmt.Errorf("the claim %q: %w", i.GroupsClaim, err)
		}
		subjects = append(subjects, group)
	}
	return acl.NewPrincipal(subjects...), nil
}

// scopes reads scope (RFC 9068) or scp, as some providers call it.
func (c claims) scopes() []string {
	var out []string
	for _, name := range []string{"scope", "scp"} {
		list, _ := c.texts(name)
		for _, s := range list {
			out = append(out, strings.Fields(s)...)
		}
	}
	return slices.DeleteFunc(out, func(s string) bool { return !IsScope(s) })
}

// take reads a claim that is there and not null.
func (c claims) take(name string, into any) bool {
	raw, ok := c[name]
	return ok && string(raw) != "null" && json.Unmarshal(raw, into) == nil
}

// texts reads a text or a list of texts.
func (c claims) texts(name string) ([]string, bool) {
	var one string
	if c.take(name, &one) {
		return []string{one}, true
	}
	var list []*string
	if !c.take(name, &list) || slices.Contains(list, nil) {
		return nil, false
	}
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = *s
	}
	return out, true
}

// maxInstant is the end of the year 9999, in seconds.
const maxInstant = 253402300799

// instant reads seconds since 1970. An error is a claim that is there and is no time.
func (c claims) instant(name string) (time.Time, bool, error) {
	raw, ok := c[name]
	if !ok {
		return time.Time{}, false, nil
	}
	var seconds float64
	if string(raw) == "null" || json.Unmarshal(raw, &seconds) != nil || seconds < 0 || seconds > maxInstant {
		return time.Time{}, false, fmt.Errorf("%s is no time", name)
	}
	return time.Unix(int64(seconds), 0), true, nil
}
