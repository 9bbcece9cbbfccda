package middleware

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// Host refuses (403) requests that came in over the loopback interface with a
// Host header that names neither that interface nor one of the allowed hosts
// (without port). A web page that made its own name resolve to a loopback
// address (DNS rebinding) is so turned away: the browser sends the page's name.
func Host(allowed []string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := hostname(r.Host)
		if overLoopback(r) && !IsLoopback(name) && !slices.ContainsFunc(allowed, func(a string) bool { return strings.EqualFold(a, name) }) {
			forbid(w)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// overLoopback is true as well if the connection's own address is not known.
func overLoopback(r *http.Request) bool {
	addr, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	return !ok || IsLoopback(hostname(addr.String()))
}

// Origins says which web pages may call. Without an Origin header a request
// does not come from another page's script and passes, unless the browser says
// otherwise.
type Origins struct {
	Allowed  []string // exact origins, such as "https://chat.example.com"
	Loopback bool     // pages that this machine serves to itself, on any port
}

// Origin refuses (403) what a web page of another origin sends, with any
// method. It is stricter than http.CrossOriginProtection, which it ends with,
// because a GET opens a stream here.
func Origin(o Origins, next http.Handler) http.Handler {
	protection := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		origins := r.Header.Values("Origin")
		switch {
		case len(origins) > 1:
			forbid(w)
		case len(origins) == 1 && o.admits(origins[0]):
			next.ServeHTTP(w, r)
		case len(origins) == 1 && !sameHost(origins[0], r.Host), r.Header.Get("Sec-Fetch-Site") == "cross-site", protection.Check(r) != nil:
			forbid(w)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

func (o Origins) admits(origin string) bool {
	if slices.Contains(o.Allowed, origin) {
		return true
	}
	u, err := url.Parse(origin)
	return o.Loopback && err == nil && (u.Scheme == "http" || u.Scheme == "https") && IsLoopback(u.Hostname())
}

func sameHost(origin, host string) bool {
	u, err := url.Parse(origin)
	return err == nil && u.Host != "" && strings.EqualFold(u.Host, host)
}

// IsLoopback reports whether a host name or address, without port, is this machine's own.
func IsLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && addr.Unmap().IsLoopback()
}

func hostname(hostport string) string {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		return host
	}
	return hostport
}

func forbid(w http.ResponseWriter) { http.Error(w, "forbidden", http.StatusForbidden) }
