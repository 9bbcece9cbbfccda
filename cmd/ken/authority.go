package main

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"time"

	"ken/cmd/ken/internal/receipt"
	"ken/cmd/ken/internal/wire"
	"ken/corpora"
	"ken/corpora/acl"
	"ken/corpora/policy"
	"ken/eval/feedback"
	"ken/index"
	"ken/index/embedded"
	"ken/tools"
	"ken/tools/audit"
)

const rolesFile = "roles.yaml"

// authority is the roles of roles.yaml, for people with the groups that they
// belong to now.
type authority struct {
	roles   *policy.RolesFile
	resolve resolve // nil: there are no groups but those of credentials
}

// authority reads roles.yaml in the data directory, if it is there.
func (p *program) authority() (authority, error) {
	dir, err := p.dataDir()
	if err != nil {
		return authority{}, err
	}
	resolve, err := p.resolver()
	if err != nil {
		return authority{}, err
	}
	roles, err := policy.OpenRoles(filepath.Join(dir, rolesFile), tools.ToolNames(), func() (*acl.Groups, error) {
		if resolve == nil {
			return nil, nil
		}
		groups, err := p.groups()
		return &groups, err
	})
	return authority{roles, resolve}, err
}

func (a authority) Use(ctx context.Context, p acl.Principal, c policy.Credential, tool string) (policy.Use, error) {
	roles, err := a.roles.Current()
	if err == nil && a.resolve != nil {
		p, err = a.resolve(ctx, p)
	}
	if err != nil {
		return policy.Use{}, err
	}
	return roles.Use(p, c, tool), nil
}

// steward does what administrators ask for through their tools, in the same way
// as ken acl.
type steward struct {
	dir   string // data directory
	book  *policy.Book
	store *embedded.Store
}

func (s steward) Exists(ctx context.Context, id corpora.DocID) (bool, error) {
	_, err := s.store.Lookup(ctx, id)
	if errors.Is(err, index.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// Delete also keeps the document out when its source is read again, until `ken
// delete --allow-again`. Of what was pushed or written nothing is left; that goes
// first, as what is gone from the index cannot be named here again.
func (s steward) Delete(ctx context.Context, id corpora.DocID) error {
	d, err := s.store.Lookup(ctx, id)
	if err != nil {
		return err
	}
	if err := unspool(s.dir, receipt.Statement{Deleted: []receipt.Deleted{{ID: id, Source: d.Source}}, KeptOut: true}); err != nil {
		return err
	}
	return erase(ctx, s.book, s.store, id)
}

func (s steward) SetACL(ctx context.Context, id corpora.DocID, l acl.List) error {
	_, err := setOverride(ctx, s.book, s.store, id, false, func(policy.Override) policy.Override { return policy.Override{Set: &l} })
	return err
}

// surface puts the MCP surface over a knowledge base, with the groups and roles
// of the data directory. The closer ends logs and metrics.
func (p *program) surface(ctx context.Context, kb *wire.Base, o serveOptions) (*tools.Server, io.Closer, error) {
	searcher, err := p.withGroups(kb)
	if err != nil {
		return nil, nil, err
	}
	who, err := p.authority()
	if err != nil {
		return nil, nil, err
	}
	book, err := p.overrides()
	if err != nil {
		return nil, nil, err
	}
	dir, err := p.existingDir()
	if err != nil {
		return nil, nil, err
	}
	to := p.toolOptions(o)
	to.Authority, to.Administrator, to.Writer = who, steward{dir, book, kb.Store}, writer{p, dir, kb}
	to.Freshness = func(context.Context) (map[string]time.Time, error) { return p.lastReads() }
	var opened logs
	if o.audit != "" {
		log, err := audit.Open(p.path(o.audit))
		if err != nil {
			return nil, nil, err
		}
		to.Audit = func(_ context.Context, c tools.Call) error { return log.Append(c) }
		opened = append(opened, log)
	}
	if o.feedback {
		log, err := p.openFeedback(o.keepQueries)
		if err != nil {
			return nil, nil, errors.Join(err, opened.Close())
		}
		to.Feedback = log
		opened = append(opened, log)
	}
	if o.metrics != "" {
		m, stop, err := p.serveMetrics(ctx, o.metrics)
		if err != nil {
			return nil, nil, errors.Join(err, opened.Close())
		}
		to.Observe = m.Observe
		opened = append(opened, stop)
	}
	server, err := tools.New(searcher, to)
	if err != nil {
		return nil, nil, errors.Join(err, opened.Close())
	}
	return server, opened, nil
}

// logs are the files that a server writes to.
type logs []io.Closer

func (l logs) Close() (err error) {
	for _, c := range l {
		err = errors.Join(err, c.Close())
	}
	return err
}

func (p *program) openFeedback(keepQueries bool) (*feedback.Log, error) {
	dir, err := p.dataDir()
	if err != nil {
		return nil, err
	}
	return feedback.Open(filepath.Join(dir, feedbackFile), keepQueries)
}
