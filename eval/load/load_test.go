package load_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ken/eval/load"
)

// A target that stops for a second makes every request late that was due in that
// second. A closed loop would see one slow request of 200. The clock is synctest's.
func TestNoCoordinatedOmission(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		pause := begin.Add(500 * time.Millisecond)
		target := func(context.Context, int) error {
			if now := time.Now(); now.After(pause) && now.Before(pause.Add(time.Second)) {
				time.Sleep(time.Until(pause.Add(time.Second)))
			}
			time.Sleep(time.Millisecond)
			return nil
		}
		for _, inFlight := range []int{0, 1} { // with one place the others queue, and count from when they were due
			begin = time.Now()
			pause = begin.Add(500 * time.Millisecond)
			r, err := load.Run(t.Context(), target, load.Options{Rate: 100, Duration: 2 * time.Second, InFlight: inFlight})
			if err != nil {
				t.Fatal(err)
			}
			if r.Requests != 200 || r.Errors != 0 {
				t.Fatalf("%+v", r)
			}
			// 100 of 200 were due while it stood still: half of a second at the median of those.
			if p := r.LatencyMS.P90; p < 600 || p > 900 {
				t.Errorf("%d in flight: p90 %v ms, want about 800", inFlight, p)
			}
			if inFlight == 1 && r.ServiceMS.P90 > 2 {
				t.Errorf("service time of one at a time: p90 %v ms, want 1: it is what a closed loop sees", r.ServiceMS.P90)
			}
		}
	})
}

func TestErrorsCount(t *testing.T) {
	var n atomic.Int64
	r, err := load.Run(t.Context(), func(context.Context, int) error {
		if n.Add(1)%2 == 0 {
			return errors.New("no")
		}
		return nil
	}, load.Options{Rate: 10_000, Duration: 10 * time.Millisecond})
	if err != nil || r.Requests != 100 || r.Errors != 50 || r.FirstError != "no" {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestRefused(t *testing.T) {
	nothing := func(context.Context, int) error { return nil }
	for _, o := range []load.Options{{}, {Rate: -1, Duration: 1}, {Rate: 1}, {Rate: 1, Duration: 1, InFlight: -1}} {
		if _, err := load.Run(t.Context(), nothing, o); err == nil {
			t.Errorf("%+v was taken", o)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := load.Run(ctx, nothing, load.Options{Rate: 1, Duration: time.Hour}); !errors.Is(err, context.Canceled) {
		t.Errorf("a run that was cancelled: %v", err)
	}
}

// A server that answers one request at a time in 10 ms sustains a hundred a second.
func TestSustained(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one := make(chan struct{}, 1)
		target := func(context.Context, int) error {
			one <- struct{}{}
			time.Sleep(10 * time.Millisecond)
			<-one
			return nil
		}
		for _, from := range []float64{10, 1000} {
			best, runs, ok, err := load.Sustained(t.Context(), target, load.Options{Rate: from, Duration: 5 * time.Second}, load.Bound{P95MS: 50})
			if err != nil || !ok || best.Rate < 85 || best.Rate > 105 {
				t.Errorf("from %v: %v sustained in %d runs, %v; want about 100", from, best.Rate, len(runs), err)
			}
		}
	})
}
