package openai

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"syscall"
	"time"
)

// Kind says what went wrong with a request.
type Kind string

// The kinds of failure.
const (
	Unreachable  Kind = "unreachable"  // no connection, or it broke
	Timeout      Kind = "timeout"      // no complete answer in time
	RateLimited  Kind = "rate limited" // status 429
	Server       Kind = "server error" // status 5xx
	Unauthorized Kind = "unauthorized" // status 401 or 403: check the key
	Rejected     Kind = "rejected"     // any other status: check the URL, the model's name, the length of texts
	Redirected   Kind = "redirected"   // status 3xx: configure the final URL
	BadReply     Kind = "bad reply"    // an answer that is no embeddings, or not ours
	Open         Kind = "breaker open" // not tried: the last requests failed
)

// Error is a failed request. It is safe to log and to show: it holds no text,
// no body, no URL and no key.
type Error struct {
	Kind       Kind
	Status     int           // HTTP status; 0 without an answer
	Reason     string        // what is known besides, from a fixed set of phrases; may be ""
	RetryAfter time.Duration // what the endpoint asked for; 0 if nothing
	err        error         // wraps embed.ErrVector, or nil
}

// Error returns the kind, status and reason.
func (e *Error) Error() string {
	s := "embedding endpoint: " + string(e.Kind)
	if e.Status != 0 {
		s += fmt.Sprintf(" (status %d)", e.Status)
	}
	if e.Reason != "" {
		s += ": " + e.Reason
	}
	if e.err != nil {
		s += ": " + e.err.Error()
	}
	return s
}

// Unwrap returns an error that wraps embed.ErrVector if the reply's vectors
// were unusable.
func (e *Error) Unwrap() error { return e.err }

// transient reports whether the same request may succeed later.
func (e *Error) transient() bool {
	switch e.Kind {
	case Unreachable, Timeout, RateLimited, Server:
		return true
	}
	return false
}

// healthy reports whether the failure says that the endpoint itself works, so
// that a breaker should not count it.
func (e *Error) healthy() bool { return e.Kind == Rejected }

// kindOf returns the kind of an answer's status, or "" for success.
func kindOf(status int) Kind {
	switch {
	case status == http.StatusTooManyRequests:
		return RateLimited
	case status == http.StatusRequestTimeout:
		return Timeout
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return Unauthorized
	case status >= 500:
		return Server
	case status >= 400 || status < 200:
		return Rejected
	case status >= 300:
		return Redirected
	}
	return ""
}

// transportError makes an Error of what the HTTP client returned, whose own
// text would hold the URL.
func transportError(err error) *Error {
	var timeout net.Error
	if errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout() {
		return &Error{Kind: Timeout}
	}
	return &Error{Kind: Unreachable, Reason: reason(err)}
}

func reason(err error) string {
	var dns *net.DNSError
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.As(err, &dns):
		return "host name not found"
	case errors.As(err, &certificate):
		return "certificate not trusted"
	}
	return "connection failed"
}
