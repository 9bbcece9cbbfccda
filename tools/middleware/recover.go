package middleware

import (
	"crypto/rand"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
)

// Recover answers 500 with a fixed text when next panics and logs the stack.
// http.ErrAbortHandler is passed on: it is how a handler hangs up on purpose.
func Recover(log *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			switch v := recover(); v {
			case nil:
			case http.ErrAbortHandler:
				panic(v)
			default:
				log.ErrorContext(r.Context(), "request panicked",
					"request", w.Header().Get(HeaderRequestID), "stack", string(debug.Stack()))
				http.Error(w, "internal error", http.StatusInternalServerError)
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// HeaderRequestID carries the id of a request in its answer.
const HeaderRequestID = "X-Request-Id"

// RequestID names every request in its answer, so that a person can report it
// and an operator can find it. The ids are made by newID; nil makes random
// ones. What the client sends under the same name is ignored: it would let one
// client write into another's log lines.
func RequestID(newID func() string, next http.Handler) http.Handler {
	if newID == nil {
		newID = rand.Text
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(HeaderRequestID, newID())
		next.ServeHTTP(w, r)
	})
}

// Headers sets what every answer carries: nothing may be stored by a cache on
// the way, guessed to be another type, or shown in a frame.
func Headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		h.Set("Referrer-Policy", "no-referrer")
		next.ServeHTTP(&noStore{ResponseWriter: w}, r)
	})
}

// noStore overrides whatever cache header the handler chose: an answer is made
// for one person.
type noStore struct {
	http.ResponseWriter
	written bool
}

func (w *noStore) WriteHeader(code int) {
	w.written = true
	w.Header().Set("Cache-Control", "private, no-store")
	w.ResponseWriter.WriteHeader(code)
}

func (w *noStore) Write(b []byte) (int, error) {
	if !w.written {
		w.WriteHeader(http.StatusOK)
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *noStore) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Healthz answers that the process is alive. It asks nothing of the store:
// whether searches work is another question.
func Healthz(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	io.WriteString(w, "ok\n")
}
