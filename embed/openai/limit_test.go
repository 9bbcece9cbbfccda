package openai

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sync/errgroup"
)

// busiest keeps as many requests under way as the limit lets through, for as
// many as are wanted, and returns how many were under way at once in the later half.
func busiest(t *testing.T, l *limit, requests int, took func(atOnce int) time.Duration) int {
	t.Helper()
	var group errgroup.Group
	group.SetLimit(64)
	under, highest := make(chan int, 1), 0
	under <- 0
	for i := range requests {
		group.Go(func() error {
			began, err := l.enter(t.Context())
			if err != nil {
				return err
			}
			n := <-under + 1
			if i >= requests/2 {
				highest = max(highest, n)
			}
			under <- n
			time.Sleep(took(n))
			under <- <-under - 1
			l.leave(began, true, nil)
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	return highest
}

func TestLimitGrowsWhileAnswersStayQuick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := busiest(t, newLimit(8, time.Minute), 400, func(int) time.Duration { return 50 * time.Millisecond })
		if got != 8 {
			t.Errorf("%d requests at once, want all 8", got)
		}
	})
}

// An endpoint that works on one request at a time gains nothing by many.
func TestLimitStaysLowWhereAnswersGetSlower(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := busiest(t, newLimit(32, time.Minute), 2000, func(n int) time.Duration { return time.Duration(n) * 50 * time.Millisecond })
		if got > 8 {
			t.Errorf("%d requests at once, want few", got)
		}
	})
}

// An endpoint that was quick once and is slow now is used as much as it can take.
func TestLimitFollowsTheEndpoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimit(8, time.Minute)
		busiest(t, l, 100, func(int) time.Duration { return 10 * time.Millisecond })
		if got := busiest(t, l, 400, func(int) time.Duration { return time.Second }); got != 8 {
			t.Errorf("%d requests at once, want all 8", got)
		}
	})
}

func TestLimitAfterFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimit(8, time.Minute)
		l.allowed = 8
		tooMany := &Error{Kind: RateLimited, Status: http.StatusTooManyRequests, RetryAfter: 20 * time.Second}
		var began [8]time.Time
		for i := range began {
			began[i], _ = l.enter(t.Context())
		}
		time.Sleep(time.Second)
		for i := range began {
			l.leave(began[i], true, tooMany)
		}
		if l.allowed != 4 || l.busy != 0 {
			t.Errorf("allowed %v, busy %d: one burst of refusals halves once", l.allowed, l.busy)
		}
		start := time.Now()
		later, err := l.enter(t.Context())
		if waited := time.Since(start); err != nil || waited != 20*time.Second {
			t.Errorf("the next request began after %v (%v), want the 20 s that the endpoint asked for", waited, err)
		}
		l.leave(later, true, &Error{Kind: RateLimited, RetryAfter: time.Hour})
		if l.allowed != 2 {
			t.Errorf("allowed %v after a refusal later, want 2", l.allowed)
		}
		start = time.Now()
		if _, err := l.enter(t.Context()); err != nil || time.Since(start) != 0 {
			t.Errorf("a wait beyond the longest one held up another request for %v (%v)", time.Since(start), err)
		}
	})
}

// What says nothing about the endpoint moves nothing.
func TestLimitIgnoresOtherErrors(t *testing.T) {
	for _, err := range []error{&Error{Kind: Rejected, Status: 400}, &Error{Kind: Open}, context.Canceled, errors.New("other")} {
		l := newLimit(8, time.Minute)
		began, _ := l.enter(t.Context())
		l.leave(began, true, err)
		if l.allowed != firstLimit || l.busy != 0 {
			t.Errorf("%v: allowed %v, busy %d", err, l.allowed, l.busy)
		}
	}
}

func TestLimitGivesUpWithItsCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimit(1, time.Minute)
		if _, err := l.enter(t.Context()); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := l.enter(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v, want the deadline", err)
		}
	})
}
