package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"ken/corpora"
	"ken/corpora/source/safenet"
)

// ErrDenied says that the service does not let us read.
var ErrDenied = errors.New("the service refuses access")

// Answer is what a service said.
type Answer struct {
	Status int
	Header http.Header
	URL    *url.URL // after redirects
	Body   []byte
}

// Request is one to make.
type Request struct {
	Method string // "" is GET
	URL    string
	Header http.Header
	Body   string
	Limit  int64 // longest body of the answer in bytes, after decompression
}

// Fetch makes a request with the client, with all the patience of [Caller.Do].
// An answer has the status 200 or 304; else the error wraps [corpora.ErrGone] for
// 404 and 410 and [ErrDenied] for 401 and 403. No error holds a query, since
// that is where services put secrets.
func (c *Caller) Fetch(ctx context.Context, client *http.Client, r Request) (Answer, error) {
	var a Answer
	err := c.Do(ctx, func(ctx context.Context) (err error) {
		a, err = once(ctx, client, r)
		return err
	})
	if err != nil {
		return Answer{}, fmt.Errorf("fetch %s: %w", bare(r.URL), err)
	}
	return a, nil
}

func once(ctx context.Context, client *http.Client, r Request) (Answer, error) {
	q, err := http.NewRequestWithContext(ctx, r.Method, r.URL, strings.NewReader(r.Body))
	if err != nil {
		return Answer{}, fmt.Errorf("%w: malformed URL", safenet.ErrRefused)
	}
	if r.Body == "" {
		q.Body = nil
	}
	for k, v := range r.Header {
		q.Header[k] = v
	}
	resp, err := client.Do(q)
	if err != nil {
		if u, ok := errors.AsType[*url.Error](err); ok {
			err = u.Err // it has the whole URL in its text
		}
		return Answer{}, err
	}
	defer resp.Body.Close() // read to its end, or not wanted
	if err := status(resp); err != nil {
		_, _ = io.CopyN(io.Discard, resp.Body, 4<<10) // so that the connection can be used again
		return Answer{}, err
	}
	body, err := safenet.ReadBody(resp.Body, r.Limit)
	if err != nil {
		return Answer{}, err
	}
	return Answer{Status: resp.StatusCode, Header: resp.Header, URL: resp.Request.URL, Body: body}, nil
}

func status(r *http.Response) error {
	err := fmt.Errorf("status %d", r.StatusCode)
	switch r.StatusCode {
	case http.StatusOK, http.StatusNotModified:
		return nil
	case http.StatusNotFound, http.StatusGone:
		return fmt.Errorf("%w: %w", corpora.ErrGone, err)
	case http.StatusUnauthorized, http.StatusForbidden:
		return fmt.Errorf("%w: %w", ErrDenied, err)
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests,
		http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return Passing(err, retryAfter(r.Header.Get("Retry-After"), time.Now()))
	}
	return err
}

// retryAfter reads seconds or a date; 0 if it says nothing that can be used.
func retryAfter(value string, now time.Time) time.Duration {
	if n, err := strconv.ParseUint(strings.TrimSpace(value), 10, 31); err == nil {
		return time.Duration(n) * time.Second
	}
	if t, err := http.ParseTime(value); err == nil {
		return max(0, t.Sub(now))
	}
	return 0
}

// bare is a URL without what may be secret in it.
func bare(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "a malformed URL"
	}
	return u.Scheme + "://" + u.Host + u.EscapedPath()
}
