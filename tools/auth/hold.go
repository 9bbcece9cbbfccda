package auth

import (
	"context"
	"net/http"
	"time"
)

// defaultRecheck is how long a stream can outlive a credential that was revoked.
const defaultRecheck = 5 * time.Second

// hold returns a context for the request that ends, with the reason as its
// cause, when the request's credential is good no more, or is another
// person's. No goroutine waits for that: a request that is answered before the
// first check costs a timer.
func hold(r *http.Request, a Authenticator, id Identity, every time.Duration) (ctx context.Context, end func()) {
	ctx, cancel := context.WithCancelCause(r.Context())
	next := func(id Identity) time.Duration {
		if left := time.Until(id.Expires); left > 0 {
			return min(every, left+time.Millisecond)
		}
		return every
	}
	var timer *time.Timer
	ready := make(chan struct{}) // timer is set
	timer = time.AfterFunc(next(id), func() {
		<-ready
		if ctx.Err() != nil {
			return
		}
		again, err := authenticate(a, r.WithContext(ctx))
		if err == nil && again.Person() != id.Person() {
			err = ErrUnauthenticated
		}
		if err != nil {
			cancel(err)
			return
		}
		if ctx.Err() == nil {
			timer.Reset(next(again))
		}
	})
	close(ready)
	return ctx, func() {
		timer.Stop()
		cancel(context.Canceled)
	}
}

// heldWriter makes a refusal of an answer that has not begun when its
// credential ends.
type heldWriter struct {
	http.ResponseWriter
	held    context.Context
	refuse  func(w http.ResponseWriter, err error)
	begun   bool // something was written
	refused bool // and it was a refusal, which nothing may follow
}

// end writes the refusal if there is one and nothing was written.
func (w *heldWriter) end() {
	if err := context.Cause(w.held); !w.begun && isRefusal(err) {
		w.refused = true
		w.refuse(w.ResponseWriter, err)
	}
	w.begun = true
}

func (w *heldWriter) WriteHeader(code int) {
	if w.end(); !w.refused {
		w.ResponseWriter.WriteHeader(code)
	}
}

func (w *heldWriter) Write(b []byte) (int, error) {
	if w.end(); w.refused {
		return 0, context.Cause(w.held)
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *heldWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
