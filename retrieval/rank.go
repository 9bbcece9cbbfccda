package retrieval

import (
	"cmp"
	"context"
	"fmt"

	"ken/index"
	"ken/index/analyze"
	"ken/internal/rejoin"
)

// rank runs the legs that the mode asks for, side by side, and fuses them.
func (s *Searcher) rank(ctx context.Context, v *snapshot, r Request, a asked, q *queryVector) (*order, missing, error) {
	var (
		words, vectors []index.Hit
		lost           missing
		other          error
		beside         rejoin.Group
	)
	if r.Mode != Lexical {
		beside.Go(func() {
			var ok bool
			vectors, ok, other = s.vectorLeg(ctx, v.View, r, q)
			lost.vector = !ok
		})
	}
	var err error
	if r.Mode != Vector {
		words, lost.lexical, err = s.lexicalLeg(ctx, v, r, a)
	}
	beside.Wait()
	if err = cmp.Or(err, other); err != nil {
		return nil, missing{lexical: lost.lexical}, err
	}
	if r.Mode == Vector && lost.vector {
		return nil, lost, fmt.Errorf("%w: the vector leg does not answer; use mode %s or %s", ErrUnavailable, Lexical, Hybrid)
	}
	_, end := Stage(ctx, StageFuse)
	found := fuse(s.Params.Fusion, s.alpha(r, lost, q), words, vectors)
	end()
	return s.inOrder(v, r, found), lost, nil
}

// alpha is the weight of the vector leg. A leg that was not asked for or that
// did not answer weighs nothing.
func (s *Searcher) alpha(r Request, lost missing, q *queryVector) float64 {
	switch {
	case r.Mode == Vector:
		return 1
	case r.Mode == Lexical || lost.vector:
		return 0
	case s.Params.Alpha != ModelAlpha:
		return s.Params.Alpha
	}
	return min(max(q.model.Fuse, 0), 1)
}

// lexicalLeg returns the best chunks by words, and whether the leg is dead:
// there are documents to search, but no word of the query can be searched for.
func (s *Searcher) lexicalLeg(ctx context.Context, v *snapshot, r Request, a asked) ([]index.Hit, bool, error) {
	languages := v.Languages()
	terms := queryTerms(a.words, languages)
	for _, prefix := range a.prefixes {
		terms = append(terms, analyze.QueryPrefix(prefix, languages))
	}
	if len(terms) == 0 {
		return nil, len(languages) > 0 && hasUncutWords(r.Query), nil
	}
	q := index.TextQuery{
		Terms:  terms,
		BM25:   index.BM25{K1: s.Params.K1, B: s.Params.B, Title: s.Params.Title},
		Filter: r.Filter,
	}
	q, err := s.feedBack(ctx, v, q)
	if err != nil {
		return nil, false, err
	}
	hits, err := v.SearchText(ctx, q, s.Params.Depth)
	if err != nil {
		return nil, false, fmt.Errorf("search by words: %w", err)
	}
	hits, err = s.rescore(ctx, v, r.Query, hits)
	return hits, false, err
}
