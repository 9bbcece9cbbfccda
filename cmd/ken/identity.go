package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/corpora/policy"
	"ken/retrieval"
	"ken/tools"
	"ken/tools/auth"
)

// identityOptions say who asks over HTTP.
type identityOptions struct {
	issuer     auth.IssuerOptions
	toolScopes map[string]string
}

func (o *identityOptions) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.issuer.Issuer, "issuer", "", "`URL` of the identity provider whose tokens are good, besides keys")
	f.StringVar(&o.issuer.Audience, "audience", "", "`URL` that tokens must be made for (default: --public-url)")
	f.StringVar(&o.issuer.UserClaim, "claim-user", "sub", "`CLAIM` that names the user")
	f.StringVar(&o.issuer.GroupsClaim, "claim-groups", "", "`CLAIM` that lists the groups; a token without it is refused (default: no groups from tokens)")
	f.StringVar(&o.issuer.Scope, "scope", "", "`SCOPE` that a token must have, whatever it is used for")
	f.StringToStringVar(&o.toolScopes, "tool-scope", nil, "`TOOL=SCOPE` that a key or token must have for the tool; nothing after = is none (default: search and fetch ken.read, others ken.admin)")
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

// authenticator takes keys, tokens, or both. Keys are needed only without a provider.
func (p *program) authenticator(o serveOptions) (auth.Authenticator, error) {
	keys, err := p.openKeys(o.keys, false)
	none := errors.Is(err, fs.ErrNotExist)
	i := o.identity.issuer
	switch {
	case err != nil && (!none || o.keys != ""):
		return nil, err
	case i.Issuer == "" && none:
		return nil, fmt.Errorf("there are no keys, so nobody could ask: make one with `ken keys create --as user:NAME,group:NAME`, name a provider with --issuer, or try `ken serve --http %s --demo`", o.http)
	case i.Issuer == "":
		return keys, nil
	}
	if i.Audience == "" {
		i.Audience = o.publicURL
	}
	i.Scopes = o.identity.offered()
	i.Clock, i.Log = p.now, slog.New(slog.NewJSONHandler(p.stderr, nil))
	issuer, err := auth.NewIssuer(i)
	if err != nil {
		return nil, usage("--issuer, --audience: %w", err)
	}
	if none {
		return issuer, nil
	}
	return auth.Either{Keys: keys, Issuer: issuer}, nil
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
	groups, err := policy.OpenDirectory(filepath.Join(dir, groupsFile))
	if os.IsNotExist(err) {
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

func (m member) Documents(ctx context.Context, p acl.Principal, prefix string, after corpora.DocID, limit int) ([]corpora.Document, error) {
	p, err := m.resolve(ctx, p)
	if err != nil {
		return nil, err
	}
	return m.searcher.Documents(ctx, p, prefix, after, limit)
}
