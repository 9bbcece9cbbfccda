package openai

import (
	"context"
	"errors"
	"sync"
	"time"
)

// limit bounds the requests for passages that are under way at once. It finds
// out how many the endpoint takes: one more for each round of good answers, half
// of them after a failure that says "too many" or "too slow", fewer while answers
// take much longer than the quickest did. Once it has been refused it tries for
// more in every tenth round only: a request has few retries. Queries do not pass here: somebody
// waits for them.
type limit struct {
	most    int
	maxWait time.Duration // a longer Retry-After ends the retries instead
	now     func() time.Time

	mu       sync.Mutex
	allowed  float64       // 1 to most
	step     float64       // by which a round of good answers raises it
	busy     int           // requests under way
	quickest time.Duration // of comparable requests
	cut      time.Time     // when allowed was last reduced
	paused   time.Time     // nothing starts before: the endpoint asked for it
	changed  chan struct{} // closed and replaced when there may be room
}

// How the limit moves.
const (
	firstLimit = 2
	careful    = .1
	slower     = 3 // times the quickest answer: so many requests at once are too many
)

func newLimit(most int, maxWait time.Duration) *limit {
	return &limit{most: most, maxWait: maxWait, now: time.Now, allowed: float64(min(firstLimit, most)), step: 1, changed: make(chan struct{})}
}

// enter waits until there is room for one more request, and returns when it began.
func (l *limit) enter(ctx context.Context) (time.Time, error) {
	for {
		now := l.now()
		l.mu.Lock()
		wait, changed := l.paused.Sub(now), l.changed
		if wait <= 0 && l.busy < int(l.allowed) {
			l.busy++
			l.mu.Unlock()
			return now, nil
		}
		l.mu.Unlock()
		if err := sleep(ctx, wait, changed); err != nil {
			return now, err
		}
	}
}

// sleep waits for the change; if wait is positive, no longer than that.
func sleep(ctx context.Context, wait time.Duration, changed <-chan struct{}) error {
	var after <-chan time.Time
	if wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		after = timer.C
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-changed:
	case <-after:
	}
	return nil
}

// leave notes how a request ended. Only full requests tell something about how
// quick the endpoint is.
func (l *limit) leave(began time.Time, full bool, err error) {
	failure, _ := errors.AsType[*Error](err)
	now := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	inUse := l.busy >= int(l.allowed)
	l.busy--
	switch {
	case failure != nil && failure.transient():
		l.reduce(began, now, .5)
		l.step = careful
		if until := now.Add(failure.RetryAfter); failure.RetryAfter <= l.maxWait && until.After(l.paused) {
			l.paused = until
		}
	case err == nil && full && l.slow(now.Sub(began)):
		l.reduce(began, now, .8)
	case err == nil && inUse:
		l.allowed = min(float64(l.most), l.allowed+l.step/l.allowed)
	}
	close(l.changed)
	l.changed = make(chan struct{})
}

// reduce takes a share of what is allowed, once for all requests that were under
// way together.
func (l *limit) reduce(began, now time.Time, share float64) {
	if began.Before(l.cut) {
		return
	}
	l.allowed, l.cut = max(1, l.allowed*share), now
}

// slow reports whether an answer took much longer than the quickest one. With one
// request at a time it is the endpoint itself that has become slower.
func (l *limit) slow(took time.Duration) bool {
	if l.quickest == 0 || took < l.quickest || int(l.allowed) == 1 {
		l.quickest = took
	}
	return took > slower*l.quickest
}
