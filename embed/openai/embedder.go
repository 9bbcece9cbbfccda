package openai

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/cenkalti/backoff/v6"
	api "github.com/sashabaranov/go-openai"
	"github.com/sony/gobreaker/v2"
	"golang.org/x/sync/errgroup"

	"ken/embed"
)

const (
	// maxDim bounds the dimension that is accepted from an endpoint.
	maxDim = 1 << 16
	// opensAfter is how many failures in a row open a breaker.
	opensAfter = 5
)

// Embedder is an embed.Embedder. It is safe for concurrent use.
type Embedder struct {
	options  Options
	client   *http.Client
	own      bool // the transport is ours to close
	breakers [2]*gobreaker.CircuitBreaker[[]embed.Vector]
	limit    *limit
	model    embed.Model
}

var _ embed.Embedder = (*Embedder)(nil)

// New returns an embedder. If the dimension is not configured it asks the
// endpoint, with retries, and the error is that of Embed; else its error can
// only wrap [ErrOptions].
func New(ctx context.Context, o Options) (*Embedder, error) {
	o = o.WithDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	e := &Embedder{options: o, own: o.Transport == nil, limit: newLimit(o.Concurrency, o.MaxWait)}
	if e.own {
		o.Transport = newTransport(o)
	}
	e.client = &http.Client{
		Transport:     o.Transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	for _, kind := range []embed.Kind{embed.Passage, embed.Query} {
		e.breakers[kind] = newBreaker(o.OpenFor)
	}
	dim, err := e.dimension(ctx)
	if err != nil {
		e.Close()
		return nil, fmt.Errorf("discover the dimension of model %q: %w", o.Model, err)
	}
	e.model = o.model(dim)
	return e, nil
}

// dimension returns the configured dimension or that of a vector made now.
func (e *Embedder) dimension(ctx context.Context) (int, error) {
	if e.options.Dimensions != 0 {
		return e.options.Dimensions, nil
	}
	vs, err := e.retry(ctx, embed.Passage, []string{"dimension"})
	if err != nil {
		return 0, err
	}
	return len(vs[0]), nil
}

func newBreaker(openFor time.Duration) *gobreaker.CircuitBreaker[[]embed.Vector] {
	return gobreaker.NewCircuitBreaker[[]embed.Vector](gobreaker.Settings{
		Timeout:     openFor,
		ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= opensAfter },
		IsExcluded:  func(err error) bool { return errors.Is(err, context.Canceled) },
		IsSuccessful: func(err error) bool {
			failure, ok := errors.AsType[*Error](err)
			return err == nil || ok && failure.healthy()
		},
	})
}

// Model returns the model. Its Hash covers the model's name, the dimension, the
// prefixes and MaxBytes, and not where the endpoint is.
func (e *Embedder) Model() embed.Model { return e.model }

// Close closes idle connections. It does not wait for calls of Embed; they end
// with their contexts.
func (e *Embedder) Close() error {
	if e.own {
		e.client.CloseIdleConnections()
	}
	return nil
}

// Embed returns one unit vector per text. Texts go out in as many requests as
// the batch limits ask for, several at once for passages. A text without a visible
// character is not sent, since endpoints refuse it, and gets the first unit
// vector. Bytes that are not UTF-8 are replaced. The error is an [*Error] or
// the context's.
func (e *Embedder) Embed(ctx context.Context, kind embed.Kind, texts []string) ([]embed.Vector, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("embed: %w", err)
	}
	out := make([]embed.Vector, len(texts))
	var at []int // places in out of the texts to send
	var prepared []string
	for i, text := range texts {
		if strings.TrimSpace(text) == "" {
			out[i] = make(embed.Vector, e.model.Dim)
			out[i][0] = 1
			continue
		}
		at, prepared = append(at, i), append(prepared, e.prepare(kind, text))
	}
	vectors := make([]embed.Vector, len(prepared))
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(e.options.Concurrency)
	done := 0
	for batch := range e.batches(prepared) {
		to := vectors[done:]
		done += len(batch)
		group.Go(func() error {
			vs, err := e.retry(within, kind, batch)
			copy(to, vs)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	for i, v := range vectors {
		out[at[i]] = v
	}
	return out, nil
}

// prepare returns what is sent for the text.
func (e *Embedder) prepare(kind embed.Kind, text string) string {
	prefix := e.options.PassagePrefix
	if kind == embed.Query {
		prefix = e.options.QueryPrefix
	}
	room := e.options.MaxBytes - len(prefix)
	text = strings.ToValidUTF8(text[:min(len(text), 4*room)], "\ufffd")
	if len(text) > room {
		for room > 0 && !utf8.RuneStart(text[room]) {
			room--
		}
		text = text[:room]
	}
	return prefix + text
}

// batches cuts texts into runs within the limits of a request.
func (e *Embedder) batches(texts []string) func(yield func([]string) bool) {
	return func(yield func([]string) bool) {
		start, size := 0, 0
		for i, text := range texts {
			if i > start && (i-start == e.options.BatchTexts || size+len(text) > e.options.BatchBytes) {
				if !yield(texts[start:i]) {
					return
				}
				start, size = i, 0
			}
			size += len(text)
		}
		if start < len(texts) {
			yield(texts[start:])
		}
	}
}

// retry sends a batch until it succeeds, the failure is no transient one, or
// the retries are used up.
func (e *Embedder) retry(ctx context.Context, kind embed.Kind, texts []string) ([]embed.Vector, error) {
	wait := backoff.NewExponentialBackOff()
	wait.InitialInterval, wait.Multiplier = e.options.Backoff, 2
	wait.MaxInterval = max(e.options.Backoff, e.options.MaxWait)
	vs, err := backoff.Retry(ctx, func() ([]embed.Vector, error) {
		vs, err := e.admitted(ctx, kind, texts)
		return vs, e.verdict(ctx, err)
	}, backoff.WithBackOff(wait), backoff.WithMaxTries(uint(e.options.Retries)+1), backoff.WithMaxElapsedTime(0))
	if err == nil {
		return vs, nil
	}
	if ctx.Err() != nil {
		return nil, fmt.Errorf("embed: %w", ctx.Err())
	}
	if failure, ok := errors.AsType[*Error](err); ok {
		return nil, failure
	}
	return nil, fmt.Errorf("embed: %w", backoff.AsRetryError(err).LastErr)
}

// admitted makes one request when there is room for it.
func (e *Embedder) admitted(ctx context.Context, kind embed.Kind, texts []string) ([]embed.Vector, error) {
	request := func() ([]embed.Vector, error) { return e.attempt(ctx, texts) }
	if kind == embed.Query {
		return e.breakers[kind].Execute(request)
	}
	began, err := e.limit.enter(ctx)
	if err != nil {
		return nil, err
	}
	vs, err := e.breakers[kind].Execute(request)
	e.limit.leave(began, len(texts) == e.options.BatchTexts, err)
	return vs, err
}

// verdict tells the retry loop what to do about the error.
func (e *Embedder) verdict(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests) {
		return backoff.Permanent(&Error{Kind: Open, RetryAfter: e.options.OpenFor})
	}
	failure, ok := errors.AsType[*Error](err)
	if !ok || !failure.transient() || failure.RetryAfter > e.options.MaxWait {
		return backoff.Permanent(err)
	}
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < failure.RetryAfter {
		return backoff.Permanent(err) // the wait would outlast the caller
	}
	if failure.RetryAfter > 0 {
		return errors.Join(failure, &backoff.RetryAfterError{Duration: failure.RetryAfter})
	}
	return failure
}

// attempt makes one request and checks what came back. A context that the
// caller cancelled gives the context's error, so that no breaker counts it.
func (e *Embedder) attempt(ctx context.Context, texts []string) ([]embed.Vector, error) {
	data, err := e.send(ctx, texts)
	if errors.Is(ctx.Err(), context.Canceled) {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	vs, err := e.check(data, len(texts))
	if err != nil {
		return nil, &Error{Kind: BadReply, Status: http.StatusOK, err: err}
	}
	return vs, nil
}

// check puts the vectors in the order of the texts and scales them.
func (e *Embedder) check(data []api.Embedding, n int) ([]embed.Vector, error) {
	slices.SortStableFunc(data, func(a, b api.Embedding) int { return cmp.Compare(a.Index, b.Index) })
	vs := make([]embed.Vector, len(data))
	for i, d := range data {
		vs[i] = d.Embedding
	}
	dim := e.model.Dim
	if dim == 0 && len(vs) > 0 { // this call discovers it
		dim = min(len(vs[0]), maxDim)
	}
	if err := embed.Check(vs, n, dim); err != nil {
		return nil, err
	}
	for i, d := range data {
		if d.Index != i {
			return nil, fmt.Errorf("%w: indexes are not 0 to %d", embed.ErrVector, n-1)
		}
		embed.Normalize(vs[i])
	}
	return vs, nil
}
