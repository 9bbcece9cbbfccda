package retrieval

import (
	"context"
	"errors"
	"fmt"

	"ken/embed"
	"ken/index"
)

// queryVector is the query's vector and the model that made it; nil if there is none.
type queryVector struct {
	vector embed.Vector
	model  embed.Model
}

// embedQuery runs before the view is taken: an answer is then as fresh as it
// can be, and a slow embedder holds no snapshot.
func (s *Searcher) embedQuery(ctx context.Context, r Request) (*queryVector, error) {
	if r.Mode == Lexical || s.Embedder == nil {
		return nil, nil
	}
	within, cancel := context.WithTimeout(ctx, s.EmbedTimeout)
	defer cancel()
	model := s.Embedder.Model()
	vs, err := s.Embedder.Embed(within, embed.Query, []string{r.Query})
	if err == nil {
		err = embed.Check(vs, 1, model.Dim)
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil { // whoever asks learns of it by name: Degraded, or ErrUnavailable
		s.Logger.WarnContext(ctx, "the embedder does not answer", "model", model.Name, "error", err)
		return nil, nil
	}
	return &queryVector{vector: vs[0], model: model}, nil
}

// vectorLeg searches by vector. It reports false if the leg cannot answer.
func (s *Searcher) vectorLeg(ctx context.Context, v index.View, r Request, q *queryVector) ([]index.Hit, bool, error) {
	stored := v.Model()
	if q == nil || stored.Dim != 0 && stored.Hash != q.model.Hash {
		return nil, false, nil
	}
	hits, err := v.SearchVector(ctx, q.vector, r.Filter, s.Params.Depth)
	if errors.Is(err, index.ErrModel) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("search by vector: %w", err)
	}
	return hits, true, nil
}
