package remote_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ken/corpora"
	"ken/corpora/source/remote"
	"ken/corpora/source/safenet"
)

var errPermanent = errors.New("malformed")

// What is tried again, how often, and what becomes of it.
func TestDo(t *testing.T) {
	busy := remote.Passing(errors.New("busy"), 0)
	for _, c := range []struct {
		name    string
		results []error // of the attempts; the last one stays
		tries   int
		want    error // nil: success
	}{
		{"at once", []error{nil}, 1, nil},
		{"on the third attempt", []error{busy, busy, nil}, 3, nil},
		{"never", []error{busy}, 4, corpora.ErrUnavailable},
		{"for good", []error{errPermanent}, 1, errPermanent},
		{"gone", []error{fmt.Errorf("%w", corpora.ErrGone)}, 1, corpora.ErrGone},
		{"refused by the rules", []error{safenet.ErrRefused}, 1, safenet.ErrRefused},
		{"the attempt's time is up", []error{context.DeadlineExceeded}, 4, corpora.ErrUnavailable},
		{"asked to wait too long", []error{remote.Passing(errors.New("busy"), time.Hour)}, 1, corpora.ErrUnavailable},
	} {
		synctest.Test(t, func(t *testing.T) {
			n := 0
			err := remote.New(remote.Options{}).Do(t.Context(), func(context.Context) error {
				n++
				return c.results[min(n, len(c.results))-1]
			})
			if n != c.tries || !errors.Is(err, c.want) {
				t.Errorf("%s: %v after %d attempts; want %v after %d", c.name, err, n, c.want, c.tries)
			}
		})
	}
}

// Pauses grow, and a pause that the service asks for is kept to.
func TestPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at []time.Duration
		start := time.Now()
		after := []time.Duration{0, 10 * time.Second, 0}
		_ = remote.New(remote.Options{}).Do(t.Context(), func(context.Context) error {
			at = append(at, time.Since(start))
			if len(at) > len(after) {
				return nil
			}
			return remote.Passing(errors.New("busy"), after[len(at)-1])
		})
		if len(at) != 4 || at[1] == 0 || at[2]-at[1] != 10*time.Second || at[3]-at[2] >= 10*time.Second {
			t.Errorf("attempts at %v", at)
		}
	})
}

// An attempt has its time; the caller has the last word.
func TestTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		hang := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		err := remote.New(remote.Options{Tries: 2, Attempt: 3 * time.Second}).Do(t.Context(), hang)
		if took := time.Since(start); !errors.Is(err, corpora.ErrUnavailable) || took < 6*time.Second || took > 8*time.Second {
			t.Errorf("two attempts of three seconds: %v after %s", err, took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := remote.New(remote.Options{}).Do(ctx, hang); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, corpora.ErrUnavailable) {
			t.Errorf("the caller's time is up: %v", err)
		}
	})
}

// After five failures in a row nothing is asked until the time is over; an answer
// that says no is no failure.
func TestBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := remote.New(remote.Options{Tries: 1, OpenFor: time.Minute})
		n := 0
		result := error(remote.Passing(errors.New("down"), 0))
		call := func() error { return c.Do(t.Context(), func(context.Context) error { n++; return result }) }
		for range 9 {
			if err := call(); !errors.Is(err, corpora.ErrUnavailable) {
				t.Fatal(err)
			}
		}
		if n != 5 {
			t.Errorf("asked %d times while it was down, want 5", n)
		}
		time.Sleep(time.Minute + time.Second)
		result = nil
		if err := call(); err != nil {
			t.Errorf("after the pause: %v", err)
		}
		result, n = errPermanent, 0
		for range 9 {
			_ = call()
		}
		if n != 9 {
			t.Errorf("asked %d times though it answers, want 9", n)
		}
	})
}

func TestRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := remote.New(remote.Options{Rate: 2})
		start := time.Now()
		for range 5 {
			if err := c.Do(t.Context(), func(context.Context) error { return nil }); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(start); took != 2*time.Second {
			t.Errorf("five calls at two a second took %s", took)
		}
	})
}

// What statuses mean, and that no error holds what a query may hold.
func TestFetch(t *testing.T) {
	var status atomic.Int64
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.WriteHeader(int(status.Load()))
		if status.Load() == 200 {
			fmt.Fprint(w, "12345")
		}
	}))
	defer server.Close()
	rules, err := safenet.Parse([]string{"127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	client, err := safenet.NewClient(safenet.Options{Rules: rules})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		status, tries int64
		want          error
	}{
		{200, 1, nil}, {304, 1, nil}, {404, 1, corpora.ErrGone}, {410, 1, corpora.ErrGone}, {401, 1, remote.ErrDenied}, {403, 1, remote.ErrDenied},
		{429, 2, corpora.ErrUnavailable}, {408, 2, corpora.ErrUnavailable}, {500, 2, corpora.ErrUnavailable}, {502, 2, corpora.ErrUnavailable},
		{503, 2, corpora.ErrUnavailable}, {504, 2, corpora.ErrUnavailable},
	} {
		status.Store(c.status)
		asked.Store(0)
		caller := remote.New(remote.Options{Tries: 2, Backoff: time.Millisecond})
		a, err := caller.Fetch(t.Context(), client, remote.Request{URL: server.URL + "/x?token=s3cret", Limit: 5})
		if !errors.Is(err, c.want) || asked.Load() != c.tries || err == nil && int64(a.Status) != c.status {
			t.Errorf("status %d: %v, %v after %d requests; want %v after %d", c.status, a.Status, err, asked.Load(), c.want, c.tries)
		}
		if err != nil && strings.Contains(err.Error(), "s3cret") {
			t.Errorf("the error holds the query: %v", err)
		}
	}
	status.Store(418)
	caller := remote.New(remote.Options{Tries: 2, Backoff: time.Millisecond})
	if _, err := caller.Fetch(t.Context(), client, remote.Request{URL: server.URL}); err == nil || errors.Is(err, corpora.ErrUnavailable) || errors.Is(err, corpora.ErrGone) {
		t.Errorf("status 418: %v", err)
	}
	status.Store(200)
	if _, err := caller.Fetch(t.Context(), client, remote.Request{URL: server.URL, Limit: 4}); !errors.Is(err, safenet.ErrTooLarge) {
		t.Errorf("five bytes of four: %v", err)
	}
	server.Close()
	if _, err := caller.Fetch(t.Context(), client, remote.Request{URL: server.URL + "/?token=s3cret"}); !errors.Is(err, corpora.ErrUnavailable) || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("nobody there: %v", err)
	}
	if _, err := caller.Fetch(t.Context(), client, remote.Request{URL: "http://10.0.0.1/"}); !errors.Is(err, safenet.ErrRefused) || errors.Is(err, corpora.ErrUnavailable) {
		t.Errorf("a private address: %v", err)
	}
}
