package retrieval

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"ken/corpora/acl"
	"ken/embed"
)

// Names of what can be missing from an answer, as they stand in Degraded.
const (
	DegradedLexical = "lexical" // the query has words, and none could be searched for
	DegradedVector  = "vector"  // no embedder, it failed, or its model is not the index's
	DegradedRerank  = "rerank"  // the reranker failed
)

// ErrUnavailable is returned if the only leg that was asked for cannot answer.
var ErrUnavailable = errors.New("search is unavailable")

// Reranker scores texts against a query, higher is better, on any scale. It
// returns one finite score per text, in order, or an error.
type Reranker interface {
	Rerank(ctx context.Context, query string, texts []string) ([]float64, error)
}

// Options of a [Searcher]. The zero value searches by words alone.
type Options struct {
	// Embedder makes the query's vector. Without one a Hybrid search answers
	// with its lexical leg and says so in Degraded, and a Vector search is
	// ErrUnavailable: what was asked for is not what is given.
	Embedder embed.Embedder
	// Embedders makes query vectors for a generation of the index whose model is
	// another than the Embedder's; nil, or nil for a model, is none.
	Embedders func(embed.Model) embed.Embedder
	// EmbedTimeout is how long the embedder may take; 0 is 5 seconds.
	EmbedTimeout time.Duration
	// Reranker reorders the best chunks; nil is none, and is not degraded.
	Reranker Reranker
	// RerankTimeout is how long the reranker may take; 0 is 5 seconds.
	RerankTimeout time.Duration
	// Clock says at what instant permissions are read; nil is time.Now.
	Clock func() time.Time
	// Params of the ranking; the zero Params are DefaultParams.
	Params Params
	// Logger hears why a service did not answer; nil is silence. No text of a
	// query or a document is logged.
	Logger *slog.Logger
}

const defaultTimeout = 5 * time.Second

func (o Options) withDefaults() Options {
	if o.EmbedTimeout == 0 {
		o.EmbedTimeout = defaultTimeout
	}
	if o.RerankTimeout == 0 {
		o.RerankTimeout = defaultTimeout
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Params == (Params{}) {
		o.Params = DefaultParams()
	}
	return o
}

func (o Options) validate() error {
	if o.EmbedTimeout < 0 || o.RerankTimeout < 0 {
		return errors.New("a time-out is negative")
	}
	return o.Params.validate()
}

// Searcher answers questions over one store. It is safe for concurrent use.
type Searcher struct {
	store Store
	Options
}

// New returns a searcher over the store.
func New(store Store, o Options) (*Searcher, error) {
	if store == nil {
		return nil, errors.New("new searcher: no store")
	}
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return nil, fmt.Errorf("new searcher: %w", err)
	}
	return &Searcher{store: store, Options: o}, nil
}

// Search answers the request from one view of the store. Errors wrap
// [ErrQuery], [ErrUnavailable] or the context's error, or are the store's.
func (s *Searcher) Search(ctx context.Context, p acl.Principal, r Request) (Response, error) {
	response, _, err := s.search(ctx, p, r, false)
	return response, err
}

// Explain is Search that also returns the ranking which the answer was made
// from: the chunks that match, best first, reranked but not yet folded, cut to
// Limit or packed. Of each leg the best Params.Depth chunks are considered.
func (s *Searcher) Explain(ctx context.Context, p acl.Principal, r Request) (Response, []Ranked, error) {
	return s.search(ctx, p, r, true)
}

// search returns the ranking if it is wanted: an answer needs only its beginning.
func (s *Searcher) search(ctx context.Context, p acl.Principal, r Request, explain bool) (Response, []Ranked, error) {
	r = r.withDefaults()
	if err := r.validate(); err != nil {
		return Response{}, nil, err
	}
	a, err := r.read()
	if err != nil {
		return Response{}, nil, err
	}
	r.Query, r.Filter.Phrases = a.text, append(a.phrases, r.Filter.Phrases...)
	q, err := s.embedQuery(ctx, r, s.embedderFor(s.expected(p)))
	if err != nil {
		return Response{}, nil, err
	}
	v, err := s.open(ctx, p)
	if err != nil {
		return Response{}, nil, err
	}
	defer v.Close()
	if q, err = s.embedAgain(ctx, v, r, q); err != nil {
		return Response{}, nil, err
	}
	o, lost, err := s.rank(ctx, v, r, a, q)
	if err != nil {
		return Response{}, nil, broad(err)
	}
	if o, err = s.rerank(ctx, v, r, o, &lost); err != nil {
		return Response{}, nil, err
	}
	response, err := s.answer(ctx, v, r, a, o)
	response.Degraded = lost.names()
	if err != nil || !explain {
		return response, nil, err
	}
	ranked, err := o.all(ctx)
	return response, ranked, err
}

// answer takes a ranking to its end.
func (s *Searcher) answer(ctx context.Context, v *snapshot, r Request, a asked, o *order) (Response, error) {
	within, end := Stage(ctx, StageFold)
	found, err := s.choose(within, v, r, o)
	end()
	if err != nil {
		return Response{}, err
	}
	ctx, end = Stage(ctx, StagePack)
	defer end()
	results, cut, err := pack(ctx, v, found, r)
	if err == nil && r.Snippets {
		err = snippets(ctx, v, found, a, results)
	}
	if err != nil {
		return Response{}, err
	}
	return Response{Results: results, Cut: cut}, nil
}

func (s *Searcher) open(ctx context.Context, p acl.Principal) (*snapshot, error) {
	view, err := s.store.View(ctx, p, s.Clock())
	if err != nil {
		return nil, fmt.Errorf("open view: %w", err)
	}
	return newSnapshot(view), nil
}

// missing is the set of legs that did not answer.
type missing struct {
	lexical, vector, rerank bool
}

func (m missing) names() []string {
	var out []string
	if m.lexical {
		out = append(out, DegradedLexical)
	}
	if m.rerank {
		out = append(out, DegradedRerank)
	}
	if m.vector {
		out = append(out, DegradedVector)
	}
	return out
}
