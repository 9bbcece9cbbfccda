package tools

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	sdkauth "github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"ken/corpora/acl"
	"ken/tools/auth"
	"ken/tools/middleware"
)

// HTTPOptions say how a [Server] is served over HTTP. The zero value refuses:
// there is no serving without an Authenticator.
type HTTPOptions struct {
	Authenticator auth.Authenticator // who asks; required

	// TLS encrypts. Without it only loopback addresses are served, unless
	// TrustProxy says that a proxy in front of ken ends TLS and that nobody
	// else can reach the address.
	TLS        *tls.Config
	TrustProxy bool
	// Demo says that keys and documents are for show: loopback only, always.
	Demo bool

	// PublicURL is the URL that clients use if it is not the listener's own,
	// behind a proxy on this machine for example. Its host is then a good one.
	PublicURL string
	// Origins are web pages' origins, such as "https://chat.example.com",
	// whose scripts may call. Pages of this machine may if the listener is loopback.
	Origins []string

	MaxBody         int64         // bytes of one request; 0 is 4 MiB
	Concurrency     int           // requests at once, of all and of one principal; 0 is 100
	Queue           int           // requests that wait, of all and of one principal; 0 is 400
	MaxSessions     int           // 0 is 1,000
	SessionsEach    int           // of one person; 0 is 50
	SessionTimeout  time.Duration // idle; 0 is 30 min
	ShutdownTimeout time.Duration // for requests that run when serving ends; 0 is 10 s

	// Recheck is how often a request that lasts, such as a stream, is
	// authenticated again; 0 is 5 s. It ends when its credential does.
	Recheck time.Duration

	NewRequestID func() string // X-Request-Id; nil makes random ones
}

// WithDefaults fills in the zero values.
func (o HTTPOptions) WithDefaults() HTTPOptions {
	if o.MaxBody == 0 {
		o.MaxBody = 4 << 20
	}
	if o.Concurrency == 0 {
		o.Concurrency = defaultConcurrency
	}
	if o.Queue == 0 {
		o.Queue = defaultQueue
	}
	if o.MaxSessions == 0 {
		o.MaxSessions = 1_000
	}
	if o.SessionsEach == 0 {
		o.SessionsEach = 50
	}
	if o.SessionTimeout == 0 {
		o.SessionTimeout = 30 * time.Minute
	}
	if o.ShutdownTimeout == 0 {
		o.ShutdownTimeout = 10 * time.Second
	}
	return o
}

// ErrInsecure is wrapped by the refusal to serve in a way that is not safe.
var ErrInsecure = errors.New("refused")

// Validate reports why these options must not be served at the address. Errors
// about safety wrap [ErrInsecure] and say what to do.
func (o HTTPOptions) Validate(addr net.Addr) error {
	loopback := isLoopback(addr)
	switch {
	case o.Authenticator == nil:
		return fmt.Errorf("serve HTTP: %w: nothing says who asks; make a key file and give it", ErrInsecure)
	case o.Demo && !loopback:
		return fmt.Errorf("serve HTTP: %w: a demo is served on loopback only, not on %s", ErrInsecure, addr)
	case !loopback && o.TLS == nil && !o.TrustProxy:
		return fmt.Errorf("serve HTTP: %w: keys would cross the network in the clear at %s; give a certificate, or say that a proxy in front ends TLS", ErrInsecure, addr)
	case o.PublicURL != "" && !isWebURL(o.PublicURL):
		return fmt.Errorf("serve HTTP: public URL %q is not an http or https URL", o.PublicURL)
	case o.MaxBody < 0 || o.Concurrency < 0 || o.Queue < 0 || o.MaxSessions < 0 || o.SessionsEach < 0 || o.SessionTimeout < 0 || o.Recheck < 0 || o.ShutdownTimeout < 0:
		return errors.New("serve HTTP: a limit is negative")
	}
	return nil
}

func isLoopback(addr net.Addr) bool {
	host, _, err := net.SplitHostPort(addr.String())
	return err == nil && middleware.IsLoopback(host)
}

// Paths that are served.
const (
	PathMCP    = "/mcp"
	PathHealth = "/healthz"
)

// ServeHTTP serves on the listener, which it closes, until ctx ends. Requests
// that run then have ShutdownTimeout to end.
func (s *Server) ServeHTTP(ctx context.Context, l net.Listener, o HTTPOptions) error {
	if err := o.Validate(l.Addr()); err != nil {
		return errors.Join(err, l.Close())
	}
	o = o.WithDefaults()
	h := s.newHTTP(o, isLoopback(l.Addr()))
	server := &http.Server{
		Handler:           h.handler,
		TLSConfig:         o.TLS,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
	}
	ended := make(chan error, 1)
	go func() { ended <- serve(server, l) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serve HTTP: %w", err)
	case <-ctx.Done():
		err := h.shutdown(server, o.ShutdownTimeout)
		<-ended
		return err
	}
}

func serve(server *http.Server, l net.Listener) error {
	if server.TLSConfig != nil {
		return server.ServeTLS(l, "", "")
	}
	return server.Serve(l)
}

// httpServer is what serving over HTTP holds.
type httpServer struct {
	handler  http.Handler
	gate     *middleware.Gate
	sessions *sessions
}

// newHTTP stacks the handlers; see package middleware for the picture.
func (s *Server) newHTTP(o HTTPOptions, loopback bool) *httpServer {
	h := &httpServer{gate: middleware.NewGate(o.Concurrency, o.Queue)}
	h.sessions = s.stateful(o)
	mcpHandler := middleware.JSON(identify(o.Authenticator, route(s.stateless(o), h.sessions)))
	mcpHandler = middleware.Limit(h.gate, defaultTimeout, mcpHandler)
	mcpHandler = middleware.Body(o.MaxBody, defaultTimeout, s.opts.Timeout+2*defaultTimeout, mcpHandler)
	mcpHandler = middleware.Share(principalKey, o.Concurrency, o.Queue, defaultTimeout, mcpHandler)
	mcpHandler = auth.Require(o.Authenticator, o.Recheck, mcpHandler)
	mcpHandler = middleware.Origin(middleware.Origins{Allowed: o.Origins, Loopback: loopback}, mcpHandler)
	mcpHandler = middleware.Host(publicHosts(o.PublicURL), mcpHandler)

	mux := http.NewServeMux()
	mux.Handle(PathMCP, mcpHandler)
	mux.Handle("/{$}", mcpHandler)
	mux.HandleFunc("GET "+PathHealth, middleware.Healthz)
	if m, ok := o.Authenticator.(describer); ok {
		mux.HandleFunc("GET "+auth.MetadataPath, describe(m))
		mux.HandleFunc("GET "+auth.MetadataPath+PathMCP, describe(m))
	}
	h.handler = middleware.Headers(middleware.RequestID(o.NewRequestID, middleware.Recover(s.opts.Log, mux)))
	return h
}

// describer is an authenticator that has something to tell about where tokens come from.
type describer interface{ Metadata() ([]byte, error) }

// describe serves that at the well-known places, to anyone: it is how a client
// without a token finds the provider.
func describe(m describer) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		data, err := m.Metadata()
		if err != nil {
			http.Error(w, "internal error", http.StatusInternalServerError)
			return
		}
		if data == nil {
			http.Error(w, "not found", http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Write(data)
	}
}

func publicHosts(publicURL string) []string {
	u, err := url.Parse(publicURL)
	if err != nil || u.Hostname() == "" {
		return nil
	}
	return []string{u.Hostname()}
}

// statelessVersion is the first protocol version without sessions.
const statelessVersion = "2026-07-28"

// route chooses by the version header, which that protocol requires and the
// handler compares with the body. Looking into the body here could see another
// request than the handler does.
func route(stateless, stateful http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Mcp-Protocol-Version") >= statelessVersion {
			stateless.ServeHTTP(w, r)
			return
		}
		stateful.ServeHTTP(w, r)
	})
}

func (s *Server) stateless(o HTTPOptions) http.Handler {
	m := s.protocol(acl.Principal{})
	options := streamable(o)
	options.JSONResponse = s.fixtures == nil
	options.Stateless = true
	options.PropagateRequestCancellation = true
	return mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return m }, options)
}

func (s *Server) stateful(o HTTPOptions) *sessions {
	m := s.protocol(acl.Principal{})
	options := streamable(o)
	options.JSONResponse = s.fixtures == nil && s.opts.Administrator == nil && s.opts.Writer == nil
	options.SessionTimeout = o.SessionTimeout
	handler := mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return m }, options)
	return newSessions(handler, m, o.MaxSessions, o.SessionsEach)
}

// streamable options: the Host check is middleware.Host's. Answers are JSON as
// long as no tool sends anything before its answer. A question to the person,
// which administrators' tools ask in sessions, reaches a client for sure only
// on the stream on which it waits for the answer.
func streamable(o HTTPOptions) *mcp.StreamableHTTPOptions {
	return &mcp.StreamableHTTPOptions{DisableLocalhostProtection: true, MaxRequestBodyBytes: o.MaxBody}
}

func principalKey(r *http.Request) string { return auth.FromContext(r.Context()).Principal.Key() }

// identityInfo and scopeInfo are where a request's token info holds the
// identity and what [surface.inScope] has to say.
const (
	identityInfo = "ken/identity"
	scopeInfo    = "ken/scope"
)

// identify hands the identity to the protocol library in the one form that it
// attaches to each request, and not to the session. The token is a blank: the
// real one was checked and removed before.
func identify(a auth.Authenticator, next http.Handler) http.Handler {
	verifier := func(ctx context.Context, _ string, r *http.Request) (*sdkauth.TokenInfo, error) {
		id := auth.FromContext(ctx)
		user := sha256.Sum256([]byte(id.Person()))
		extra := map[string]any{identityInfo: id, scopeInfo: ctx.Value(scopeKey{})}
		return &sdkauth.TokenInfo{UserID: hex.EncodeToString(user[:]), Extra: extra}, nil
	}
	verified := sdkauth.RequireBearerToken(verifier, &sdkauth.RequireBearerTokenOptions{AllowMissingExpiration: true})(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		missing := &missingScope{}
		r = r.WithContext(context.WithValue(r.Context(), scopeKey{}, missing))
		r.Header.Set("Authorization", "Bearer checked")
		verified.ServeHTTP(&scopeWriter{ResponseWriter: w, missing: missing, challenge: a.ScopeChallenge}, r)
	})
}

// shutdown lets running requests end, then closes sessions, whose streams
// would otherwise stay open, and the connections.
func (h *httpServer) shutdown(server *http.Server, within time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	closed := make(chan error, 1)
	go func() { closed <- server.Shutdown(ctx) }() // accepts nothing new from now on
	drained := h.gate.Drain(ctx)
	h.sessions.close()
	err := errors.Join(drained, <-closed)
	if err == nil {
		return nil
	}
	return fmt.Errorf("serve HTTP: requests were cut off: %w", errors.Join(err, server.Close()))
}
