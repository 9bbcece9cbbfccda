package openai

import (
	"context"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	api "github.com/sashabaranov/go-openai"
)

const (
	// maxReply bounds the body of a good answer: 64 vectors of 4,096 numbers of
	// 20 characters are 5 MiB.
	maxReply = 64 << 20
	// maxRefusal bounds the body of a bad answer, which is read for the
	// connection's sake only.
	maxRefusal = 64 << 10
)

// newTransport returns a transport with a bound on every step.
func newTransport(o Options) *http.Transport {
	return &http.Transport{
		DialContext:           (&net.Dialer{Timeout: min(10*time.Second, o.Timeout)}).DialContext,
		TLSHandshakeTimeout:   min(10*time.Second, o.Timeout),
		ResponseHeaderTimeout: o.Timeout,
		IdleConnTimeout:       90 * time.Second,
		MaxIdleConnsPerHost:   o.Concurrency + 1, // and a query
		ForceAttemptHTTP2:     true,
	}
}

// exchange is one request. It stands between the API client and the HTTP client
// to see the status and headers, which the former drops.
type exchange struct {
	client *http.Client
	status int
	after  time.Duration // the answer's Retry-After; 0 if there is none
	failed error         // of the HTTP client or of reading the body
}

// Do implements the API client's HTTPDoer.
func (x *exchange) Do(req *http.Request) (*http.Response, error) {
	if req.Header.Get(api.AzureAPIKeyHeader) == "" {
		req.Header.Del(api.AzureAPIKeyHeader) // no key is no header
	}
	resp, err := x.client.Do(req)
	if err != nil {
		x.failed = err
		return nil, err
	}
	x.status = resp.StatusCode
	x.after = retryAfter(resp.Header.Get("Retry-After"), time.Now())
	limit := int64(maxReply)
	if kindOf(x.status) != "" {
		limit = maxRefusal
	}
	resp.Body = &body{Reader: io.LimitReader(resp.Body, limit), Closer: resp.Body, x: x}
	return resp, nil
}

// body is a bounded answer that notes a connection that broke while it was
// read, which the API client reports like malformed JSON.
type body struct {
	io.Reader
	io.Closer
	x *exchange
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err != nil && err != io.EOF {
		b.x.failed = err
	}
	return n, err
}

// send makes one request for the texts and returns the answer's vectors as they came.
func (e *Embedder) send(ctx context.Context, texts []string) ([]api.Embedding, error) {
	ctx, cancel := context.WithTimeout(ctx, e.options.Timeout)
	defer cancel()
	x := exchange{client: e.client}
	request := api.EmbeddingRequest{Input: texts, Model: api.EmbeddingModel(e.options.Model)}
	if !e.options.Native {
		request.Dimensions = e.options.Dimensions
	}
	reply, err := e.api(&x).CreateEmbeddings(ctx, request)
	kind := kindOf(x.status)
	switch {
	case x.status != 0 && kind != "":
		return nil, &Error{Kind: kind, Status: x.status, RetryAfter: x.after}
	case x.failed != nil:
		return nil, transportError(x.failed)
	case err != nil:
		return nil, &Error{Kind: BadReply, Status: x.status, Reason: "not the JSON of embeddings"}
	}
	return reply.Data, nil
}

func (e *Embedder) api(x *exchange) *api.Client {
	config := api.DefaultConfig(e.options.Key)
	if e.options.Azure {
		config = api.DefaultAzureConfig(e.options.Key, "")
		config.APIVersion = e.options.APIVersion
		config.AzureModelMapperFunc = func(deployment string) string { return deployment }
	}
	config.BaseURL = e.options.BaseURL
	config.HTTPClient = x
	return api.NewClientWithConfig(config)
}

// retryAfter reads the header's value, a number of seconds or an HTTP date.
// What is malformed or past counts as no value.
func retryAfter(value string, now time.Time) time.Duration {
	value = strings.TrimSpace(value)
	if seconds, err := strconv.ParseInt(value, 10, 64); err == nil {
		const most = int64(1<<63-1) / int64(time.Second)
		return time.Duration(min(max(seconds, 0), most)) * time.Second
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	return max(0, at.Sub(now))
}
