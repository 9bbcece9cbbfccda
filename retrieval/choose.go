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
	ranked     []Ranked // best first, never empty
	shingles   shingles // of the best chunk
	duplicates []corpora.DocID
}

// choose returns the documents of the answer, best first: every document
// stands at the place of its best chunk, near-duplicates are folded into the
// better one, and no source has more than the quota.
func (s *Searcher) choose(ctx context.Context, v *snapshot, r Request, ranked []Ranked) ([]*found, error) {
	var chosen []*found
	perSource := make(map[string]int)
	for _, group := range byDocument(ranked) {
		if len(chosen) == r.Limit {
			break
		}
		f, err := s.inspect(ctx, v, group)
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

// byDocument groups the chunks by document, in the order of the best chunks.
func byDocument(ranked []Ranked) [][]Ranked {
	var groups [][]Ranked
	place := make(map[corpora.DocID]int)
	for _, r := range ranked {
		i, ok := place[r.Doc]
		if !ok {
			i = len(groups)
			place[r.Doc] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], r)
	}
	return groups
}

func (s *Searcher) inspect(ctx context.Context, v *snapshot, group []Ranked) (*found, error) {
	d, err := v.document(ctx, group[0].Doc)
	if err != nil {
		return nil, err
	}
	chunks, err := v.load(ctx, []index.ChunkID{group[0].ID})
	if err != nil {
		return nil, err
	}
	return &found{
		document: d,
		score:    min(max(group[0].Score, 0), 1),
		ranked:   group,
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
