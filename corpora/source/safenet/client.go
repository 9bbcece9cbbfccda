package safenet

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"
)

// Options of a client. The zero Options reach public addresses, without
// credentials.
type Options struct {
	Rules   Rules
	Timeout time.Duration // for a request with its redirects and body; 0 is 30 s
	// Credential is sent to the origin of Home, and nowhere else: not where a
	// redirect or a link leads. Header is its name ("Authorization").
	Home               string
	Header, Credential string
	UserAgent          string        // "" is "ken"
	Resolver           *net.Resolver // nil is the system's
	TLS                *tls.Config   // nil is the system's roots
}

// maxRedirects bounds a chain of redirects.
const maxRedirects = 5

// NewClient returns a client that connects to allowed addresses only, over http
// and https only, and follows no redirect from https to http. It uses no proxy:
// a proxy would connect in its place, and nothing would be checked.
func NewClient(o Options) (*http.Client, error) {
	if o.Timeout == 0 {
		o.Timeout = 30 * time.Second
	}
	if o.UserAgent == "" {
		o.UserAgent = "ken"
	}
	t := &http.Transport{
		DialContext:            dialer{o.Rules, o.Resolver}.DialContext,
		TLSClientConfig:        o.TLS,
		ForceAttemptHTTP2:      true,
		MaxIdleConnsPerHost:    8,
		MaxConnsPerHost:        16,
		IdleConnTimeout:        30 * time.Second,
		TLSHandshakeTimeout:    10 * time.Second,
		ResponseHeaderTimeout:  o.Timeout,
		MaxResponseHeaderBytes: 64 << 10,
	}
	guard := &guard{next: t, agent: o.UserAgent, header: o.Header, credential: o.Credential}
	if o.Credential != "" {
		home, err := url.Parse(o.Home)
		if err != nil || home.Host == "" || o.Header == "" {
			return nil, fmt.Errorf("a credential needs the origin that it is for, and a header")
		}
		guard.home = Origin(home)
	}
	return &http.Client{Transport: guard, Timeout: o.Timeout, CheckRedirect: checkRedirect}, nil
}

// Origin returns scheme, host and port of a URL in one spelling.
func Origin(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[strings.ToLower(u.Scheme)]
	}
	return strings.ToLower(u.Scheme) + "://" + net.JoinHostPort(hostKey(u.Hostname()), port)
}

// CheckURL refuses what no request may name: other schemes than http and https,
// credentials in the URL, no host.
func CheckURL(u *url.URL) error {
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("%w: the scheme %q is neither http nor https", ErrRefused, u.Scheme)
	case u.User != nil:
		return fmt.Errorf("%w: a URL with credentials in it", ErrRefused)
	case u.Hostname() == "" || u.Opaque != "":
		return fmt.Errorf("%w: a URL without host", ErrRefused)
	}
	return nil
}

func checkRedirect(r *http.Request, via []*http.Request) error {
	if len(via) >= maxRedirects {
		return fmt.Errorf("%w: more than %d redirects", ErrRefused, maxRedirects)
	}
	if via[len(via)-1].URL.Scheme == "https" && r.URL.Scheme != "https" {
		return fmt.Errorf("%w: a redirect from https to %s", ErrRefused, r.URL.Scheme)
	}
	return CheckURL(r.URL)
}

// guard checks each request, redirects included, and adds what all carry.
type guard struct {
	next                            *http.Transport
	agent, home, header, credential string
}

func (g *guard) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := CheckURL(r.URL); err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	r.Header.Set("User-Agent", g.agent)
	r.Header.Del("Referer")
	if g.credential != "" && Origin(r.URL) == g.home {
		r.Header.Set(g.header, g.credential)
	}
	return g.next.RoundTrip(r)
}

// CloseIdleConnections lets http.Client close what it keeps open.
func (g *guard) CloseIdleConnections() { g.next.CloseIdleConnections() }

// Dialer returns a function that connects to the addresses that the rules allow, for
// protocols other than HTTP.
func Dialer(r Rules) func(ctx context.Context, network, address string) (net.Conn, error) {
	return dialer{rules: r}.DialContext
}

// dialer connects to allowed addresses.
type dialer struct {
	rules    Rules
	resolver *net.Resolver
}

// DialContext connects. The check stands between resolving and connecting, for
// each address that is tried.
func (d dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("%w: %q", ErrRefused, address)
	}
	n := net.Dialer{Timeout: 10 * time.Second, Resolver: d.resolver, ControlContext: func(_ context.Context, network, resolved string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(resolved)
		if err != nil || !strings.HasPrefix(network, "tcp") {
			return fmt.Errorf("%w: %s over %s", ErrRefused, host, network)
		}
		return d.rules.Check(host, to.Addr())
	}}
	return n.DialContext(ctx, network, address)
}

// ErrTooLarge says that a body is longer than was asked for.
var ErrTooLarge = fmt.Errorf("%w: the answer is too long", ErrRefused)

// ReadBody reads a body of at most limit bytes, after decompression.
func ReadBody(body io.Reader, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(body, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("%w: more than %d bytes", ErrTooLarge, limit)
	}
	return data, nil
}
