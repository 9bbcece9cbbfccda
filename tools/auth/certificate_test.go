package auth_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"ken/corpora/acl"
	"ken/tools/auth"
)

// certify makes a certificate of the template by an authority; itself without one.
func certify(t *testing.T, template *x509.Certificate, by *tls.Certificate) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if template.SerialNumber == nil {
		template.SerialNumber = big.NewInt(7)
	}
	if template.NotAfter.IsZero() {
		template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	}
	parent, signer := template, any(key)
	if by != nil {
		parent, signer = by.Leaf, by.PrivateKey
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

func authority(t *testing.T) *tls.Certificate {
	t.Helper()
	ca := certify(t, &x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign, Subject: pkix.Name{CommonName: "ca"}}, nil)
	return &ca
}

func client(name pkix.Name, change ...func(*x509.Certificate)) *x509.Certificate {
	c := &x509.Certificate{Subject: name, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	for _, f := range change {
		f(c)
	}
	return c
}

// shown is a request over a connection on which the certificate was shown and verified.
func shown(t *testing.T, c tls.Certificate) *http.Request {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/mcp", nil)
	r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{c.Leaf}, VerifiedChains: [][]*x509.Certificate{{c.Leaf}}}
	return r
}

// TestCertificateMapping: the field that was configured names the user, exactly once, or nobody comes in.
func TestCertificateMapping(t *testing.T) {
	ca := authority(t)
	ann := pkix.Name{CommonName: "ann", OrganizationalUnit: []string{"hr"}}
	uri := must(url.Parse("spiffe://example.com/ann"))
	cn := asn1.ObjectIdentifier{2, 5, 4, 3}
	for name, c := range map[string]struct {
		field string
		cert  *x509.Certificate
		want  acl.Subject
	}{
		"common name":             {"cn", client(ann), "user:ann"},
		"no common name":          {"cn", client(pkix.Name{Organization: []string{"ann"}}), ""},
		"two common names":        {"cn", client(pkix.Name{ExtraNames: []pkix.AttributeTypeAndValue{{Type: cn, Value: "ann"}, {Type: cn, Value: "bob"}}}), ""},
		"invisible":               {"cn", client(pkix.Name{CommonName: "ann\u200b"}), ""},
		"e-mail":                  {"email", client(ann, func(c *x509.Certificate) { c.EmailAddresses = []string{"ann@example.com"} }), "user:ann@example.com"},
		"two e-mails":             {"email", client(ann, func(c *x509.Certificate) { c.EmailAddresses = []string{"a@example.com", "b@example.com"} }), ""},
		"no e-mail":               {"email", client(ann), ""},
		"DNS":                     {"dns", client(ann, func(c *x509.Certificate) { c.DNSNames = []string{"ann.example.com"} }), "user:ann.example.com"},
		"URI":                     {"uri", client(ann, func(c *x509.Certificate) { c.URIs = []*url.URL{uri} }), "user:spiffe://example.com/ann"},
		"URI wanted, has DNS":     {"uri", client(ann, func(c *x509.Certificate) { c.DNSNames = []string{"ann"} }), ""},
		"a unit that is no group": {"cn", client(pkix.Name{CommonName: "ann", OrganizationalUnit: []string{" hr"}}), ""},
		"expired since the handshake": {"cn", client(ann, func(c *x509.Certificate) {
			c.NotBefore, c.NotAfter = time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour)
		}), ""},
	} {
		who, err := auth.NewCertificates(auth.CertificateOptions{UserField: c.field, Groups: true})
		if err != nil {
			t.Fatal(err)
		}
		id, err := who.Authenticate(shown(t, certify(t, c.cert, ca)))
		if (err == nil) != (c.want != "") || id.Principal.User() != c.want || err == nil && !(id.Principal.Holds("group:hr") && id.HasScope("ken.read")) {
			t.Errorf("%s: %+v, %v", name, id, err)
		}
	}
	for _, field := range []string{"", "CN", "serial"} {
		if _, err := auth.NewCertificates(auth.CertificateOptions{UserField: field}); err == nil {
			t.Errorf("field %q accepted", field)
		}
	}
}

// TestCertificates shows certificates in real handshakes.
func TestCertificates(t *testing.T) {
	ca, other := authority(t), authority(t)
	keys := auth.NewMemory(auth.Options{})
	_, secret, err := keys.Create([]acl.Subject{"user:bob"}, time.Time{}, "")
	if err != nil {
		t.Fatal(err)
	}
	certificates, err := auth.NewCertificates(auth.CertificateOptions{UserField: "cn"})
	if err != nil {
		t.Fatal(err)
	}
	var asked acl.Subject
	server := httptest.NewUnstartedServer(auth.Require(auth.Either{Keys: keys, Certificates: certificates}, 0, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		asked = auth.FromContext(r.Context()).Principal.User()
	})))
	pool := x509.NewCertPool()
	pool.AddCert(ca.Leaf)
	server.TLS = &tls.Config{ClientCAs: pool, ClientAuth: tls.VerifyClientCertIfGiven}
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // handshakes that fail
	server.StartTLS()
	defer server.Close()
	ann := certify(t, client(pkix.Name{CommonName: "ann"}), ca)
	stranger := certify(t, client(pkix.Name{CommonName: "ann"}), other)
	forServers := certify(t, &x509.Certificate{Subject: pkix.Name{CommonName: "ann"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}, ca)
	for name, c := range map[string]struct {
		certificate *tls.Certificate
		bearer      string
		status      int // 0: the handshake fails
		want        acl.Subject
	}{
		"certificate":              {&ann, "", 200, "user:ann"},
		"none":                     {nil, "", 401, ""},
		"key":                      {nil, secret, 200, "user:bob"},
		"both: the key says who":   {&ann, secret, 200, "user:bob"},
		"certificate, a bad key":   {&ann, secret[:len(secret)-1] + "~", 401, ""},
		"another authority's":      {&stranger, "", 0, ""},
		"a server's own":           {&forServers, "", 0, ""},
		"another authority's, key": {&stranger, secret, 0, ""},
	} {
		asked = ""
		transport := server.Client().Transport.(*http.Transport).Clone()
		if c.certificate != nil { // shown whatever authorities the server asks for
			transport.TLSClientConfig.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return c.certificate, nil }
		}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		if c.bearer != "" {
			r.Header.Set("Authorization", "Bearer "+c.bearer)
		}
		res, err := transport.RoundTrip(r)
		status := 0
		if err == nil {
			status = res.StatusCode
			res.Body.Close()
		}
		transport.CloseIdleConnections()
		if status != c.status || asked != c.want {
			t.Errorf("%s: %d %v as %q, want %d as %q", name, status, err, asked, c.status, c.want)
		}
	}
}

// TestBoundTokens: a token that is bound to a certificate is good on a connection with that one only.
func TestBoundTokens(t *testing.T) {
	p := newProvider(t)
	i := p.issuer(t, func() time.Time { return instant })
	ca := authority(t)
	own, others := certify(t, client(pkix.Name{CommonName: "ann"}), ca), certify(t, client(pkix.Name{CommonName: "ann"}), ca)
	sum := sha256.Sum256(own.Leaf.Raw)
	bound := p.sign(p.header(), with(p.claims(), "cnf", map[string]string{"x5t#S256": base64.RawURLEncoding.EncodeToString(sum[:])}))
	try := func(r *http.Request) bool {
		r.Header.Set("Authorization", "Bearer "+bound)
		_, err := i.Authenticate(r)
		return err == nil
	}
	if !try(shown(t, own)) {
		t.Error("refused with its certificate")
	}
	if try(shown(t, others)) || try(httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/mcp", nil)) {
		t.Error("accepted without its certificate")
	}
	for _, cnf := range []any{nil, "x", []string{}, map[string]any{}, map[string]string{"jkt": "x"}, map[string]string{"x5t#S256": ""}} {
		if _, err := i.Verify(t.Context(), p.sign(p.header(), with(p.claims(), "cnf", cnf))); err == nil {
			t.Errorf("cnf %v accepted", cnf)
		}
	}
}
