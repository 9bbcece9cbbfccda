package middleware

import (
	"net/http"
	"sync"
	"time"
)

// Share passes the requests of each client through a gate of its own, so that
// one client's slow or many requests use up its own share and no other's. One
// request too many is answered 429 with Retry-After. It stands before [Body]:
// what a share holds is what one client can make the server keep in memory.
// GET is exempt, as in [Limit].
func Share(client func(*http.Request) string, slots, queue int, wait time.Duration, next http.Handler) http.Handler {
	all := &shares{slots: slots, queue: queue, byClient: map[string]*share{}}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			next.ServeHTTP(w, r)
			return
		}
		own, forget := all.of(client(r))
		defer forget()
		through(own, wait, http.StatusTooManyRequests, next, w, r)
	})
}

// shares are the gates of the clients that have a request here now.
type shares struct {
	slots, queue int

	mu       sync.Mutex
	byClient map[string]*share
}

type share struct {
	gate     *Gate
	requests int
}

// of returns the client's gate; forget must be called once, when the request has ended.
func (s *shares) of(client string) (gate *Gate, forget func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	own, ok := s.byClient[client]
	if !ok {
		own = &share{gate: NewGate(s.slots, s.queue)}
		s.byClient[client] = own
	}
	own.requests++
	return own.gate, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if own.requests--; own.requests == 0 {
			delete(s.byClient, client)
		}
	}
}
