package judge

import (
	"context"
	"errors"
	"fmt"
	"net/http"
)

// Kind says what went wrong with a request.
type Kind string

// The kinds of failure.
const (
	Unreachable Kind = "unreachable"     // no connection, or it broke
	TimedOut    Kind = "timed out"       // no whole answer in time
	RateLimited Kind = "rate limited"    // status 429
	Server      Kind = "server error"    // status 5xx
	Refused     Kind = "refused"         // any other status: check the URL, the key and the model's name
	Malformed   Kind = "malformed reply" // not the JSON that was asked for
)

// Error is a failed request. It holds no text of a question, no URL and no key.
type Error struct {
	Kind   Kind
	Status int    // 0 without an answer
	Reason string // from a fixed set of phrases; may be ""
}

// Error returns the kind, status and reason.
func (e *Error) Error() string {
	s := "model endpoint: " + string(e.Kind)
	if e.Status != 0 {
		s += fmt.Sprintf(" (status %d)", e.Status)
	}
	if e.Reason != "" {
		s += ": " + e.Reason
	}
	return s
}

// transient reports whether the same request may succeed later.
func transient(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Kind != Refused
}

// failure says why the API client returned an error, whose own text holds the
// body of the answer.
func (x *exchange) failure(ctx context.Context) error {
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded) || x.status == http.StatusRequestTimeout:
		return &Error{Kind: TimedOut}
	case x.status == 0:
		return &Error{Kind: Unreachable}
	case x.status == http.StatusTooManyRequests:
		return &Error{Kind: RateLimited, Status: x.status}
	case x.status >= 500:
		return &Error{Kind: Server, Status: x.status}
	case x.status >= 300:
		return &Error{Kind: Refused, Status: x.status}
	}
	return &Error{Kind: Malformed, Reason: "not the JSON of a completion"}
}
