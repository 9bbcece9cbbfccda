package auth_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ken/tools/auth"
)

// oracle is a provider's introspection endpoint.
type oracle struct {
	*httptest.Server
	asked  atomic.Int32
	answer func(w http.ResponseWriter, token string)
}

func newOracle(t *testing.T) *oracle {
	t.Helper()
	o := &oracle{}
	o.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o.asked.Add(1)
		id, secret, _ := r.BasicAuth()
		if id != "ken%3A1" || secret != "s%25cret" || r.Method != http.MethodPost || r.URL.RawQuery != "" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		o.answer(w, r.PostFormValue("token"))
	}))
	t.Cleanup(o.Close)
	o.says(o.active())
	return o
}

// says makes the endpoint answer with one JSON value.
func (o *oracle) says(v any) {
	text, ok := v.(string)
	if !ok {
		data, err := json.Marshal(v)
		if err != nil {
			panic(err)
		}
		text = string(data)
	}
	o.answer = func(w http.ResponseWriter, _ string) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		fmt.Fprint(w, text)
	}
}

func (o *oracle) active() map[string]any {
	return map[string]any{"active": true, "iss": o.URL, "aud": audience, "sub": "ann", "groups": []string{"hr"}, "scope": "ken.read", "token_type": "Bearer", "exp": instant.Add(time.Hour).Unix()}
}

func (o *oracle) options(clock func() time.Time) auth.IssuerOptions {
	return auth.IssuerOptions{Issuer: o.URL, Audience: audience, GroupsClaim: "groups", Clock: clock, Client: o.Client(),
		Introspection: auth.Introspection{URL: o.URL + "/introspect", ID: "ken:1", Secret: "s%cret"}}
}

func (o *oracle) issuer(t *testing.T, clock func() time.Time) *auth.Issuer {
	t.Helper()
	i, err := auth.NewIssuer(o.options(clock))
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// TestIntrospectionAnswers: only an answer that says in so many words that the token is good, here
// and now, for this server and for a person, lets anyone in.
func TestIntrospectionAnswers(t *testing.T) {
	o := newOracle(t)
	good := o.active()
	many := make([]string, 10_000)
	for n := range many {
		many[n] = fmt.Sprintf("g%d", n)
	}
	const refused, unavailable = "refused", "unavailable"
	for name, c := range map[string]struct {
		says any
		want string
	}{
		"good":                     {good, ""},
		"without issuer and end":   {without(without(good, "iss"), "exp"), ""},
		"inactive":                 {map[string]any{"active": false}, refused},
		"inactive with the rest":   {with(good, "active", false), refused},
		"active as a text":         {with(good, "active", "true"), refused},
		"active as a number":       {with(good, "active", 1), refused},
		"not a word about it":      {without(good, "active"), refused},
		"Active":                   {with(without(good, "active"), "Active", true), refused},
		"another issuer":           {with(good, "iss", "https://evil.example.com"), refused},
		"issuer null":              {with(good, "iss", nil), refused},
		"another audience":         {with(good, "aud", "https://other.example.com"), refused},
		"no audience":              {without(good, "aud"), refused},
		"no user":                  {without(good, "sub"), refused},
		"no groups":                {without(good, "groups"), refused},
		"groups as a text":         {with(good, "groups", "hr"), refused},
		"10,000 groups":            {with(good, "groups", many), refused},
		"expired":                  {with(good, "exp", instant.Add(-time.Minute).Unix()), refused},
		"end that is no time":      {with(good, "exp", "soon"), refused},
		"a proof of possession":    {with(good, "token_type", "DPoP"), refused},
		"bound to a certificate":   {with(good, "cnf", map[string]string{"x5t#S256": "abc"}), refused},
		"bound to a key":           {with(good, "cnf", map[string]string{"jkt": "abc"}), refused},
		"bound to nothing":         {with(good, "cnf", map[string]string{}), refused},
		"twice active":             {`{"active":false,"active":true}`, unavailable},
		"a list":                   {"[]", unavailable},
		"no JSON":                  {"<html>", unavailable},
		"nothing":                  {"", unavailable},
		"an answer without an end": {`{"active":true,"pad":"` + strings.Repeat("x", 2<<20) + `"}`, unavailable},
	} {
		o.says(c.says)
		id, err := o.issuer(t, func() time.Time { return instant }).Verify(t.Context(), "opaque")
		got := refused
		switch {
		case err == nil && id.Principal.User() == "user:ann" && id.HasScope("ken.read") && id.Principal.Holds("group:hr"):
			got = ""
		case errors.Is(err, auth.ErrUnavailable):
			got = unavailable
		}
		if got != c.want {
			t.Errorf("%s: %q (%v), want %q", name, got, err, c.want)
		}
	}
}

// TestIntrospectionFails: an endpoint that does not answer lets nobody in. Clients are told to
// come back, and the operator why; neither is told the token or the secret.
func TestIntrospectionFails(t *testing.T) {
	for name, c := range map[string]struct {
		answer func(http.ResponseWriter, string)
		secret string
		says   string
	}{
		"down":          {func(w http.ResponseWriter, _ string) { w.WriteHeader(503) }, "s%cret", "answered 503"},
		"other secret":  {nil, "old", "does not know our id"},
		"elsewhere":     {func(w http.ResponseWriter, _ string) { w.Header().Set("Location", "/x"); w.WriteHeader(307) }, "s%cret", "answered 307"},
		"not JSON":      {func(w http.ResponseWriter, _ string) { fmt.Fprint(w, `{"active":true}`) }, "s%cret", "did not answer with JSON"},
		"hangs up":      {func(http.ResponseWriter, string) { panic(http.ErrAbortHandler) }, "s%cret", "EOF"},
		"never answers": {nil, "s%cret", "deadline"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			o := newOracle(t)
			released := make(chan struct{})
			if o.answer = c.answer; c.answer == nil {
				o.answer = func(http.ResponseWriter, string) { <-released }
			}
			defer close(released)
			options := o.options(func() time.Time { return instant })
			options.Introspection.Secret = c.secret
			options.Log = slog.New(slog.NewTextHandler(&log, nil))
			i, err := auth.NewIssuer(options)
			if err != nil {
				t.Fatal(err)
			}
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/mcp", nil)
			r.Header.Set("Authorization", "Bearer some-opaque-token")
			w := httptest.NewRecorder()
			auth.Require(i, 0, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("let in") })).ServeHTTP(w, r)
			if w.Code != 503 || w.Header().Get("Retry-After") == "" || w.Header().Get("WWW-Authenticate") != "" {
				t.Errorf("%d %v", w.Code, w.Header())
			}
			if !strings.Contains(log.String(), c.says) {
				t.Errorf("the operator reads %s", log.String())
			}
			for _, secret := range []string{"some-opaque-token", c.secret} {
				if strings.Contains(log.String()+w.Body.String(), secret) {
					t.Errorf("%q is told: %s %s", secret, log.String(), w.Body)
				}
			}
		})
	}
}

// TestIntrospectionIsRemembered for as long as the answer is good, and no longer.
func TestIntrospectionIsRemembered(t *testing.T) {
	o := newOracle(t)
	now := instant
	i := o.issuer(t, func() time.Time { return now })
	good := func(want bool, asked int32) {
		t.Helper()
		before := o.asked.Load()
		if _, err := i.Verify(t.Context(), "opaque"); (err == nil) != want {
			t.Errorf("%v, want good: %v", err, want)
		}
		if got := o.asked.Load() - before; got != asked {
			t.Errorf("asked %d times, want %d", got, asked)
		}
	}
	good(true, 1)
	o.says(map[string]any{"active": false}) // revoked
	now = now.Add(29 * time.Second)
	good(true, 0)
	now = now.Add(time.Second)
	good(false, 1)
	now = now.Add(29 * time.Second)
	good(false, 0)
	now = now.Add(time.Second)
	o.says(with(o.active(), "exp", now.Add(2*time.Second).Unix()))
	good(true, 1)
	now = now.Add(2 * time.Second)
	o.says(map[string]any{"active": false})
	good(false, 1) // not one second longer than exp
	o.says(o.active())
	now = now.AddDate(0, 0, -1) // the clock is set back
	good(true, 1)
	now = now.AddDate(1, 0, 0) // and on by a year
	good(false, 1)
}

// TestIntrospectionIsAskedOnce by those who come with one token at once.
func TestIntrospectionIsAskedOnce(t *testing.T) {
	o := newOracle(t)
	says, release := o.answer, make(chan struct{})
	o.answer = func(w http.ResponseWriter, token string) { <-release; says(w, token) }
	i := o.issuer(t, func() time.Time { return instant })
	var all sync.WaitGroup
	var begun sync.WaitGroup
	for range 50 {
		begun.Add(1)
		all.Go(func() {
			begun.Done()
			if _, err := i.Verify(t.Context(), "opaque"); err != nil {
				t.Error(err)
			}
		})
	}
	begun.Wait()
	close(release)
	all.Wait()
	if n := o.asked.Load(); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

// TestIntrospectionKeepsABoundedNumber of answers.
func TestIntrospectionKeepsABoundedNumber(t *testing.T) {
	o := newOracle(t)
	options := o.options(func() time.Time { return instant })
	options.Introspection.MaxAnswers = 10
	i, err := auth.NewIssuer(options)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 100 {
		if _, err := i.Verify(t.Context(), fmt.Sprint("token", n)); err != nil {
			t.Fatal(err)
		}
	}
	before := o.asked.Load()
	for n := range 100 {
		if _, err := i.Verify(t.Context(), fmt.Sprint("token", n)); err != nil {
			t.Fatal(err)
		}
	}
	if again := o.asked.Load() - before; again < 90 {
		t.Errorf("%d of 100 answers were remembered, want at most 10", 100-again)
	}
}

func TestIntrospectionOptions(t *testing.T) {
	for name, i := range map[string]auth.Introspection{
		"no secret":  {URL: "https://login.example.com/i", ID: "ken"},
		"no id":      {URL: "https://login.example.com/i", Secret: "s"},
		"plain HTTP": {URL: "http://login.example.com/i", ID: "ken", Secret: "s"},
		"too long":   {URL: "https://login.example.com/i", ID: "ken", Secret: "s", MaxAge: time.Hour},
	} {
		if _, err := auth.NewIssuer(auth.IssuerOptions{Issuer: "https://login.example.com", Audience: audience, Introspection: i}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
