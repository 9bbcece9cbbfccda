package embedded

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"ken/corpora"
	"ken/embed"
	"ken/index"
)

// Vectors returns vectors that need not be made again; see ingest.Store.
func (s *Store) Vectors(ctx context.Context, d corpora.Document, chunks []index.Chunk) ([]embed.Vector, error) {
	out := make([]embed.Vector, len(chunks))
	st, err := s.current()
	if err != nil {
		return nil, fmt.Errorf("vectors: %w", err)
	}
	defer st.release()
	stored, err := st.vectorsOf(ctx, d.ID)
	if err != nil {
		return nil, fmt.Errorf("vectors: %q: %w", d.ID, err)
	}
	for i, c := range chunks {
		out[i] = stored[index.EmbedText(d, c)]
	}
	return out, nil
}

// vectorsOf returns copies of the document's vectors by the text that they were
// made from; none if there is no such document or no model.
func (st *state) vectorsOf(ctx context.Context, id corpora.DocID) (map[string]embed.Vector, error) {
	h, d, err := st.read(id)
	if errors.Is(err, index.ErrNotFound) || err == nil && st.meta.Model.Dim == 0 {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	out := make(map[string]embed.Vector, h.chunks)
	for ordinal := h.first; ordinal < h.first+h.chunks; ordinal++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		c, err := getChunk(st.snapshot, ordinal)
		if err != nil {
			return nil, err
		}
		p, ok := placeOf(st.segments, ordinal)
		if !ok {
			return nil, fmt.Errorf("%w: chunk %d is in no segment", errTruth, ordinal)
		}
		if err := st.segments[p.segment].vec.CheckRows(slices.Values([]uint32{uint32(p.row)})); err != nil {
			return nil, err
		}
		out[index.EmbedText(d, c)] = slices.Clone(embed.Vector(st.segments[p.segment].vec.Row(p.row)))
	}
	return out, nil
}
