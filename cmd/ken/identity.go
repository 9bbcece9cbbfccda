package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/corpora/policy"
	"ken/index"
	"ken/retrieval"
	"ken/tools"
	"ken/tools/auth"
)

// identityOptions say who asks over HTTP.
type identityOptions struct {
	issuer     auth.IssuerOptions
	toolScopes map[string]string

	clientCA    string
	certificate auth.CertificateOptions
}

func (o *identityOptions) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.issuer.Issuer, "issuer", "", "`URL` of the identity provider whose tokens are good, besides keys")
	f.StringVar(&o.issuer.Audience, "audience", "", "`URL` that tokens must be made for (default: --public-url)")
	f.StringVar(&o.issuer.UserClaim, "claim-user", "sub", "`CLAIM` that names the user")
	f.DurationVar(&o.issuer.MaxAge, "token-max-age", 0, "refuse tokens that were made longer ago, whose groups may have changed since (default: until they expire)")
	f.StringVar(&o.issuer.GroupsClaim, "claim-groups", "", "`CLAIM` that lists the groups; a token without it is refused (default: no groups from tokens)")
	f.StringVar(&o.issuer.Introspection.URL, "introspect", "", "`URL` to ask about tokens that only the provider can read, with KEN_INTROSPECTION_ID and KEN_INTROSPECTION_SECRET from the environment")
	f.StringVar(&o.clientCA, "tls-client-ca", "", "`FILE` of the authorities (PEM) whose client certificates say who asks")
	f.StringVar(&o.certificate.UserField, "tls-client-user", "", "`FIELD` of a client certificate that names the user: cn, email, dns or uri")
	f.BoolVar(&o.certificate.Groups, "tls-client-groups", false, "the organizational units of a client certificate are groups")
	f.StringVar(&o.issuer.Scope, "scope", "", "`SCOPE` that a token must have, whatever it is used for")
	f.StringToStringVar(&o.toolScopes, "tool-scope", nil, "`TOOL=SCOPE` that a key or token must have for the tool; nothing after = is none (default: search, fetch and list_versions ken.read, others ken.admin)")
}

// scopes are the default scopes with those that were given.
func (o *identityOptions) scopes() map[string]string {
	out := tools.DefaultToolScopes()
	maps.Copy(out, o.toolScopes)
	return out
}

// offered are the scopes that clients are told of, that of reading first.
func (o *identityOptions) offered() []string {
	scopes := o.scopes()
	out := []string{scopes["search"], scopes["fetch"]}
	return append(out, slices.Sorted(maps.Values(scopes))...)
}

// authenticator takes keys, tokens, certificates, or several of them. One of them is needed.
func (p *program) authenticator(o serveOptions) (auth.Authenticator, error) {
	var who auth.Either
	keys, err := p.openKeys(o.keys, false)
	switch {
	case err == nil:
		who.Keys = keys
	case !errors.Is(err, fs.ErrNotExist) || o.keys != "":
		return nil, err
	}
	if who.Issuer, err = p.issuer(o); err != nil {
		return nil, err
	}
	if who.Certificates, err = p.certificates(o.identity); err != nil {
		return nil, err
	}
	if who == (auth.Either{}) {
		return nil, fmt.Errorf("there are no keys, so nobody could ask: make one with `ken keys create --as user:NAME,group:NAME`, name a provider with --issuer, or try `ken serve --http %s --demo`", o.http)
	}
	return who, nil
}

// Environment variables that hold what no command line should.
const (
	envIntrospectionID     = "KEN_INTROSPECTION_ID"
	envIntrospectionSecret = "KEN_INTROSPECTION_SECRET"
)

// issuer is the identity provider; nil if none is named.
func (p *program) issuer(o serveOptions) (*auth.Issuer, error) {
	i := o.identity.issuer
	if i.Issuer == "" {
		if i.Introspection.URL != "" {
			return nil, usage("--introspect is about the tokens of a provider: name it with --issuer")
		}
		return nil, nil
	}
	if i.Audience == "" {
		i.Audience = o.publicURL
	}
	if i.Introspection.URL != "" {
		i.Introspection.ID, i.Introspection.Secret = p.getenv(envIntrospectionID), p.getenv(envIntrospectionSecret)
		if i.Introspection.ID == "" || i.Introspection.Secret == "" {
			return nil, usage("--introspect: set %s and %s to what the provider knows ken by", envIntrospectionID, envIntrospectionSecret)
		}
	}
	i.Scopes = o.identity.offered()
	i.Clock, i.Log = p.now, p.logger()
	issuer, err := auth.NewIssuer(i)
	if err != nil {
		return nil, usage("--issuer, --audience, --introspect: %w", err)
	}
	return issuer, nil
}

// certificates is who client certificates speak for; nil if none are taken.
func (p *program) certificates(o identityOptions) (*auth.Certificates, error) {
	if o.clientCA == "" {
		if o.certificate.UserField != "" || o.certificate.Groups {
			return nil, usage("--tls-client-user and --tls-client-groups belong to --tls-client-ca")
		}
		return nil, nil
	}
	c := o.certificate
	c.Clock, c.Log = p.now, p.logger()
	certificates, err := auth.NewCertificates(c)
	if err != nil {
		return nil, usage("--tls-client-user: %w", err)
	}
	return certificates, nil
}

// tlsConfig is nil without a certificate of the server's own.
func tlsConfig(o serveOptions) (*tls.Config, error) {
	if o.tlsCert == "" {
		if o.identity.clientCA != "" {
			return nil, usage("--tls-client-ca needs --tls-cert and --tls-key: certificates are shown on connections that ken encrypts itself")
		}
		return nil, nil
	}
	cert, err := tls.LoadX509KeyPair(o.tlsCert, o.tlsKey)
	if err != nil {
		return nil, fmt.Errorf("read the certificate: %w", err)
	}
	c := &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	if o.identity.clientCA == "" {
		return c, nil
	}
	data, err := os.ReadFile(o.identity.clientCA)
	if err != nil {
		return nil, fmt.Errorf("read the client authorities: %w", err)
	}
	c.ClientCAs = x509.NewCertPool()
	if !c.ClientCAs.AppendCertsFromPEM(data) {
		return nil, fmt.Errorf("read the client authorities: %s has no certificate in PEM", o.identity.clientCA)
	}
	c.ClientAuth = tls.VerifyClientCertIfGiven // keys and tokens are good without one
	return c, nil
}

// member is a searcher that finds out, at each question, which groups the
// asker belongs to.
type member struct {
	searcher tools.Searcher
	resolve  resolve
}

// resolve adds to a principal the groups that it belongs to now.
type resolve func(context.Context, acl.Principal) (acl.Principal, error)

// resolver reads groups.yaml in the data directory, if it is there; else nil.
func (p *program) resolver() (resolve, error) {
	dir, err := p.dataDir()
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, groupsFile)
	groups, err := policy.OpenDirectory(file)
	if policy.Missing(file, err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, who acl.Principal) (acl.Principal, error) {
		return groups.Resolve(ctx, who, p.now)
	}, nil
}

// withGroups adds the groups of groups.yaml in the data directory, if it is there.
func (p *program) withGroups(s tools.Searcher) (tools.Searcher, error) {
	r, err := p.resolver()
	if r == nil || err != nil {
		return s, err
	}
	return member{s, r}, nil
}

// asker reads --as and adds the groups of groups.yaml, as serving does.
func (p *program) asker(ctx context.Context, subjects string) (acl.Principal, error) {
	who, err := principal(subjects)
	if err != nil {
		return acl.Principal{}, err
	}
	r, err := p.resolver()
	if r == nil || err != nil {
		return who, err
	}
	return r(ctx, who)
}

func (m member) Search(ctx context.Context, p acl.Principal, r retrieval.Request) (retrieval.Response, error) {
	p, err := m.resolve(ctx, p)
	if err != nil {
		return retrieval.Response{}, err
	}
	return m.searcher.Search(ctx, p, r)
}

func (m member) Fetch(ctx context.Context, p acl.Principal, id corpora.DocID, offset, limit int) (retrieval.Page, error) {
	p, err := m.resolve(ctx, p)
	if err != nil {
		return retrieval.Page{}, err
	}
	return m.searcher.Fetch(ctx, p, id, offset, limit)
}

func (m member) FetchVersion(ctx context.Context, p acl.Principal, id corpora.DocID, version string, offset, limit int) (retrieval.Page, error) {
	p, err := m.resolve(ctx, p)
	if err != nil {
		return retrieval.Page{}, err
	}
	return m.searcher.FetchVersion(ctx, p, id, version, offset, limit)
}

func (m member) Versions(ctx context.Context, p acl.Principal, id corpora.DocID) (now index.Version, earlier []index.Version, err error) {
	p, err = m.resolve(ctx, p)
	if err != nil {
		return now, nil, err
	}
	return m.searcher.Versions(ctx, p, id)
}

func (m member) Documents(ctx context.Context, p acl.Principal, prefix string, after corpora.DocID, limit int) ([]corpora.Document, error) {
	p, err := m.resolve(ctx, p)
	if err != nil {
		return nil, err
	}
	return m.searcher.Documents(ctx, p, prefix, after, limit)
}
