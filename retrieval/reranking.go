package retrieval

import (
	"context"
	"errors"
	"math"
	"slices"
)

// rerank reorders the best chunks by the reranker's scores. They are scaled to
// .5..1 and the rest to 0...5, so that what was reranked stays in front; the
// factor of superseded documents and drafts applies to both.
func (s *Searcher) rerank(ctx context.Context, v *snapshot, r Request, o *order, lost *missing) (*order, error) {
	n := min(s.Params.Rerank, len(o.found))
	if s.Reranker == nil || n == 0 {
		return o, nil
	}
	ctx, end := Stage(ctx, StageRerank)
	defer end()
	ranked, err := o.all(ctx)
	if err != nil {
		return nil, err
	}
	texts, err := v.texts(ctx, hitsOf(ranked[:n]))
	if err != nil {
		return nil, err
	}
	scores, err := s.askReranker(ctx, r.Query, texts)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		s.Logger.WarnContext(ctx, "the reranker does not answer", "error", err)
		lost.rerank = true
		return o, nil
	}
	ranked = slices.Clone(ranked)
	outlines, err := v.outlines(ctx, hitsOf(ranked[:n]), false)
	if err != nil {
		return nil, err
	}
	for i := range ranked {
		if i >= n {
			ranked[i].Score /= 2
			continue
		}
		ranked[i].Score = .5 + float64(scores[i]/2)
		if !r.History {
			ranked[i].Score *= s.Params.standing(outlines[i].Status)
		}
	}
	sortRanked(ranked)
	return settledOrder(v, ranked), nil
}

// askReranker returns the scores scaled to 0..1.
func (s *Searcher) askReranker(ctx context.Context, query string, texts []string) ([]float64, error) {
	ctx, cancel := context.WithTimeout(ctx, s.RerankTimeout)
	defer cancel()
	scores, err := s.Reranker.Rerank(ctx, query, texts)
	if err == nil {
		err = checkScores(scores, len(texts))
	}
	if err != nil {
		return nil, err
	}
	return scale(scores), nil
}

var errScores = errors.New("the reranker's scores are not one finite number per text")

func checkScores(scores []float64, n int) error {
	if len(scores) != n {
		return errScores
	}
	for _, x := range scores {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return errScores
		}
	}
	return nil
}
