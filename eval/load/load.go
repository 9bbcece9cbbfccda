package load

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"ken/eval/latency"
)

// Target makes the nth request and returns when it was answered.
type Target func(ctx context.Context, n int) error

// Options of a run.
type Options struct {
	Rate     float64       // requests that are due in a second
	Duration time.Duration // requests are due for so long
	InFlight int           // requests under way at most; 0 is 1,000. More are late, and count as late
}

// Result is the outcome of a run.
type Result struct {
	Rate       float64 `json:"rate"` // due per second
	Requests   int     `json:"requests"`
	Errors     int     `json:"errors"`
	FirstError string  `json:"first_error,omitempty"`
	Seconds    float64 `json:"seconds"`    // until the last answer
	Throughput float64 `json:"throughput"` // answers per second

	LatencyMS latency.Summary `json:"latency_ms"` // since the request was due
	ServiceMS latency.Summary `json:"service_ms"` // since it was sent
	Bars      []latency.Bar   `json:"histogram"`  // of the latency
}

const defaultInFlight = 1_000

// Run puts the load on the target. Requests that fail count, with the time that it
// took, and do not end the run.
func Run(ctx context.Context, target Target, o Options) (Result, error) {
	if !(o.Rate > 0) || o.Duration <= 0 || o.InFlight < 0 {
		return Result{}, errors.New("load: a rate, a duration and a positive number in flight are needed")
	}
	if o.InFlight == 0 {
		o.InFlight = defaultInFlight
	}
	r := &run{target: target, free: make(chan struct{}, o.InFlight)}
	total := max(int(o.Rate*o.Duration.Seconds()), 1)
	r.begin = time.Now()
	for n := range total {
		due := r.begin.Add(time.Duration(float64(n) / o.Rate * float64(time.Second)))
		if err := r.start(ctx, n, due); err != nil {
			break
		}
	}
	r.under.Wait()
	if err := ctx.Err(); err != nil {
		return Result{}, fmt.Errorf("load: %w", err)
	}
	return r.result(o.Rate, total), nil
}

type run struct {
	target Target
	begin  time.Time
	free   chan struct{} // a place for each request under way
	under  sync.WaitGroup

	latency, service latency.Histogram
	mu               sync.Mutex
	errors           int
	first            error
}

// start sends the request when it is due, or when there is a place for it.
func (r *run) start(ctx context.Context, n int, due time.Time) error {
	if wait := time.Until(due); wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	select {
	case r.free <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	r.under.Go(func() {
		sent := time.Now()
		err := r.target(ctx, n)
		r.service.Add(time.Since(sent))
		r.latency.Add(time.Since(due))
		<-r.free
		if err != nil {
			r.mu.Lock()
			defer r.mu.Unlock()
			if r.errors++; r.first == nil {
				r.first = err
			}
		}
	})
	return nil
}

func (r *run) result(rate float64, total int) Result {
	seconds := time.Since(r.begin).Seconds()
	out := Result{
		Rate: rate, Requests: total, Errors: r.errors, Seconds: seconds, Throughput: float64(total-r.errors) / seconds,
		LatencyMS: r.latency.Summary(), ServiceMS: r.service.Summary(), Bars: r.latency.Bars(),
	}
	if r.first != nil {
		out.FirstError = r.first.Error()
	}
	return out
}

// Bound is what a rate must keep to count as sustained.
type Bound struct {
	P95MS float64 `json:"p95_ms"`
}

func (b Bound) holds(r Result) bool { return r.Errors == 0 && r.LatencyMS.P95 <= b.P95MS }

// Sustained finds the highest rate at which the bound holds, to a tenth, from the
// given rate on: it doubles until the bound breaks (or halves until it holds), and
// halves the gap then. It returns every run; ok is false if no rate held.
func Sustained(ctx context.Context, target Target, o Options, b Bound) (best Result, runs []Result, ok bool, err error) {
	try := func(rate float64) (bool, error) {
		o.Rate = rate
		r, err := Run(ctx, target, o)
		if err != nil {
			return false, err
		}
		runs = append(runs, r)
		if b.holds(r) {
			if r.Rate > best.Rate {
				best, ok = r, true
			}
			return true, nil
		}
		return false, nil
	}
	const most = 20 // runs: from 1 to half a million requests a second
	low, high := 0.0, 0.0
	for rate := o.Rate; len(runs) < most && (low == 0 || high == 0 || high/low > 1.1); {
		held, err := try(rate)
		if err != nil {
			return best, runs, ok, err
		}
		if held {
			low = rate
		} else {
			high = rate
		}
		switch {
		case high == 0:
			rate = 2 * low
		case low == 0:
			rate = high / 2
		default:
			rate = (low + high) / 2
		}
		if rate < .5 {
			break
		}
	}
	return best, runs, ok, nil
}
