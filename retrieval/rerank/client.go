package rerank

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
)

// Shape is the shape of a request.
type Shape string

// The shapes. The zero Shape is Documents.
const (
	Documents Shape = "documents"
	Texts     Shape = "texts"
)

// maxResponse bounds an answer in bytes. One item takes under 100.
const maxResponse = 4 << 20

// ErrRerank is wrapped by every error of a call. The errors hold neither texts
// nor the key nor the endpoint's answer.
var ErrRerank = errors.New("rerank failed")

// Options of a client.
type Options struct {
	URL   string       // the endpoint's full URL, such as http://127.0.0.1:8080/rerank
	Shape Shape        // "" is Documents
	Model string       // sent with Documents; may be empty if the endpoint has one model
	Key   string       // sent as a bearer token; "" sends none
	HTTP  *http.Client // nil is a client of its own that follows no redirect
}

// Client is a retrieval.Reranker over HTTP. It is safe for concurrent use. The
// caller's context bounds a call; there are no retries, since a search that
// waits is worse than one that is not reranked.
type Client struct {
	Options
}

// New checks the options and sends nothing.
func New(o Options) (*Client, error) {
	u, err := url.Parse(o.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("rerank: the URL is not an absolute http or https URL")
	}
	if o.Shape == "" {
		o.Shape = Documents
	}
	if o.Shape != Documents && o.Shape != Texts {
		return nil, fmt.Errorf("rerank: shape %q is unknown: use %s or %s", o.Shape, Documents, Texts)
	}
	if o.HTTP == nil {
		o.HTTP = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	}
	return &Client{o}, nil
}

// Rerank returns one score per text, in order, as the endpoint gives them.
func (c *Client) Rerank(ctx context.Context, query string, texts []string) ([]float64, error) {
	if len(texts) == 0 {
		return nil, nil
	}
	body, err := c.body(query, texts)
	if err != nil {
		return nil, fmt.Errorf("%w: encode the request: %w", ErrRerank, err)
	}
	answer, err := c.post(ctx, body)
	if err != nil {
		return nil, err
	}
	items, err := decode(answer)
	if err != nil {
		return nil, err
	}
	return scores(items, len(texts))
}

func (c *Client) body(query string, texts []string) ([]byte, error) {
	if c.Shape == Texts {
		return json.Marshal(map[string]any{"query": query, "texts": texts, "truncate": true})
	}
	request := map[string]any{"query": query, "documents": texts, "top_n": len(texts)}
	if c.Model != "" {
		request["model"] = c.Model
	}
	return json.Marshal(request)
}

func (c *Client) post(ctx context.Context, body []byte) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("%w: bad request", ErrRerank)
	}
	request.Header.Set("Content-Type", "application/json")
	if c.Key != "" {
		request.Header.Set("Authorization", "Bearer "+c.Key)
	}
	response, err := c.HTTP.Do(request)
	if err != nil {
		return nil, noAnswer(ctx)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%w: status %d", ErrRerank, response.StatusCode)
	}
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxResponse+1))
	if err != nil {
		return nil, noAnswer(ctx)
	}
	if len(answer) > maxResponse {
		return nil, fmt.Errorf("%w: the answer is larger than %d bytes", ErrRerank, maxResponse)
	}
	return answer, nil
}

// noAnswer leaves the transport's error out: it names hosts and URLs.
func noAnswer(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%w: %w", ErrRerank, err)
	}
	return fmt.Errorf("%w: no answer", ErrRerank)
}

type item struct {
	Index     *int     `json:"index"`
	Relevance *float64 `json:"relevance_score"`
	Score     *float64 `json:"score"`
}

func decode(answer []byte) ([]item, error) {
	var items []item
	if bytes.HasPrefix(bytes.TrimSpace(answer), []byte("[")) {
		if err := json.Unmarshal(answer, &items); err != nil {
			return nil, fmt.Errorf("%w: the answer is not a list of scores", ErrRerank)
		}
		return items, nil
	}
	var wrapped struct {
		Results []item `json:"results"`
	}
	if err := json.Unmarshal(answer, &wrapped); err != nil {
		return nil, fmt.Errorf("%w: the answer is not a list of scores", ErrRerank)
	}
	return wrapped.Results, nil
}

// scores puts the items in the order of the texts. Each text must be there once.
func scores(items []item, n int) ([]float64, error) {
	if len(items) != n {
		return nil, fmt.Errorf("%w: %d scores for %d texts", ErrRerank, len(items), n)
	}
	out := make([]float64, n)
	seen := make([]bool, n)
	for _, it := range items {
		score := it.Relevance
		if score == nil {
			score = it.Score
		}
		if it.Index == nil || *it.Index < 0 || *it.Index >= n || seen[*it.Index] {
			return nil, fmt.Errorf("%w: an index is missing, out of range or twice there", ErrRerank)
		}
		if score == nil || math.IsNaN(*score) || math.IsInf(*score, 0) {
			return nil, fmt.Errorf("%w: a score is missing or not finite", ErrRerank)
		}
		seen[*it.Index], out[*it.Index] = true, *score
	}
	return out, nil
}
