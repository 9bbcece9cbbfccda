package retrieval

import (
	"context"

	"ken/corpora/acl"
	"ken/embed"
)

// Generations is a store that may serve people from indexes of different models.
type Generations interface {
	// ModelFor returns the model of the view that the principal would get now.
	ModelFor(acl.Principal) embed.Model
}

// expected returns the model that the principal's view is expected to have; the
// zero Model if the store does not say.
func (s *Searcher) expected(p acl.Principal) embed.Model {
	if g, ok := s.store.(Generations); ok {
		return g.ModelFor(p)
	}
	return embed.Model{}
}

// embedderFor returns what makes query vectors of the model; the Embedder if
// nothing does, so that the answer says what it lacks.
func (s *Searcher) embedderFor(m embed.Model) embed.Embedder {
	if m.Dim == 0 || s.Embedders == nil || s.Embedder != nil && s.Embedder.Model().Hash == m.Hash {
		return s.Embedder
	}
	if e := s.Embedders(m); e != nil {
		return e
	}
	return s.Embedder
}

// embedAgain makes the query's vector for the view at hand if it was made for
// another generation: one was promoted between the two.
func (s *Searcher) embedAgain(ctx context.Context, v *snapshot, r Request, q *queryVector) (*queryVector, error) {
	stored := v.Model()
	if q == nil || stored.Dim == 0 || stored.Hash == q.model.Hash {
		return q, nil
	}
	e := s.embedderFor(stored)
	if e == nil || e.Model().Hash != stored.Hash {
		return q, nil
	}
	return s.embedQuery(ctx, r, e)
}
