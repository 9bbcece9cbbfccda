package embedded

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/embed"
	"ken/index"
)

// view is one state and what one principal may read of it.
type view struct {
	state     *state
	readable  *readable
	principal acl.Principal
	at        time.Time

	admitted admitted // what the classes in the truth say to the principal
	matched  matched

	// using keeps Close from unmapping files under a running search.
	using  sync.RWMutex
	closed bool
}

// begin is called by every method first, and what it returns last.
func (v *view) begin(ctx context.Context) (end func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	v.using.RLock()
	if v.closed {
		v.using.RUnlock()
		return nil, ErrClosed
	}
	return v.using.RUnlock, nil
}

// Close frees the view; it may be called again.
func (v *view) Close() error {
	v.using.Lock()
	defer v.using.Unlock()
	if !v.closed {
		v.closed = true
		v.state.leave()
	}
	return nil
}

// Chunks returns the chunks in the order of ids; see [index.View].
func (v *view) Chunks(ctx context.Context, ids []index.ChunkID) ([]index.Chunk, error) {
	end, err := v.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	out := make([]index.Chunk, len(ids))
	for i, id := range ids {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		c, _, err := v.gate(id)
		if err != nil {
			return nil, err
		}
		out[i] = c.Chunk
		out[i].Heading = slices.Clone(c.Heading)
	}
	return out, nil
}

// gate reads a chunk for the view, and no other function does. It asks twice:
// the readable set that searches use, and the class that the document's record
// names, with the list that the truth has of it, so that a fault in the bitmaps
// cannot show a text.
func (v *view) gate(id index.ChunkID) (*recentChunk, *storedDocument, error) {
	if !v.mayRead(id) {
		return nil, nil, index.ErrNotFound
	}
	c, err := v.state.chunk(uint32(id))
	if err != nil {
		return nil, nil, err
	}
	d, err := v.state.documentOf(c)
	if err != nil {
		return nil, nil, err
	}
	if ok, err := v.classAdmits(d.class); err != nil || !ok {
		return nil, nil, cmp.Or(err, index.ErrNotFound)
	}
	return c, d, nil
}

// Outlines returns what ranking needs of chunks; see [index.View].
func (v *view) Outlines(ctx context.Context, ids []index.ChunkID, grams bool) ([]index.Outline, error) {
	end, err := v.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	v.readAhead(ids)
	out := make([]index.Outline, len(ids))
	for i, id := range ids {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		c, d, err := v.gate(id)
		if err != nil {
			return nil, err
		}
		out[i] = index.Outline{Doc: c.Doc, Status: d.Status}
		if grams {
			out[i].Grams = v.state.gramsOf(c, d.Document)
		}
	}
	return out, nil
}

// mayRead reports whether the chunk is in the readable set.
func (v *view) mayRead(id index.ChunkID) bool {
	if id > index.ChunkID(^uint32(0)) {
		return false
	}
	p, ok := placeOf(v.state.segments, uint32(id))
	return ok && has(v.readable.rows[p.segment], p.row)
}

// Document returns a readable document and its chunks; see [index.View].
func (v *view) Document(ctx context.Context, id corpora.DocID) (corpora.Document, []index.ChunkID, error) {
	end, err := v.begin(ctx)
	if err != nil {
		return corpora.Document{}, nil, err
	}
	defer end()
	d, err := v.document(ctx, id)
	if err != nil {
		return corpora.Document{}, nil, err
	}
	ids := make([]index.ChunkID, d.chunks)
	for i := range ids {
		ids[i] = index.ChunkID(d.first) + index.ChunkID(i)
	}
	out := visible(d.Document)
	out.Tags = slices.Clone(out.Tags)
	return out, ids, nil
}

// document reads a readable document. One that is there and must not be read
// takes the time of one that is not there: neither is ever found among the
// recent ones, both are looked for in the truth in the same way, and of the
// record no more is read than says who may read it.
func (v *view) document(ctx context.Context, id corpora.DocID) (*storedDocument, error) {
	if d, ok := v.state.rememberedDocument(id); ok && v.refuse(d.documentHead) == nil && v.confirm(ctx, id, d.documentHead) == nil {
		return d, nil
	}
	h, err := headOf(ctx, v.state.snapshot, id)
	if err == nil {
		err = v.refuse(h)
	}
	if err != nil {
		return nil, err
	}
	d, err := v.state.document(id)
	if err == nil {
		err = v.confirm(ctx, id, d.documentHead)
	}
	if err != nil {
		return nil, err
	}
	return d, nil
}

// confirm asks whether what the store believed when it was opened agrees with the
// document's record in that it may be read; see verify.
func (v *view) confirm(ctx context.Context, id corpora.DocID, inRecord documentHead) error {
	if v.state.truth.verified() {
		return nil
	}
	h, ok, err := headIn(v.state.snapshot, v.state.meta.ID, id, inRecord)
	switch {
	case err != nil:
		return err
	case !ok || h.chunks == 0:
		return v.state.truth.awaitVerified(ctx)
	case !v.mayRead(index.ChunkID(h.first)):
		return index.ErrNotFound
	}
	return nil
}

// refuse returns [index.ErrNotFound] for a document that the principal may not read.
func (v *view) refuse(h documentHead) error {
	if !v.readable.admits(h.class) {
		return index.ErrNotFound
	}
	if ok, err := v.classAdmits(h.class); err != nil || !ok {
		return cmp.Or(err, index.ErrNotFound)
	}
	return nil
}

// Documents lists readable documents; see [index.View].
func (v *view) Documents(ctx context.Context, prefix string, from corpora.DocID, limit int) ([]corpora.Document, error) {
	end, err := v.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	if limit <= 0 {
		return nil, nil
	}
	lower, upper := documentKey(corpora.DocID(prefix)), after(documentKey(corpora.DocID(prefix)))
	if next := append(documentKey(from), 0); from != "" && bytes.Compare(next, lower) > 0 {
		lower = next
	}
	if bytes.Compare(lower, upper) >= 0 {
		return nil, nil
	}
	var out []corpora.Document
	err = scan(ctx, v.state.snapshot, lower, upper, func(key, value []byte) (bool, error) {
		h, rest, err := decodeHead(key, value)
		if err == nil {
			err = v.refuse(h)
		}
		if err == nil {
			err = v.confirm(ctx, corpora.DocID(key[1:]), h)
		}
		if errors.Is(err, index.ErrNotFound) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
		d, err := decodeMetadata(corpora.DocID(key[1:]), rest)
		out = append(out, visible(d))
		return len(out) < limit, err
	})
	return out, err
}

// Languages returns the languages of the readable chunks, sorted.
func (v *view) Languages() []string { return slices.Sorted(maps.Keys(v.readable.languages)) }

// Model returns the model of the vectors.
func (v *view) Model() embed.Model { return v.state.meta.Model }

// limit clamps k to what can be found, so that k bounds an answer and not memory.
func (v *view) limit(k int) int {
	return int(min(uint64(max(k, 0)), v.readable.chunks))
}

// SearchVector returns the best k chunks by dot product; see [index.View].
func (v *view) SearchVector(ctx context.Context, q embed.Vector, f index.Filter, k int) ([]index.Hit, error) {
	end, err := v.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	if dim := v.state.meta.Model.Dim; len(q) != dim || dim == 0 {
		return nil, fmt.Errorf("search vector: %w: it has %d dimensions, the index %d", index.ErrModel, len(q), dim)
	}
	if err := embed.Check([]embed.Vector{q}, 1, len(q)); err != nil {
		return nil, fmt.Errorf("search vector: %w", err)
	}
	if k = v.limit(k); k == 0 {
		return nil, nil
	}
	rows, err := v.filtered(ctx, f)
	if err != nil {
		return nil, fmt.Errorf("search vector: %w", err)
	}
	return v.bestVectors(ctx, q, rows, k)
}

// SearchText returns the best k chunks by BM25F; see [index.View].
func (v *view) SearchText(ctx context.Context, q index.TextQuery, k int) ([]index.Hit, error) {
	end, err := v.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	if k = v.limit(k); k == 0 {
		return nil, nil
	}
	hits, err := v.bestTexts(ctx, q, k)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("search text: %w", err), ctx.Err())
	}
	return hits, nil
}
