package auth

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Introspection says where to ask about tokens that only the provider can read
// (RFC 7662). The zero value is not to ask: such tokens are refused.
type Introspection struct {
	URL          string // of the provider's endpoint
	ID, Secret   string // of this server as the provider knows it
	MaxAge       time.Duration
	MaxAnswers   int // that are remembered; 0 is 10,000
	MaxQuestions int // at once; 0 is 16
}

const (
	// defaultAnswerAge is how long a revoked token can stay good; 0 of MaxAge.
	defaultAnswerAge = 30 * time.Second
	longestAnswerAge = 5 * time.Minute
	maxAnswer        = 1 << 20 // bytes
)

func (o Introspection) withDefaults() Introspection {
	if o.MaxAge == 0 {
		o.MaxAge = defaultAnswerAge
	}
	if o.MaxAnswers == 0 {
		o.MaxAnswers = 10_000
	}
	if o.MaxQuestions == 0 {
		o.MaxQuestions = 16
	}
	return o
}

func (o Introspection) validate() error {
	if o.URL == "" {
		return nil
	}
	switch err := checkURL(o.URL); {
	case err != nil:
		return fmt.Errorf("introspection endpoint %q: %w", o.URL, err)
	case o.ID == "" || o.Secret == "":
		return errors.New("introspection needs an id and a secret: the provider tells nobody else about tokens")
	case o.MaxAge < 0 || o.MaxAge > longestAnswerAge || o.MaxAnswers < 0 || o.MaxQuestions < 0:
		return fmt.Errorf("introspection: answers are kept between 0 and %s, and limits are not negative", longestAnswerAge)
	}
	return nil
}

// errInactive is the provider's word that a token is good no more, or never was.
var errInactive = errors.New("the provider says that the token is not active")

// introspector asks the provider about tokens and remembers for a while what
// it said. It fails closed: without an answer there is no identity.
type introspector struct {
	Introspection
	client *http.Client
	clock  func() time.Time
	slots  chan struct{}

	mu      sync.Mutex
	answers map[[sha256.Size]byte]answer
	asking  map[[sha256.Size]byte]*question
}

// answer is what the provider said of a token at some time.
type answer struct {
	claims    claims
	err       error
	at, until time.Time
}

// question is one that several requests wait for.
type question struct {
	done   chan struct{} // closed when answer is there
	answer answer
}

func newIntrospector(o IssuerOptions) *introspector {
	i := o.Introspection.withDefaults()
	return &introspector{
		Introspection: i, client: noRedirects(o.Client), clock: o.Clock, slots: make(chan struct{}, i.MaxQuestions),
		answers: map[[sha256.Size]byte]answer{}, asking: map[[sha256.Size]byte]*question{},
	}
}

// find returns the claims of an active token.
func (i *introspector) find(ctx context.Context, token string) (claims, error) {
	id := sha256.Sum256([]byte(token)) // tokens are not kept
	i.mu.Lock()
	if a, ok := i.answers[id]; ok && a.good(i.clock()) {
		i.mu.Unlock()
		return a.claims, a.err
	}
	q, asked := i.asking[id]
	if !asked {
		q = &question{done: make(chan struct{})}
		i.asking[id] = q
		// Who asked first may go away; the answer is for all who wait.
		go i.ask(context.WithoutCancel(ctx), id, token, q)
	}
	i.mu.Unlock()
	select {
	case <-q.done:
		return q.answer.claims, q.answer.err
	case <-ctx.Done():
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, ctx.Err())
	}
}

// good is false as well for an answer from the future: the clock was set back.
func (a answer) good(now time.Time) bool { return !now.Before(a.at) && now.Before(a.until) }

// ask finds the answer to q and remembers it, unless there was none.
func (i *introspector) ask(ctx context.Context, id [sha256.Size]byte, token string, q *question) {
	ctx, cancel := context.WithTimeout(ctx, fetching)
	defer cancel()
	q.answer.claims, q.answer.err = i.request(ctx, token)
	q.answer.at = i.clock()
	q.answer.until = q.answer.at.Add(i.MaxAge)
	if expires, ok, err := q.answer.claims.instant("exp"); err == nil && ok && expires.Before(q.answer.until) {
		q.answer.until = expires
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	delete(i.asking, id)
	if !errors.Is(q.answer.err, ErrUnavailable) {
		i.remember(id, q.answer)
	}
	close(q.done)
}

// remember makes room first by what is of no use any more, else of all.
func (i *introspector) remember(id [sha256.Size]byte, a answer) {
	if len(i.answers) >= i.MaxAnswers {
		for old, o := range i.answers {
			if !o.good(a.at) {
				delete(i.answers, old)
			}
		}
	}
	if len(i.answers) >= i.MaxAnswers {
		clear(i.answers)
	}
	i.answers[id] = a
}

// request asks the provider once.
func (i *introspector) request(ctx context.Context, token string) (claims, error) {
	select {
	case i.slots <- struct{}{}:
		defer func() { <-i.slots }()
	case <-ctx.Done():
		return nil, fmt.Errorf("%w: %d questions are waiting for answers", ErrUnavailable, cap(i.slots))
	}
	form := url.Values{"token": {token}, "token_type_hint": {"access_token"}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, i.URL, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept", "application/json")
	r.SetBasicAuth(url.QueryEscape(i.ID), url.QueryEscape(i.Secret)) // RFC 6749, 2.3.1
	res, err := i.client.Do(r)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	defer res.Body.Close()
	return readIntrospection(res)
}

// readIntrospection returns the claims of an active token.
func readIntrospection(res *http.Response) (claims, error) {
	if res.StatusCode == http.StatusUnauthorized || res.StatusCode == http.StatusForbidden {
		return nil, fmt.Errorf("%w: introspection answered %d: it does not know our id and secret", ErrUnavailable, res.StatusCode)
	}
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%w: introspection answered %d", ErrUnavailable, res.StatusCode)
	}
	if t, _, err := mime.ParseMediaType(res.Header.Get("Content-Type")); err != nil || t != "application/json" {
		return nil, fmt.Errorf("%w: introspection did not answer with JSON", ErrUnavailable)
	}
	data, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err != nil || len(data) > maxAnswer {
		return nil, fmt.Errorf("%w: the answer of introspection could not be read", ErrUnavailable)
	}
	c, err := strictObject(data)
	if err != nil {
		return nil, fmt.Errorf("%w: introspection: %w", ErrUnavailable, err)
	}
	var active bool
	if !claims(c).take("active", &active) || !active {
		return nil, errInactive
	}
	return c, nil
}
