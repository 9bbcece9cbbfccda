package embedded

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"ken/corpora"
	"ken/embed"
	"ken/index"
)

// Entries tells all documents of a source with their chunks and vectors, in order
// of their ids and as of one instant; "" is every source. Without a model there are
// no vectors. It is for operators: everything is told, whoever may read it.
func (s *Store) Entries(ctx context.Context, source string) iter.Seq2[index.Entry, error] {
	return func(yield func(index.Entry, error) bool) {
		st, err := s.current()
		if err != nil {
			yield(index.Entry{}, err)
			return
		}
		defer st.release()
		lower, stopped := []byte{documentPrefix}, false
		err = scan(ctx, st.snapshot, lower, after(lower), func(key, value []byte) (bool, error) {
			h, d, err := decodeDocument(key, value)
			if err != nil || source != "" && d.Source != source {
				return err == nil, err
			}
			if h, _, err = headIn(st.snapshot, st.meta.ID, d.ID, h); err != nil {
				return false, err
			}
			e, err := st.entry(h, d)
			if err == nil {
				stopped = !yield(e, nil)
			}
			return !stopped, err
		})
		if err != nil && !stopped {
			yield(index.Entry{}, fmt.Errorf("entries: %w", err))
		}
	}
}

// entry reads the document's list, chunks and vectors.
func (st *state) entry(h documentHead, d corpora.Document) (index.Entry, error) {
	class := st.classes.get(h.class)
	if class == nil {
		return index.Entry{}, fmt.Errorf("%w: document %q is in no class", errTruth, d.ID)
	}
	d.ACL = class.list
	e := index.Entry{Document: d}
	for ordinal := h.first; ordinal < h.first+h.chunks; ordinal++ {
		c, err := getChunk(st.snapshot, ordinal)
		if err != nil {
			return e, err
		}
		e.Chunks = append(e.Chunks, c)
		if st.meta.Model.Dim == 0 {
			continue
		}
		p, ok := placeOf(st.segments, ordinal)
		if !ok {
			return e, fmt.Errorf("%w: chunk %d is in no segment", errTruth, ordinal)
		}
		e.Vectors = append(e.Vectors, slices.Clone(embed.Vector(st.segments[p.segment].vec.Row(p.row))))
	}
	return e, nil
}
