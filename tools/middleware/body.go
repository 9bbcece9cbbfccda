package middleware

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"time"
)

// Body reads the whole body before next runs: at most limit bytes (413) that
// arrive within the given time (408). The handler's answer must then be
// written within answer. A client that sends or reads a byte at a time so
// holds no slot of [Limit], and its own [Share] not for long; streams (GET)
// have no deadline to write.
func Body(limit int64, within, answer time.Duration, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			next.ServeHTTP(w, r)
			return
		}
		deadlines := http.NewResponseController(w)
		// Deadlines are refused only by writers without a connection (tests).
		_ = deadlines.SetReadDeadline(time.Now().Add(within))
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
		if err != nil {
			refuseBody(w, err)
			return
		}
		_ = deadlines.SetReadDeadline(time.Time{})
		_ = deadlines.SetWriteDeadline(time.Now().Add(answer))
		r.Body = io.NopCloser(bytes.NewReader(body))
		r.ContentLength = int64(len(body))
		next.ServeHTTP(w, r)
	})
}

func refuseBody(w http.ResponseWriter, err error) {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		http.Error(w, "the request body is too large", http.StatusRequestEntityTooLarge)
		return
	}
	w.Header().Set("Connection", "close")
	http.Error(w, "the request body did not arrive", http.StatusRequestTimeout)
}
