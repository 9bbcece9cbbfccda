package auth

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"ken/corpora/acl"
)

// Fields of a certificate that can name its holder.
const (
	FieldCommonName = "cn"    // the subject's common name
	FieldEmail      = "email" // an e-mail address among the alternative names
	FieldDNS        = "dns"   // a DNS name among them
	FieldURI        = "uri"   // a URI among them, such as a SPIFFE id
)

// CertificateOptions say who a client certificate speaks for. The zero value
// refuses all.
type CertificateOptions struct {
	UserField string   // the field that names the user; it must be there exactly once
	Groups    bool     // whether the subject's organizational units are groups
	Scopes    []string // what a certificate may be used for; nil is [ScopeRead]

	Clock func() time.Time // nil is time.Now
	Log   *slog.Logger     // told why certificates are refused; nil is silent
}

// Certificates takes the client certificate of a TLS connection. That it leads
// to an authority which the operator named is checked by the TLS handshake.
type Certificates struct{ CertificateOptions }

// NewCertificates checks the options.
func NewCertificates(o CertificateOptions) (*Certificates, error) {
	if !slices.Contains([]string{FieldCommonName, FieldEmail, FieldDNS, FieldURI}, o.UserField) {
		return nil, fmt.Errorf("certificate field %q: want cn, email, dns or uri", o.UserField)
	}
	if o.Scopes == nil {
		o.Scopes = []string{ScopeRead}
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Certificates{o}, nil
}

// Authenticate takes the identity of the connection's certificate.
func (c *Certificates) Authenticate(r *http.Request) (Identity, error) {
	if r.TLS == nil || len(r.TLS.VerifiedChains) == 0 || len(r.TLS.PeerCertificates) == 0 {
		return Identity{}, ErrUnauthenticated
	}
	leaf := r.TLS.PeerCertificates[0]
	id, err := c.identity(leaf)
	if err != nil {
		c.Log.Warn("certificate refused", "error", err, "serial", leaf.SerialNumber.String())
		return Identity{}, ErrUnauthenticated
	}
	return id, nil
}

// Challenge cannot ask for a certificate, which is the handshake's affair; a
// 401 has to have one.
func (c *Certificates) Challenge() string { return `Bearer realm="ken"` }

// ScopeChallenge names the scopes.
func (c *Certificates) ScopeChallenge(scopes ...string) string {
	return (&Keys{}).ScopeChallenge(scopes...)
}

func (c *Certificates) identity(leaf *x509.Certificate) (Identity, error) {
	// The handshake may be long ago.
	if now := c.Clock(); now.Before(leaf.NotBefore) || !now.Before(leaf.NotAfter) {
		return Identity{}, errors.New("it is not good at this time")
	}
	names := c.users(leaf)
	if len(names) != 1 {
		return Identity{}, fmt.Errorf("it has %d names of the kind %q, want exactly one", len(names), c.UserField)
	}
	user, err := acl.ParseSubject(string(acl.User(names[0])))
	if err != nil {
		return Identity{}, fmt.Errorf("its name: %w", err)
	}
	subjects := []acl.Subject{user}
	if c.Groups {
		for _, unit := range leaf.Subject.OrganizationalUnit {
			group, err := acl.ParseSubject(string(acl.Group(unit)))
			if err != nil {
				return Identity{}, fmt.Errorf("its organizational unit: %w", err)
			}
			subjects = append(subjects, group)
		}
	}
	return Identity{
		Principal: acl.NewPrincipal(subjects...), Credential: "certificate " + leaf.SerialNumber.String(),
		Scopes: c.Scopes, Expires: leaf.NotAfter,
	}, nil
}

// users are the values of the field that names the user.
func (c *Certificates) users(leaf *x509.Certificate) []string {
	switch c.UserField {
	case FieldEmail:
		return leaf.EmailAddresses
	case FieldDNS:
		return leaf.DNSNames
	case FieldURI:
		var out []string
		for _, u := range leaf.URIs {
			out = append(out, u.String())
		}
		return out
	}
	var out []string
	for _, name := range leaf.Subject.Names { // CommonName is the last of several
		if value, ok := name.Value.(string); ok && name.Type.Equal([]int{2, 5, 4, 3}) {
			out = append(out, value)
		}
	}
	return out
}

// thumbprint is that of the connection's certificate as a token names it (RFC
// 8705), or "".
func thumbprint(r *http.Request) string {
	if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
		return ""
	}
	sum := sha256.Sum256(r.TLS.PeerCertificates[0].Raw)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
