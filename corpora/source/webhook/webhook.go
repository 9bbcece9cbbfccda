package webhook

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"ken/corpora/source/spool"
)

const (
	// TimestampHeader has the seconds since 1970 at which a request was signed.
	TimestampHeader = "Ken-Timestamp"
	// SignatureHeader has the request's signature, see Sign.
	SignatureHeader = "Ken-Signature"
	// Path begins the path of a source's URL; its name follows.
	Path = "/webhooks/"
	// Window is how far the time of a signature may be from now.
	Window = 5 * time.Minute
	// MinSecret is the length that a secret has at least, in bytes.
	MinSecret = 16
	// DefaultLimit is the longest body in bytes unless Hook.Limit says otherwise.
	DefaultLimit = 8 << 20
)

// Sign returns the signature of a body that is sent to a source.
func Sign(secret []byte, source string, at time.Time, body []byte) string {
	return "v1=" + hex.EncodeToString(mac(secret, source, strconv.FormatInt(at.Unix(), 10), body))
}

func mac(secret []byte, source, at string, body []byte) []byte {
	h := hmac.New(sha256.New, secret)
	fmt.Fprintf(h, "v1\n%s\n%s\n", source, at) // neither holds a line's end, so nothing can be moved from one part to another
	h.Write(body)
	return h.Sum(nil)
}

// Hook is a source that is pushed to.
type Hook struct {
	Source string
	Secret []byte
	Limit  int64 // longest body in bytes; 0 is DefaultLimit
	// Apply makes a message durable, see [spool.Spool.Apply].
	Apply func(spool.Message) (changed bool, err error)
}

// Handler answers pushes to all hooks.
type Handler struct {
	hooks map[string]Hook
	now   func() time.Time
	log   *slog.Logger
	slots chan struct{} // bounds how many bodies are in memory
}

// atOnce is how many requests are read and written at the same time.
const atOnce = 8

// New returns a handler. Log gets what went wrong here, without what was sent.
func New(now func() time.Time, log *slog.Logger, hooks ...Hook) (*Handler, error) {
	h := &Handler{hooks: map[string]Hook{}, now: now, log: log, slots: make(chan struct{}, atOnce)}
	for _, hook := range hooks {
		if len(hook.Secret) < MinSecret {
			return nil, fmt.Errorf("webhook %s: it needs a secret of at least %d bytes", hook.Source, MinSecret)
		}
		if hook.Source == "" || hook.Apply == nil || hook.Limit < 0 {
			return nil, fmt.Errorf("webhook %q: want a name, a limit that is not negative and a spool", hook.Source)
		}
		if _, twice := h.hooks[hook.Source]; twice {
			return nil, fmt.Errorf("two webhooks are named %s", hook.Source)
		}
		hook.Limit = cmp.Or(hook.Limit, DefaultLimit)
		h.hooks[hook.Source] = hook
	}
	return h, nil
}

// refusal is an answer other than 200.
type refusal struct {
	status int
	reason string
}

func (r *refusal) Error() string { return r.reason }

// unauthorized is the same whatever was wrong: an unknown source too.
var unauthorized = &refusal{http.StatusUnauthorized, "not signed for this source and time"}

func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	changed, err := h.take(w, r)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if err == nil {
		status := "unchanged"
		if changed {
			status = "stored"
		}
		answer(w, http.StatusOK, "status", status)
		return
	}
	no, ok := errors.AsType[*refusal](err)
	if !ok {
		h.log.Error("a pushed document was not kept", "path", r.URL.Path, "err", err)
		no = &refusal{http.StatusServiceUnavailable, "it was not kept: send it again later"}
	}
	if no.status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "5")
	}
	answer(w, no.status, "error", no.reason)
}

func answer(w http.ResponseWriter, status int, name, value string) {
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{name: value}) // the client may be gone
}

func (h *Handler) take(w http.ResponseWriter, r *http.Request) (changed bool, err error) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return false, &refusal{http.StatusMethodNotAllowed, "want POST"}
	}
	hook, at, signature, err := h.credentials(r)
	if err != nil {
		return false, err
	}
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
	default:
		return false, &refusal{http.StatusServiceUnavailable, "too many requests at once: send it again later"}
	}
	body, err := read(w, r, hook.Limit)
	if err != nil {
		return false, err
	}
	if !hmac.Equal(mac(hook.Secret, hook.Source, at, body), signature) {
		return false, unauthorized
	}
	return apply(hook, r, body)
}

// credentials finds the hook and checks all of the signature that needs no body.
func (h *Handler) credentials(r *http.Request) (hook Hook, at string, signature []byte, err error) {
	name, ok := strings.CutPrefix(r.URL.Path, Path)
	hook, known := h.hooks[name]
	stamps, signatures := r.Header.Values(TimestampHeader), r.Header.Values(SignatureHeader)
	if !ok || !known || r.URL.RawQuery != "" || len(stamps) != 1 || len(signatures) != 1 {
		return hook, "", nil, unauthorized
	}
	seconds, err := strconv.ParseInt(stamps[0], 10, 64)
	if err != nil || strconv.FormatInt(seconds, 10) != stamps[0] {
		return hook, "", nil, unauthorized
	}
	if now := h.now().Unix(); seconds < now-int64(Window.Seconds()) || seconds > now+int64(Window.Seconds()) {
		return hook, "", nil, unauthorized
	}
	digits, ok := strings.CutPrefix(signatures[0], "v1=")
	signature, err = hex.DecodeString(digits)
	if !ok || err != nil || len(signature) != sha256.Size {
		return hook, "", nil, unauthorized
	}
	return hook, stamps[0], signature, nil
}

func read(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	if r.Header.Get("Content-Encoding") != "" {
		return nil, &refusal{http.StatusUnsupportedMediaType, "want a body that is not compressed"}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return nil, &refusal{http.StatusRequestEntityTooLarge, fmt.Sprintf("the body has more than %d bytes", limit)}
	}
	if err != nil {
		return nil, &refusal{http.StatusBadRequest, "the body did not arrive as a whole"}
	}
	return body, nil
}

// apply keeps the message of a sender who is known, and so is told what is wrong.
func apply(hook Hook, r *http.Request, body []byte) (changed bool, err error) {
	if m, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || m != "application/json" {
		return false, &refusal{http.StatusUnsupportedMediaType, "want Content-Type: application/json"}
	}
	m, err := spool.Parse(body)
	if err == nil {
		changed, err = hook.Apply(m)
	}
	switch {
	case errors.Is(err, spool.ErrMessage):
		return false, &refusal{http.StatusBadRequest, err.Error()}
	case errors.Is(err, spool.ErrStale), errors.Is(err, spool.ErrConflict):
		return false, &refusal{http.StatusConflict, err.Error()}
	case errors.Is(err, spool.ErrErased):
		return false, &refusal{http.StatusGone, err.Error()}
	}
	return changed, err
}
