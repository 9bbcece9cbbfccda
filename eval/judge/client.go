package judge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	api "github.com/sashabaranov/go-openai"
)

// request is what is asked of a model; all of it decides the reply.
type request struct {
	Prompts string `json:"prompts"`
	Model   string `json:"model"`
	System  string `json:"system"`
	User    string `json:"user"`
	Name    string `json:"name"` // of the schema
	Schema  string `json:"schema"`
	Try     int    `json:"try"` // the judgements of one answer differ in it
}

// ErrMissing is returned in a replay for what was not recorded.
var ErrMissing = errors.New("not recorded, and the endpoint is not asked in a replay")

// Usage counts what models were asked.
type Usage struct {
	Requests         int `json:"requests"` // to the endpoint, retries included
	Retries          int `json:"retries"`
	Recorded         int `json:"recorded"` // replies that recordings gave
	PromptTokens     int `json:"prompt_tokens"`
	CompletionTokens int `json:"completion_tokens"`

	// Cost is of this run's tokens by the prices of the options; those of
	// recordings were paid before and cost nothing.
	Cost float64 `json:"cost"`
}

// asker asks an endpoint and keeps what it says.
type asker struct {
	Options
	http *http.Client

	mu    sync.Mutex
	usage Usage
}

func newAsker(o Options) *asker {
	transport := o.Transport
	if transport == nil {
		transport = &http.Transport{
			DialContext:         (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
			TLSHandshakeTimeout: 10 * time.Second, IdleConnTimeout: 90 * time.Second,
			MaxIdleConnsPerHost: o.Workers, ForceAttemptHTTP2: true,
		}
	}
	noRedirect := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse } // it would carry the key elsewhere
	return &asker{Options: o, http: &http.Client{Transport: transport, CheckRedirect: noRedirect}}
}

// ask returns the reply to q as parse reads it, from the recordings if it is
// there. A reply that parse refuses is asked for again like one that failed.
func ask[T any](ctx context.Context, a *asker, q request, parse func(string) (T, error)) (T, error) {
	var none T
	id := key(q)
	rec, ok, err := a.Recordings.load(id)
	if err != nil {
		return none, err
	}
	if ok {
		if out, err := parse(rec.Reply); err == nil {
			a.count(func(u *Usage) { u.Recorded++ })
			return out, nil
		}
	}
	if a.Replay {
		return none, ErrMissing
	}
	for try := 0; ; try++ {
		rec, wait, err := a.send(ctx, q)
		if err == nil {
			a.count(func(u *Usage) { u.PromptTokens += rec.Prompt; u.CompletionTokens += rec.Completion })
			out, malformed := parse(rec.Reply)
			if malformed == nil {
				return out, a.Recordings.save(id, rec)
			}
			err = &Error{Kind: Malformed, Reason: malformed.Error()}
		}
		if ctx.Err() != nil {
			return none, ctx.Err()
		}
		if !transient(err) || try >= a.Retries || wait > a.MaxWait {
			return none, err
		}
		a.count(func(u *Usage) { u.Retries++ })
		if err := pause(ctx, max(wait, a.backoff(try))); err != nil {
			return none, err
		}
	}
}

func (a *asker) count(f func(*Usage)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	f(&a.usage)
}

// backoff doubles with every try and varies by half, so that workers that were
// turned away together do not come back together.
func (a *asker) backoff(try int) time.Duration {
	d := min(a.Backoff<<min(try, 16), a.MaxWait)
	return d/2 + rand.N(d+1)
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// send makes one request. wait is what the endpoint asked for.
func (a *asker) send(ctx context.Context, q request) (rec recording, wait time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, a.Timeout)
	defer cancel()
	x := &exchange{client: a.http}
	config := api.DefaultConfig(a.Key)
	config.BaseURL, config.HTTPClient = a.URL, x
	a.count(func(u *Usage) { u.Requests++ })
	reply, err := api.NewClientWithConfig(config).CreateChatCompletion(ctx, completion(q))
	if err != nil {
		return rec, x.wait, x.failure(ctx)
	}
	if len(reply.Choices) != 1 {
		return rec, 0, &Error{Kind: Malformed, Reason: fmt.Sprintf("%d choices", len(reply.Choices))}
	}
	return recording{reply.Choices[0].Message.Content, reply.Usage.PromptTokens, reply.Usage.CompletionTokens}, 0, nil
}

func completion(q request) api.ChatCompletionRequest {
	seed := q.Try
	return api.ChatCompletionRequest{
		Model: q.Model, Seed: &seed,
		Messages: []api.ChatCompletionMessage{{Role: api.ChatMessageRoleSystem, Content: q.System}, {Role: api.ChatMessageRoleUser, Content: q.User}},
		ResponseFormat: &api.ChatCompletionResponseFormat{
			Type:       api.ChatCompletionResponseFormatTypeJSONSchema,
			JSONSchema: &api.ChatCompletionResponseFormatJSONSchema{Name: q.Name, Schema: json.RawMessage(q.Schema), Strict: true},
		},
	}
}

// maxReply bounds the body of an answer in bytes.
const maxReply = 4 << 20

// exchange sees the status and headers that the API client drops.
type exchange struct {
	client *http.Client
	status int
	wait   time.Duration
}

// Do implements the API client's HTTPDoer.
func (x *exchange) Do(r *http.Request) (*http.Response, error) {
	resp, err := x.client.Do(r)
	if err != nil {
		return nil, err
	}
	x.status, x.wait = resp.StatusCode, retryAfter(resp.Header.Get("Retry-After"), time.Now())
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(resp.Body, maxReply), resp.Body}
	return resp, nil
}

func retryAfter(value string, now time.Time) time.Duration {
	value = strings.TrimSpace(value)
	if n, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(n) * time.Second
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	return max(0, at.Sub(now))
}
