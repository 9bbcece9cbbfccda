package retrieval

import (
	"context"

	"ken/corpora"
	"ken/index"
)

// found is a document of the answer with the chunks of it that matched.
type found struct {
	document
	score      float64
	matches    []match   // best first, never empty
	shingles   *shingles // of the best chunk
	duplicates []corpora.DocID
}

// choose returns the documents of the answer, best first: every document
// stands at the place of its best chunk, near-duplicates are folded into the
// better one, and no source has more than the quota.
func (s *Searcher) choose(ctx context.Context, v *snapshot, r Request, o *order) ([]*found, error) {
	var chosen []*found
	seen := make(map[corpora.DocID]bool)
	perSource := make(map[string]int)
	for i := 0; len(chosen) < r.Limit; i++ {
		best, err := o.at(ctx, i)
		if err != nil || best == nil {
			return chosen, err
		}
		if seen[best.Doc] {
			continue
		}
		seen[best.Doc] = true
		f, err := s.inspect(ctx, v, best, o)
		if err != nil {
			return nil, err
		}
		if twin := s.twin(chosen, f); twin != nil {
			twin.duplicates = append(twin.duplicates, f.ID)
			continue
		}
		if r.Quota > 0 && perSource[f.Source] == r.Quota {
			continue
		}
		perSource[f.Source]++
		chosen = append(chosen, f)
	}
	return chosen, nil
}

// inspect reads the document of the chunk, which is the best of it.
func (s *Searcher) inspect(ctx context.Context, v *snapshot, best *Ranked, o *order) (*found, error) {
	d, err := v.document(ctx, best.Doc)
	if err != nil {
		return nil, err
	}
	chunks, err := v.load(ctx, []index.ChunkID{best.ID})
	if err != nil {
		return nil, err
	}
	return &found{
		document: d,
		score:    min(max(best.Score, 0), 1),
		matches:  o.of(d),
		shingles: shingle(index.BodyText(chunks[0])),
	}, nil
}

// twin returns the chosen document that f repeats, or nil. Only documents with
// the same number of chunks are compared: a page that quotes another, or is a
// part of it, has more to say or less.
func (s *Searcher) twin(chosen []*found, f *found) *found {
	for _, c := range chosen {
		if len(c.chunks) == len(f.chunks) && near(c.shingles, f.shingles, s.Params.Fold) {
			return c
		}
	}
	return nil
}
