package webhook_test

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ken/corpora/source/item"
	"ken/corpora/source/spool"
	"ken/corpora/source/webhook"
)

const (
	secret = "an example secret of thirty bytes"
	other  = "another secret of many more bytes"
	body   = `{"id": "a.md", "version": 1, "text": "Parental leave is sixteen weeks."}`
)

var now = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// target is a handler with two hooks, and the spool of the first.
type target struct {
	*httptest.Server
	dir   string
	fails error // of the spool
}

func open(t *testing.T) *target {
	t.Helper()
	out := &target{dir: filepath.Join(t.TempDir(), "spool")}
	s, err := spool.Open(out.dir)
	if err != nil {
		t.Fatal(err)
	}
	h, err := webhook.New(func() time.Time { return now }, slog.New(slog.DiscardHandler),
		webhook.Hook{Source: "crm", Secret: []byte(secret), Limit: 1000, Apply: func(m spool.Message) (bool, error) {
			if out.fails != nil {
				return false, out.fails
			}
			return s.Apply(m)
		}},
		webhook.Hook{Source: "wiki", Secret: []byte(other), Apply: func(spool.Message) (bool, error) { return true, nil }},
	)
	if err != nil {
		t.Fatal(err)
	}
	out.Server = httptest.NewServer(h)
	t.Cleanup(out.Close)
	return out
}

// signed is a request for the source crm as it should be.
func (s *target) signed(t *testing.T, text string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/webhooks/crm", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	sign(r, secret, "crm", now, text)
	return r
}

func sign(r *http.Request, secret, source string, at time.Time, text string) {
	r.Header.Set("Ken-Timestamp", fmt.Sprint(at.Unix()))
	r.Header.Set("Ken-Signature", webhook.Sign([]byte(secret), source, at, []byte(text)))
}

func send(t *testing.T, r *http.Request) (int, string) {
	t.Helper()
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(answer)
}

// documents counts what the spool holds.
func (s *target) documents(t *testing.T) int {
	t.Helper()
	source, err := spool.NewSource(s.dir, item.Options{Name: "crm"})
	if err != nil {
		t.Fatal(err)
	}
	n := -1 // Complete
	for _, err := range source.Changes(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	return n
}

// TestSignatures: none of these is accepted, and all get the same answer.
func TestSignatures(t *testing.T) {
	s := open(t)
	signature := webhook.Sign([]byte(secret), "crm", now, []byte(body))
	set := func(name string, values ...string) func(*http.Request) {
		return func(r *http.Request) { r.Header[name] = values }
	}
	signedBy := func(secret, source string, at time.Time, text string) func(*http.Request) {
		return func(r *http.Request) { sign(r, secret, source, at, text) }
	}
	to := func(path string) func(*http.Request) { return func(r *http.Request) { r.URL.Path = path } }
	stamp := fmt.Sprint(now.Unix())
	answers := map[string]bool{}
	cases := map[string]func(*http.Request){
		"no headers":                 func(r *http.Request) { r.Header = http.Header{"Content-Type": {"application/json"}} },
		"no signature":               set("Ken-Signature"),
		"no timestamp":               set("Ken-Timestamp"),
		"empty signature":            set("Ken-Signature", ""),
		"empty timestamp":            set("Ken-Timestamp", ""),
		"no scheme":                  set("Ken-Signature", strings.TrimPrefix(signature, "v1=")),
		"another scheme":             set("Ken-Signature", strings.Replace(signature, "v1", "v0", 1)),
		"scheme in capitals":         set("Ken-Signature", strings.Replace(signature, "v1", "V1", 1)),
		"nothing behind the scheme":  set("Ken-Signature", "v1="),
		"cut off":                    set("Ken-Signature", signature[:len(signature)-2]),
		"half a byte":                set("Ken-Signature", signature[:len(signature)-1]),
		"too long":                   set("Ken-Signature", signature+"00"),
		"one bit off":                set("Ken-Signature", flip(signature)),
		"zeros":                      set("Ken-Signature", "v1="+strings.Repeat("0", 64)),
		"no hex":                     set("Ken-Signature", "v1="+strings.Repeat("g", 64)),
		"two in one":                 set("Ken-Signature", signature+","+signature),
		"two headers":                set("Ken-Signature", signature, signature),
		"a bad one before":           set("Ken-Signature", flip(signature), signature),
		"two timestamps":             set("Ken-Timestamp", stamp, stamp),
		"timestamp with a plus":      set("Ken-Timestamp", "+"+stamp),
		"timestamp with a zero":      set("Ken-Timestamp", "0"+stamp),
		"timestamp of a float":       set("Ken-Timestamp", stamp+".0"),
		"timestamp too large":        set("Ken-Timestamp", "99999999999999999999"),
		"negative timestamp":         set("Ken-Timestamp", "-1"),
		"timestamp one second later": set("Ken-Timestamp", fmt.Sprint(now.Unix()+1)),
		"timestamp as a date":        set("Ken-Timestamp", now.Format(time.RFC3339)),
		"too old":                    signedBy(secret, "crm", now.Add(-webhook.Window-time.Second), body),
		"too new":                    signedBy(secret, "crm", now.Add(webhook.Window+time.Second), body),
		"milliseconds":               signedBy(secret, "crm", time.Unix(now.UnixMilli(), 0), body),
		"another secret":             signedBy(other, "crm", now, body),
		"empty secret":               signedBy("", "crm", now, body),
		"for another source":         signedBy(secret, "wiki", now, body),
		"for no source":              signedBy(secret, "", now, body),
		"another body":               signedBy(secret, "crm", now, strings.Replace(body, "sixteen", "two", 1)),
		"body with a space more":     signedBy(secret, "crm", now, body+" "),
		"no body":                    signedBy(secret, "crm", now, ""),
		"parts moved":                signedBy(secret, "crm\n"+stamp, now, body[1:]),
		"to another source":          to("/webhooks/wiki"),
		"to an unknown source":       to("/webhooks/unknown"),
		"to no source":               to("/webhooks/"),
		"to a path below":            to("/webhooks/crm/"),
		"with a query":               func(r *http.Request) { r.URL.RawQuery = "a=b" },
	}
	for name, spoil := range cases {
		r := s.signed(t, body)
		spoil(r)
		status, answer := send(t, r)
		if answers[answer] = true; status != http.StatusUnauthorized {
			t.Errorf("%s: %d %s", name, status, answer)
		}
	}
	if n := s.documents(t); n != 0 || len(answers) != 1 {
		t.Errorf("%d documents, %d answers; want none and one: %v", n, len(answers), answers)
	}
	t.Logf("%d bad signatures, %d accepted", len(cases), s.documents(t))
}

// flip changes the last bit.
func flip(signature string) string {
	last := signature[len(signature)-1]
	return signature[:len(signature)-1] + map[bool]string{true: "1", false: "0"}[last == '0']
}

// What a sender is told.
func TestAnswers(t *testing.T) {
	s := open(t)
	s.documents(t)
	for _, step := range []struct {
		name, body string
		change     func(*http.Request)
		fails      error
		status     int
		answer     string
	}{
		{"the spool cannot write", body, nil, errors.New("no space left on /data/secret"), 503, "later"},
		{"new", body, nil, nil, 200, "stored"},
		{"again", body, nil, nil, 200, "unchanged"},
		{"at the window's edge", body, func(r *http.Request) { sign(r, secret, "crm", now.Add(-webhook.Window), body) }, nil, 200, "unchanged"},
		{"newer", strings.Replace(body, "1", "3", 1), nil, nil, 200, "stored"},
		{"stale", strings.Replace(body, "1", "2", 1), nil, nil, 409, "newer version"},
		{"the same version, another text", `{"id": "a.md", "version": 3, "text": "x"}`, nil, nil, 409, "another content"},
		{"malformed", `{"id": "a.md"`, nil, nil, 400, "no JSON"},
		{"readers not understood", `{"id": "b", "version": 1, "text": "x", "acl": {"allow": ["ann"]}}`, nil, nil, 400, "acl.allow"},
		{"path that leads out", `{"id": "../b", "version": 1, "text": "x"}`, nil, nil, 400, "id"},
		{"too long", `{"id": "b", "version": 1, "text": "` + strings.Repeat("x", 1000) + `"}`, nil, nil, 413, "1000 bytes"},
		{"another type", body, func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }, nil, 415, "application/json"},
		{"compressed", body, func(r *http.Request) { r.Header.Set("Content-Encoding", "gzip") }, nil, 415, "compressed"},
		{"GET", body, func(r *http.Request) { r.Method = http.MethodGet }, nil, 405, "POST"},
		{"deletion", `{"op": "delete", "id": "a.md", "version": 4}`, nil, nil, 200, "stored"},
		{"stale after the deletion", strings.Replace(body, "1", "3", 1), nil, nil, 409, "newer version"},
	} {
		s.fails = step.fails
		r := s.signed(t, step.body)
		if step.change != nil {
			step.change(r)
		}
		status, answer := send(t, r)
		if status != step.status || !strings.Contains(answer, step.answer) || strings.Contains(answer, "/data") {
			t.Errorf("%s: %d %s; want %d with %q", step.name, status, answer, step.status, step.answer)
		}
	}
	if n := s.documents(t); n != 0 {
		t.Errorf("%d documents are left", n)
	}
}

func TestNewRefuses(t *testing.T) {
	good := webhook.Hook{Source: "a", Secret: []byte(secret), Apply: func(spool.Message) (bool, error) { return true, nil }}
	short, nameless, without := good, good, good
	short.Secret, nameless.Source, without.Apply = []byte("fifteen bytes.."), "", nil
	for name, hooks := range map[string][]webhook.Hook{
		"no secret": {{Source: "a", Apply: good.Apply}}, "short secret": {short}, "no name": {nameless}, "no spool": {without}, "twice": {good, good},
	} {
		if _, err := webhook.New(time.Now, nil, hooks...); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}
