package tools

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/index"
	"ken/retrieval"
)

// Left is what left of one document: which bytes of its text, or, without
// spans, that it is there and what it is called.
type Left struct {
	Document corpora.DocID
	Version  string
	Spans    []index.Span
}

// departures collects what leaves in one call.
type departures struct {
	mu   sync.Mutex
	left []Left
}

type departuresKey struct{}

// leave notes what is about to leave. A document that was noted already is
// noted as it is now: a page that was read anew replaces the first reading.
func leave(ctx context.Context, left ...Left) {
	d, ok := ctx.Value(departuresKey{}).(*departures)
	if !ok {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, l := range left {
		d.left = slices.DeleteFunc(d.left, func(old Left) bool { return old.Document == l.Document })
		d.left = append(d.left, l)
	}
}

func (d *departures) all() []Left {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.left)
}

// gate is the searcher as the surface has it: the one way by which content
// comes out of retrieval, and so the place where it is noted.
type gate struct{ searcher Searcher }

func (g gate) Search(ctx context.Context, p acl.Principal, r retrieval.Request) (retrieval.Response, error) {
	found, err := g.searcher.Search(ctx, p, r)
	if err != nil {
		return retrieval.Response{}, err
	}
	for _, r := range found.Results {
		l := Left{Document: r.Document.ID, Version: r.Document.Version}
		for _, p := range r.Passages {
			l.Spans = append(l.Spans, p.Span)
		}
		if s := r.Snippet; s.Text != "" && !slices.ContainsFunc(l.Spans, func(p index.Span) bool { return p.Start <= s.Span.Start && s.Span.End <= p.End }) {
			l.Spans = append(l.Spans, s.Span)
		}
		leave(ctx, l)
		for _, id := range r.Duplicates {
			leave(ctx, Left{Document: id})
		}
	}
	return found, nil
}

func (g gate) Fetch(ctx context.Context, p acl.Principal, id corpora.DocID, offset, limit int) (retrieval.Page, error) {
	return leavePage(ctx)(g.searcher.Fetch(ctx, p, id, offset, limit))
}

func (g gate) FetchVersion(ctx context.Context, p acl.Principal, id corpora.DocID, version string, offset, limit int) (retrieval.Page, error) {
	return leavePage(ctx)(g.searcher.FetchVersion(ctx, p, id, version, offset, limit))
}

// Versions notes the names of all that it lists.
func (g gate) Versions(ctx context.Context, p acl.Principal, id corpora.DocID) (index.Version, []index.Version, error) {
	now, earlier, err := g.searcher.Versions(ctx, p, id)
	if err != nil {
		return index.Version{}, nil, err
	}
	leave(ctx, Left{Document: id, Version: now.Document.Version})
	for _, v := range earlier {
		leave(ctx, Left{Document: id, Version: v.Document.Version})
	}
	return now, earlier, nil
}

// current is the version that a document has, and whether the principal may read
// it. It notes nothing: whoever tells the version does.
func (g gate) current(ctx context.Context, p acl.Principal, id corpora.DocID) (version string, reads bool, err error) {
	now, _, err := g.searcher.Versions(ctx, p, id)
	if errors.Is(err, index.ErrNotFound) {
		return "", false, nil
	}
	return now.Document.Version, err == nil, err
}

// leavePage notes a page that was read.
func leavePage(ctx context.Context) func(retrieval.Page, error) (retrieval.Page, error) {
	return func(page retrieval.Page, err error) (retrieval.Page, error) {
		if err != nil {
			return retrieval.Page{}, err
		}
		leave(ctx, Left{page.Document.ID, page.Document.Version, []index.Span{page.Span}})
		return page, nil
	}
}

// Documents notes nothing: a list asks for one more than it shows.
func (g gate) Documents(ctx context.Context, p acl.Principal, prefix string, after corpora.DocID, limit int) ([]corpora.Document, error) {
	return g.searcher.Documents(ctx, p, prefix, after, limit)
}

func leaveNames(ctx context.Context, docs []corpora.Document) {
	for _, d := range docs {
		leave(ctx, Left{Document: d.ID, Version: d.Version})
	}
}

// errAudit says that a call could not be written down, so that nothing leaves.
var errAudit = errors.New("the audit log cannot be written")

// audited tells the auditor of a call before its answer leaves.
func (s surface) audited(ctx context.Context, c Call, res mcp.Result, err error) (mcp.Result, error) {
	if s.opts.Audit == nil {
		return res, err
	}
	if aerr := s.opts.Audit(ctx, c); aerr != nil {
		return nil, s.explained(ctx, fmt.Errorf("%w: %w", errAudit, aerr)).protocolError()
	}
	return res, err
}

// open are the arguments whose values say nothing of what was asked about. All
// others are told by their length.
var open = map[string]bool{
	"id": true, "uri": true, "limit": true, "max_tokens": true, "offset": true, "mode": true, "source": true, "path": true, "type": true,
	"language": true, "tags": true, "class": true, "after": true, "before": true, "include_superseded": true, "allow": true, "deny": true,
	"if_version": true, "media_type": true,
}

const maxShown = 1 << 10 // bytes of one argument in an audit record

// redacted are a request's arguments without what a person wrote.
func redacted(req mcp.Request) map[string]string {
	out := map[string]string{}
	switch r := req.(type) {
	case *mcp.CallToolRequest:
		if r.Params == nil {
			return nil
		}
		var values map[string]json.RawMessage
		if json.Unmarshal(r.Params.Arguments, &values) != nil {
			return map[string]string{"arguments": length(len(r.Params.Arguments))}
		}
		for name, value := range values {
			if open[name] && len(value) <= maxShown {
				out[name] = line(string(value))
			} else {
				out[known(name)] = length(len(value))
			}
		}
	case *mcp.ReadResourceRequest:
		if r.Params != nil && len(r.Params.URI) <= maxShown {
			out["uri"] = line(r.Params.URI)
		}
	}
	return out
}

// known is the name of an argument, unless somebody hid text in it.
func known(name string) string {
	if open[name] || name == "query" || name == "title" || name == "text" {
		return name
	}
	return "unknown"
}

func length(n int) string { return fmt.Sprintf("(%d bytes)", n) }

// client is what the sender's program calls itself.
func client(req mcp.Request) (name, session string) {
	ss, ok := req.GetSession().(*mcp.ServerSession)
	if !ok || ss == nil {
		return "", ""
	}
	if params := ss.InitializeParams(); params != nil && params.ClientInfo != nil {
		name = line(params.ClientInfo.Name + " " + params.ClientInfo.Version)
		name = name[:min(len(name), 100)]
	}
	if id := ss.ID(); id != "" { // a hash: the id itself would let a reader of the log speak
		sum := sha256.Sum256([]byte(id))
		session = hex.EncodeToString(sum[:8])
	}
	return name, session
}
