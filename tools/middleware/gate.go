package middleware

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// ErrBusy says that a [Gate] and its queue are full.
var ErrBusy = errors.New("busy")

// RetryAfter is what a refused client is told to wait.
const RetryAfter = 5 * time.Second

// Gate lets a bounded number of pieces of work run at once and a bounded number wait.
type Gate struct {
	slots   chan struct{}
	waiting chan struct{}
	drained chan struct{} // closed when nothing may run any more
	once    sync.Once     // of closing it
}

// NewGate returns a gate for up to slots at once and up to queue waiting; both
// are raised to 1 if they are less.
func NewGate(slots, queue int) *Gate {
	return &Gate{
		slots: make(chan struct{}, max(slots, 1)), waiting: make(chan struct{}, max(queue, 1)),
		drained: make(chan struct{}),
	}
}

// Enter takes a slot, or waits for one. It fails with [ErrBusy] if the queue is
// full or the gate was drained, and with the context's error if that ends first. With a nil error, leave
// must be called once.
func (g *Gate) Enter(ctx context.Context) (leave func(), err error) {
	select {
	case g.slots <- struct{}{}:
		return g.leave(), nil
	default:
	}
	select {
	case g.waiting <- struct{}{}:
		defer func() { <-g.waiting }()
	default:
		return nil, ErrBusy
	}
	select {
	case g.slots <- struct{}{}:
		return g.leave(), nil
	case <-g.drained:
		return nil, ErrBusy
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (g *Gate) leave() func() { return sync.OnceFunc(func() { <-g.slots }) }

// Drain waits until nothing runs and keeps anything from running again.
func (g *Gate) Drain(ctx context.Context) error {
	for range cap(g.slots) {
		select {
		case g.slots <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	g.once.Do(func() { close(g.drained) })
	return nil
}

// Limit passes requests through the gate. One that may not even wait, and one
// that waited longer than wait, is answered 503 with Retry-After. GET is
// exempt: it holds a stream open for as long as its session lives, and the
// number of sessions is bounded by itself.
func Limit(g *Gate, wait time.Duration, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			next.ServeHTTP(w, r)
			return
		}
		through(g, wait, http.StatusServiceUnavailable, next, w, r)
	})
}

// through passes one request through the gate, or answers with the status.
func through(g *Gate, wait time.Duration, status int, next http.Handler, w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), wait)
	leave, err := g.Enter(ctx)
	cancel()
	if err != nil {
		Busy(w, status)
		return
	}
	defer leave()
	next.ServeHTTP(w, r)
}

// Busy answers that the client should come back later: status 429 or 503.
func Busy(w http.ResponseWriter, status int) {
	wait := strconv.Itoa(int(RetryAfter / time.Second))
	w.Header().Set("Retry-After", wait)
	http.Error(w, "the knowledge base is busy, try again in "+wait+" s", status)
}
