package tools

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/corpora/policy"
	"ken/index"
	"ken/retrieval"
	"ken/tools/auth"
	"ken/tools/middleware"
)

// Searcher is what the tools need of retrieval. What each call returns is a
// function of the documents that the principal may read; an unknown document
// and an unreadable one are the same index.ErrNotFound.
type Searcher interface {
	Search(ctx context.Context, p acl.Principal, r retrieval.Request) (retrieval.Response, error)
	Fetch(ctx context.Context, p acl.Principal, id corpora.DocID, offset, limit int) (retrieval.Page, error)
	FetchVersion(ctx context.Context, p acl.Principal, id corpora.DocID, version string, offset, limit int) (retrieval.Page, error)
	Versions(ctx context.Context, p acl.Principal, id corpora.DocID) (now index.Version, earlier []index.Version, err error)
	Documents(ctx context.Context, p acl.Principal, prefix string, after corpora.DocID, limit int) ([]corpora.Document, error)
}

// Options of a [Server]. The zero value is good for one process.
type Options struct {
	Version string           // of ken, as clients see it; "" is "dev"
	Clock   func() time.Time // retrieved_at; nil is time.Now
	Log     *slog.Logger     // nil is silent

	// CursorKey seals the cursors of lists; processes that share clients must
	// share it. nil is a random one, otherwise 32 bytes.
	CursorKey []byte
	// DocumentURL, followed by the escaped id, is the URL of documents that
	// have none of their own, such as "https://kb.example.com/d/". Without it
	// they get their resource URI.
	DocumentURL string

	// ToolScopes are the scopes that a request's credential must have, by tool;
	// "" is none. A tool that is not named needs [auth.ScopeAdmin]. nil is
	// [DefaultToolScopes]. Over stdio there is no credential, and so no scope.
	ToolScopes map[string]string

	Timeout     time.Duration // of one call; 0 is 30 s
	Concurrency int           // calls that run at once; 0 is 100
	Queue       int           // calls that wait; 0 is 400. More are told that the server is busy

	// Authority says who may use which tool; nil lets everybody use those that
	// read, and nobody others.
	Authority Authority
	// Administrator does what the administrator's tools are asked to do; nil:
	// there are no such tools.
	Administrator Administrator
	// Writer keeps what people write; nil: there are no tools to write with.
	Writer Writer
	// Feedback keeps what the feedback tool is told; nil: there is no such tool.
	Feedback Recorder

	// Freshness tells when each source was last read to its end; a source that it
	// does not name was not. It is asked at each search, and answers name the
	// sources of their results alone. nil leaves it out.
	Freshness func(context.Context) (map[string]time.Time, error)

	// Observe is told of every call when it has ended; nil is nobody.
	Observe func(context.Context, Call)
	// Audit writes a call down before its answer leaves; nil is nobody. If it
	// fails, the answer is an internal error.
	Audit func(context.Context, Call) error
}

// Call is what can be known of a call without reading it.
type Call struct {
	Principal acl.Principal
	Method    string // "tools/call"
	Tool      string // "search"; "" if the method is another
	Kind      string // kind of error, "" if none
	Duration  time.Duration

	Time      time.Time         // when it began
	Client    string            // what the sender's program calls itself
	Session   string            // hash of the session's id; "" without one
	Arguments map[string]string // what was asked, without what a person wrote
	Left      []Left            // what left, each document once
}

const (
	defaultTimeout     = 30 * time.Second
	defaultConcurrency = 100
	defaultQueue       = 400
)

// WithDefaults fills in the zero values.
func (o Options) WithDefaults() Options {
	if o.Version == "" {
		o.Version = "dev"
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.CursorKey == nil {
		o.CursorKey = make([]byte, cursorKeySize)
		rand.Read(o.CursorKey)
	}
	if o.Authority == nil {
		o.Authority = anyoneReads{policy.DefaultRoles()}
	}
	if o.ToolScopes == nil {
		o.ToolScopes = DefaultToolScopes()
	}
	if o.Timeout == 0 {
		o.Timeout = defaultTimeout
	}
	if o.Concurrency == 0 {
		o.Concurrency = defaultConcurrency
	}
	if o.Queue == 0 {
		o.Queue = defaultQueue
	}
	return o
}

func (o Options) validate() error {
	if len(o.CursorKey) != cursorKeySize {
		return fmt.Errorf("cursor key has %d bytes, want %d", len(o.CursorKey), cursorKeySize)
	}
	if o.DocumentURL != "" && !isWebURL(o.DocumentURL) {
		return fmt.Errorf("document URL %q is not an http or https URL", o.DocumentURL)
	}
	for tool, scope := range o.ToolScopes {
		if scope != "" && !auth.IsScope(scope) {
			return fmt.Errorf("scope %q of tool %q: want one word", scope, tool)
		}
	}
	if o.Timeout < 0 || o.Concurrency < 0 || o.Queue < 0 {
		return errors.New("a limit is negative")
	}
	return nil
}

// Server is the MCP surface over one searcher. It is safe for concurrent use.
type Server struct {
	searcher  gate // never what is behind it
	opts      Options
	cursors   cursors
	gate      *middleware.Gate
	changes   *middleware.Gate // before gate, for what changes documents
	approvals *approvals
	fixtures  fixtures
}

// fixtures are what a test adds to the protocol's server. There are none
// outside of this package's tests.
type fixtures interface {
	configure(o *mcp.ServerOptions)
	register(b toolbox)
}

// New returns the surface over a searcher.
func New(s Searcher, o Options) (*Server, error) {
	if s == nil {
		return nil, errors.New("new tools server: no searcher")
	}
	o = o.WithDefaults()
	if err := o.validate(); err != nil {
		return nil, fmt.Errorf("new tools server: %w", err)
	}
	return &Server{
		searcher: gate{s}, opts: o,
		cursors:   newCursors(o.CursorKey),
		gate:      middleware.NewGate(o.Concurrency, o.Queue),
		changes:   middleware.NewGate(o.Concurrency/4, o.Concurrency/4),
		approvals: newApprovals(o.CursorKey, o.Clock),
	}, nil
}

// RunStdio serves the principal on standard input and output until the input
// ends or ctx does.
func (s *Server) RunStdio(ctx context.Context, p acl.Principal) error {
	return s.Run(ctx, p, drained{&mcp.StdioTransport{}})
}

// Run serves one principal over a transport that carries no identity of its own.
func (s *Server) Run(ctx context.Context, p acl.Principal, t mcp.Transport) error {
	if p.IsZero() {
		return errors.New("serve: no principal")
	}
	if err := s.protocol(p).Run(ctx, t); err != nil && ctx.Err() == nil {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}

// surface is a Server for one kind of transport.
type surface struct {
	*Server
	fixed acl.Principal   // who asks if a request does not say; zero over HTTP
	tools map[string]bool // that there are
}

// toolbox notes which tools its server has, so that one that nobody gave a
// scope is told from one that there is not.
type toolbox struct {
	*mcp.Server
	names map[string]bool
}

func (b toolbox) AddTool(t *mcp.Tool, h mcp.ToolHandler) {
	b.names[t.Name] = true
	b.Server.AddTool(t, h)
}

// protocol builds the protocol server. What it advertises is the same for
// everyone, except that tools are listed for those who may use them.
func (s *Server) protocol(fixed acl.Principal) *mcp.Server {
	at := surface{s, fixed, map[string]bool{}}
	options := &mcp.ServerOptions{
		Instructions:      instructions,
		CompletionHandler: at.complete,
		SetCacheable:      func(_ context.Context, _ mcp.Request, c *mcp.Cacheable) { *c = uncached },
		// No logging, no list changes, no subscriptions: none of them is served.
		Capabilities: &mcp.ServerCapabilities{
			Tools: &mcp.ToolCapabilities{}, Prompts: &mcp.PromptCapabilities{}, Resources: &mcp.ResourceCapabilities{},
		},
	}
	if s.fixtures != nil {
		s.fixtures.configure(options)
	}
	m := toolbox{mcp.NewServer(&mcp.Implementation{Name: "ken", Title: "ken", Version: s.opts.Version}, options), at.tools}
	m.AddTool(searchTool(), at.tool(at.search))
	m.AddTool(fetchTool(), at.tool(at.fetch))
	m.AddTool(versionsTool(), at.tool(at.versions))
	if s.opts.Feedback != nil {
		m.AddTool(feedbackTool(), at.tool(at.feedback))
	}
	if s.opts.Administrator != nil {
		m.AddTool(deleteTool(), at.administer(at.deleteOrder))
		m.AddTool(setACLTool(), at.administer(at.setACLOrder))
	}
	if s.opts.Writer != nil {
		m.AddTool(createTool(), at.administer(at.createOrder))
		m.AddTool(updateTool(), at.administer(at.updateOrder))
	}
	m.AddResourceTemplate(documentTemplate(), at.readResource)
	m.AddPrompt(answerPrompt(), at.answerWithCitations)
	if s.fixtures != nil {
		s.fixtures.register(m)
	}
	m.AddReceivingMiddleware(at.receive)
	return m.Server
}

// uncached is the cache hint of every answer: it is one person's, and the next
// may differ, because a permission is effective at once.
var uncached = mcp.Cacheable{CacheScope: "private"}

func isWebURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}
