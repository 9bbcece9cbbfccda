package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"time"

	"github.com/cenkalti/backoff/v6"
	"github.com/sony/gobreaker/v2"
	"golang.org/x/time/rate"

	"ken/corpora"
	"ken/corpora/source/safenet"
)

// Options of a caller. The zero Options are useful.
type Options struct {
	Rate    float64       // calls a second; 0: as fast as it goes
	Tries   int           // attempts of a call; 0 is 4
	Backoff time.Duration // first pause, which doubles; 0 is 250 ms
	MaxWait time.Duration // longest pause, also of those that the service asks for; 0 is 30 s
	Attempt time.Duration // time for one attempt; 0 is 30 s
	OpenFor time.Duration // how long nothing is asked after five failures; 0 is 30 s
}

func (o Options) withDefaults() Options {
	set := func(d *time.Duration, to time.Duration) {
		if *d <= 0 {
			*d = to
		}
	}
	set(&o.Backoff, 250*time.Millisecond)
	set(&o.MaxWait, 30*time.Second)
	set(&o.Attempt, 30*time.Second)
	set(&o.OpenFor, 30*time.Second)
	if o.Tries <= 0 {
		o.Tries = 4
	}
	return o
}

// opensAfter is how many attempts in a row fail before nothing is asked.
const opensAfter = 5

// Caller makes the calls to one service. It is safe for concurrent use.
type Caller struct {
	options Options
	pace    *rate.Limiter
	breaker *gobreaker.CircuitBreaker[struct{}]
}

// New returns a caller.
func New(o Options) *Caller {
	o = o.withDefaults()
	limit := rate.Inf
	if o.Rate > 0 {
		limit = rate.Limit(o.Rate)
	}
	return &Caller{options: o, pace: rate.NewLimiter(limit, 1), breaker: gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{
		Timeout:      o.OpenFor,
		ReadyToTrip:  func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= opensAfter },
		IsExcluded:   func(err error) bool { return errors.Is(err, context.Canceled) },
		IsSuccessful: func(err error) bool { return err == nil || !passing(err) },
	})}
}

// Passing marks an error as one that may not come again. after is how long the
// service asks to wait; 0 if it does not say.
func Passing(err error, after time.Duration) error { return &passingError{err, after} }

type passingError struct {
	error
	after time.Duration
}

func (e *passingError) Unwrap() error { return e.error }

// passing reports whether another attempt may succeed.
func passing(err error) bool {
	if errors.Is(err, safenet.ErrRefused) || errors.Is(err, corpora.ErrGone) {
		return false
	}
	if _, ok := errors.AsType[*passingError](err); ok {
		return true
	}
	if n, ok := errors.AsType[net.Error](err); ok && n.Timeout() {
		return true
	}
	if _, ok := errors.AsType[*net.OpError](err); ok {
		return true
	}
	for _, target := range []error{syscall.ECONNREFUSED, syscall.ECONNRESET, syscall.EPIPE, io.ErrUnexpectedEOF, context.DeadlineExceeded} {
		if errors.Is(err, target) {
			return true
		}
	}
	return false
}

// Do calls f until it succeeds, fails for good, or was tried often enough.
func (c *Caller) Do(ctx context.Context, f func(context.Context) error) error {
	wait := backoff.NewExponentialBackOff()
	wait.InitialInterval, wait.Multiplier, wait.MaxInterval = c.options.Backoff, 2, c.options.MaxWait
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		if err := c.pace.Wait(ctx); err != nil {
			return struct{}{}, backoff.Permanent(err)
		}
		_, err := c.breaker.Execute(func() (struct{}, error) { return struct{}{}, c.attempt(ctx, f) })
		return struct{}{}, c.verdict(err)
	}, backoff.WithBackOff(wait), backoff.WithMaxTries(uint(c.options.Tries)), backoff.WithMaxElapsedTime(0))
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if r := backoff.AsRetryError(err); r != nil && r.LastErr != nil {
		err = r.LastErr
	}
	if errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests) {
		return fmt.Errorf("%w: it failed %d times in a row and is left alone for %s", corpora.ErrUnavailable, opensAfter, c.options.OpenFor)
	}
	if passing(err) {
		return fmt.Errorf("%w: %w", corpora.ErrUnavailable, err)
	}
	return err
}

func (c *Caller) attempt(ctx context.Context, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, c.options.Attempt)
	defer cancel()
	return f(ctx)
}

// verdict tells the retry loop what to do about the error.
func (c *Caller) verdict(err error) error {
	if err == nil {
		return nil
	}
	p, _ := errors.AsType[*passingError](err)
	switch {
	case !passing(err), p != nil && p.after > c.options.MaxWait:
		return backoff.Permanent(err)
	case p != nil && p.after > 0:
		return errors.Join(err, &backoff.RetryAfterError{Duration: p.after})
	}
	return err
}
