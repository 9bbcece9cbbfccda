package embedded

import (
	"context"
	"fmt"
	"io"

	"ken/embed"
	"ken/index"
	"ken/index/embedded/flat"
)

// reembedBatch is how many chunks are handed to the embedder at once.
const reembedBatch = 256

// Reembed replaces every vector; see ingest.Store. In an empty store it only sets
// the model. Other writes wait until it is done, searches go on with the old
// vectors.
func (s *Store) Reembed(ctx context.Context, m embed.Model, embedder func(context.Context, []index.Chunk) ([]embed.Vector, error)) error {
	if m.Dim < 1 {
		return fmt.Errorf("reembed: %w: model %q has dimension %d", index.ErrModel, m.Name, m.Dim)
	}
	return s.write(&request{ctx: ctx, alone: true, apply: func(c *change) error {
		if len(c.meta.Settings) > 0 && c.meta.Model.Hash != m.Hash {
			return fmt.Errorf("%w: the active generation was promoted with its own; build another one instead", index.ErrModel)
		}
		c.meta.Model, c.large = m, true
		live := rowsOf(c.segments, liveOf(valuesOf(c.classes.all)))
		for i, old := range c.segments {
			seg, err := c.reembed(ctx, old, live[i], embedder)
			if err != nil {
				return err
			}
			c.segments[i], c.moved = seg, true
		}
		return nil
	}}, "reembed")
}

// reembed returns the segment with new vectors. Rows of dead chunks, whose text
// is gone, are zeros; no state reads them.
func (c *change) reembed(
	ctx context.Context, old *segment, live []uint64, embedder func(context.Context, []index.Chunk) ([]embed.Vector, error),
) (*segment, error) {
	rows := make([][]float32, old.Chunks)
	var pending []index.Chunk
	var places []int
	flush := func() error {
		vectors, err := embedder(ctx, pending)
		if err != nil {
			return err
		}
		if err := checkVectors(vectors, len(pending), c.meta.Model); err != nil {
			return err
		}
		for i, v := range vectors {
			rows[places[i]] = v
		}
		pending, places = pending[:0], places[:0]
		return ctx.Err()
	}
	for row := range setBits(live) {
		chunk, err := getChunk(c.base.snapshot, old.lex.Ordinal(row))
		if err != nil {
			return nil, err
		}
		pending, places = append(pending, chunk), append(places, row)
		if len(pending) == reembedBatch {
			if err := flush(); err != nil {
				return nil, err
			}
		}
	}
	if len(pending) > 0 {
		if err := flush(); err != nil {
			return nil, err
		}
	}
	return c.withVectors(old, rows)
}

// withVectors returns the segment with the rows in a new vector file; nil rows are zeros.
func (c *change) withVectors(old *segment, rows [][]float32) (*segment, error) {
	ordinals := make([]uint32, old.Chunks)
	for i := range ordinals {
		ordinals[i] = old.lex.Ordinal(i)
	}
	none := make([]float32, c.meta.Model.Dim)
	seg := &segment{segmentRecord: old.segmentRecord, lex: old.lex, lexFile: old.lexFile}
	seg.Vector = c.newFile(vecName)
	err := c.fillVectors(seg, func(w io.Writer) error {
		return flat.Encode(w, c.meta.Model.Hash, c.meta.Model.Dim, ordinals, func(i int) []float32 {
			if rows[i] == nil {
				return none
			}
			return rows[i]
		})
	})
	if seg.vecFile != nil {
		c.fresh = append(c.fresh, seg.vecFile)
	}
	if err == nil {
		err = seg.checkPair(c.meta.Model.Hash)
	}
	return seg, err
}
