package mcp

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"ken/corpora"
	"ken/corpora/policy"
	"ken/corpora/source/item"
	"ken/corpora/source/remote"
)

// Options of a server. Transport is needed.
type Options struct {
	item.Options
	Transport    func() mcp.Transport // makes a new connection; a lost one is made again
	MaxResources int                  // more is an error; 0 is 100,000
	Calls        remote.Options
}

// Source is the resources of a server. It is safe for concurrent use.
type Source struct {
	options Options
	calls   *remote.Caller

	mu      sync.Mutex
	session *mcp.ClientSession // nil until it is needed
}

var _ corpora.Source = (*Source)(nil)

// New returns the source of a server's resources. Nothing is asked before it is
// listed. The caller closes it, after the last Load.
func New(o Options) (*Source, error) {
	o.Options = o.Options.WithDefaults()
	if o.MaxResources == 0 {
		o.MaxResources = 100_000
	}
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if o.Transport == nil {
		return nil, fmt.Errorf("mcp %s: no transport", o.Name)
	}
	return &Source{options: o, calls: remote.New(o.Calls)}, nil
}

// Name returns the source's name.
func (s *Source) Name() string { return s.options.Name }

// Close ends the connection.
func (s *Source) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.session == nil {
		return nil
	}
	err := s.session.Close()
	s.session = nil
	return err
}

// do calls the server, over a new connection if the last one was lost.
func (s *Source) do(ctx context.Context, call func(context.Context, *mcp.ClientSession) error) error {
	return s.calls.Do(ctx, func(ctx context.Context) error {
		session, err := s.connected(ctx)
		if err == nil {
			err = call(ctx, session)
		}
		return s.verdict(ctx, session, err)
	})
}

func (s *Source) connected(ctx context.Context) (*mcp.ClientSession, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.session != nil {
		return s.session, nil
	}
	c := mcp.NewClient(&mcp.Implementation{Name: "ken", Version: "1"}, nil)
	session, err := c.Connect(ctx, s.options.Transport(), nil)
	s.session = session
	return session, err
}

// gone reports whether an answer says that the server does not have a resource:
// -32002 before protocol 2026-07-28, since then a wrong parameter, and the
// parameter is a URI that the server itself gave out.
func gone(answer *jsonrpc.Error) bool {
	return answer.Code == -32002 || answer.Code == jsonrpc.CodeInvalidParams && strings.Contains(string(answer.Data), `"uri"`)
}

// verdict tells what another attempt may mend: all that is no answer.
func (s *Source) verdict(ctx context.Context, session *mcp.ClientSession, err error) error {
	if err == nil || ctx.Err() != nil {
		return err
	}
	if answer, ok := errors.AsType[*jsonrpc.Error](err); ok {
		if gone(answer) {
			return fmt.Errorf("%w: %w", corpora.ErrGone, err)
		}
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.session == session && session != nil {
		_ = session.Close() // it is lost already
		s.session = nil
	}
	return remote.Passing(err, 0)
}

// listed is a resource of a listing.
type listed struct {
	path, mark string
	resource   *mcp.Resource
	err        error
}

// Changes lists all resources in the byte order of their paths; the cursor is not
// looked at.
func (s *Source) Changes(ctx context.Context, _ corpora.Cursor) iter.Seq2[corpora.Change, error] {
	return func(yield func(corpora.Change, error) bool) {
		all, err := s.list(ctx)
		if err != nil {
			yield(corpora.Change{}, fmt.Errorf("mcp %s: the listing is not complete: %w", s.Name(), err))
			return
		}
		for _, l := range all {
			if !yield(s.put(l)) {
				return
			}
		}
		yield(corpora.Change{Op: corpora.Complete}, nil)
	}
}

func (s *Source) put(l listed) (corpora.Change, error) {
	if l.err != nil {
		id := s.options.ID(l.path)
		return corpora.Change{Op: corpora.Put, ID: id}, fmt.Errorf("document %s: %w", id, l.err)
	}
	load := func(ctx context.Context) (item.Item, error) { return s.load(ctx, l) }
	return s.options.Put(l.path, s.options.Stamp(l.path, l.mark), load)
}

func (s *Source) list(ctx context.Context) ([]listed, error) {
	var out []listed
	cursor, seen := "", map[string]bool{}
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		var page *mcp.ListResourcesResult
		err := s.do(ctx, func(ctx context.Context, c *mcp.ClientSession) (err error) {
			page, err = c.ListResources(ctx, &mcp.ListResourcesParams{Cursor: cursor})
			return err
		})
		if err != nil {
			return nil, err
		}
		for _, r := range page.Resources {
			out = append(out, listed{path: pathOf(r.URI), resource: r})
		}
		cursor = page.NextCursor
		switch {
		case cursor == "":
			return s.marked(ctx, out)
		case seen[cursor]:
			return nil, errors.New("the next page is one that was there already")
		case len(out) > s.options.MaxResources:
			return nil, fmt.Errorf("there are more than %d resources", s.options.MaxResources)
		}
		seen[cursor] = true
	}
}

// marked finds out whether each resource changed.
func (s *Source) marked(ctx context.Context, all []listed) ([]listed, error) {
	for i := range all {
		l := &all[i]
		says, _ := json.Marshal(l.resource.Meta[aclKey]) // it came from JSON
		if a := l.resource.Annotations; a != nil && a.LastModified != "" {
			l.mark = fmt.Sprintf("%q %q %s", a.LastModified, l.resource.Title, says)
			continue
		}
		it, err := s.load(ctx, *l)
		switch {
		case errors.Is(err, corpora.ErrUnavailable), ctx.Err() != nil:
			return nil, err
		case err != nil:
			l.err = err
		}
		h := sha256.Sum256(it.Data)
		l.mark = fmt.Sprintf("%s %q %s", hex.EncodeToString(h[:]), l.resource.Title, says)
	}
	all = slices.DeleteFunc(all, func(l listed) bool { return errors.Is(l.err, corpora.ErrGone) })
	slices.SortFunc(all, func(a, b listed) int { return strings.Compare(a.path, b.path) })
	return all, nil
}

// pathOf is a URI without its scheme.
func pathOf(uri string) string {
	_, rest, ok := strings.Cut(uri, "://")
	if !ok {
		rest = uri
	}
	if plain, err := url.PathUnescape(rest); err == nil {
		rest = plain
	}
	return strings.Trim(rest, "/")
}

// load reads a resource as it is now, with the readers that it was listed with.
func (s *Source) load(ctx context.Context, l listed) (item.Item, error) {
	var got *mcp.ReadResourceResult
	err := s.do(ctx, func(ctx context.Context, c *mcp.ClientSession) (err error) {
		got, err = c.ReadResource(ctx, &mcp.ReadResourceParams{URI: l.resource.URI})
		return err
	})
	if err != nil {
		return item.Item{}, err
	}
	it := item.Item{Path: l.path, Title: l.resource.Title, MediaType: l.resource.MIMEType}
	for _, c := range got.Contents {
		if len(it.Data) > 0 {
			it.Data = append(it.Data, "\n\n"...)
		}
		it.Data = append(append(it.Data, c.Text...), c.Blob...)
		if c.MIMEType != "" {
			it.MediaType = c.MIMEType
		}
	}
	if a := l.resource.Annotations; a != nil {
		if t, err := time.Parse(time.RFC3339, a.LastModified); err == nil {
			it.Modified = t
		}
	}
	it.Says, err = says(l.resource.Meta)
	return it, err
}

// aclKey is where a resource's metadata says who may read it.
const aclKey = "ken/acl"

func says(meta mcp.Meta) (policy.Statement, error) {
	v, ok := meta[aclKey]
	if !ok {
		return policy.Statement{}, nil
	}
	b, err := json.Marshal(v)
	if err != nil {
		return policy.Statement{}, err
	}
	return policy.ParseSidecar(b) // JSON is YAML
}
