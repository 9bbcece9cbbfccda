package embedded

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/embed"
	"ken/index"
	"ken/index/embedded/flat"
	"ken/index/embedded/lexical"
)

// Replace stores the entries, each in place of the document with its id; see
// ingest.Store. Of two entries for one document the last counts.
func (s *Store) Replace(ctx context.Context, entries ...index.Entry) error {
	entries = lastOf(entries, func(e index.Entry) corpora.DocID { return e.Document.ID })
	if len(entries) == 0 {
		return ctx.Err()
	}
	for _, e := range entries {
		if err := checkEntry(e, s.Model()); err != nil {
			return fmt.Errorf("replace %q: %w", e.Document.ID, err)
		}
	}
	ready, err := analyzeAll(ctx, entries)
	if err != nil {
		return fmt.Errorf("replace: %w", err)
	}
	if err := s.write(&request{ctx: ctx, apply: func(c *change) error { return c.replace(ready) }}, "replace"); err != nil {
		return err
	}
	s.relieve(ctx)
	return nil
}

func (c *change) replace(entries []analyzed) error {
	c.large = true
	if err := c.findRoom(); err != nil {
		return err
	}
	for _, e := range entries {
		// The model may have changed since the entry was checked.
		if err := checkVectors(e.Vectors, len(e.Chunks), c.meta.Model); err != nil {
			return fmt.Errorf("%q: %w", e.Document.ID, err)
		}
		if err := checkErased(c.base.snapshot, e.Document.ID); err != nil {
			return fmt.Errorf("%q: %w", e.Document.ID, err)
		}
		if err := c.remove(e.Document.ID); err != nil {
			return err
		}
		if err := c.put(&e); err != nil {
			return fmt.Errorf("%q: %w", e.Document.ID, err)
		}
		c.rows.add(e)
	}
	return nil
}

// rows is what a new segment is made of.
type rows struct {
	terms   []lexical.Chunk
	vectors []embed.Vector
	codes   []flat.Code
	dead    int // of documents that were replaced again in the same change
}

func (r *rows) add(e analyzed) {
	r.terms = append(r.terms, e.terms...)
	r.vectors = append(r.vectors, e.Vectors...)
	r.codes = append(r.codes, e.codes...)
}

// addRows writes the new last segment.
func (c *change) addRows() error {
	r := c.rows
	if len(r.terms) == 0 {
		return nil
	}
	ordinals := make([]uint32, len(r.terms))
	for i, t := range r.terms {
		ordinals[i] = t.Ordinal
	}
	seg, err := c.newSegment(c.meta.Model, func() ([]byte, error) { return lexical.Build(r.terms) }, ordinals,
		func(i int) ([]float32, flat.Code) { return r.vectors[i], r.codes[i] })
	if err != nil {
		return err
	}
	c.segments, c.live, c.moved = append(c.segments, seg), append(c.live, len(ordinals)-r.dead), true
	return nil
}

// put gives the entry's chunks their ordinals and writes its records.
func (c *change) put(e *analyzed) error {
	first := c.meta.NextOrdinal
	if uint64(first)+uint64(len(e.Chunks)) > math.MaxUint32 {
		return fmt.Errorf("all %d chunk ordinals were used; ingest into a new directory", uint32(math.MaxUint32))
	}
	c.meta.NextOrdinal += uint32(len(e.Chunks))
	e.head.first = first
	for i, chunk := range e.Chunks {
		e.terms[i].Ordinal = first + uint32(i)
		if err := c.batch.Set(chunkKey(first+uint32(i)), encodeChunk(chunk), nil); err != nil {
			return err
		}
	}
	return c.setDocument(e.head, e.Document)
}

// setDocument writes the record and adds the document to the class of its ACL.
func (c *change) setDocument(h documentHead, d corpora.Document) error {
	h.class = c.classes.of(d.ACL)
	c.classes.writable(h.class).add(h)
	c.lists.is(d.ID, d.ACL)
	record, err := encodeDocument(h, normalize(d))
	if err != nil {
		return err
	}
	h.seal = sealOf(record)
	c.meta.Records += tally(h.seal)
	c.documents[d.ID] = &storedDocument{documentHead: h, Document: normalize(d)}
	return c.batch.Set(documentKey(d.ID), record, nil)
}

// remove takes the document out of its class and deletes its records. A
// document that is not there is left as it is.
func (c *change) remove(id corpora.DocID) error {
	d, err := c.document(id)
	if errors.Is(err, index.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	c.lists.was(id, c.classes.all[d.class].list)
	c.leave(d.documentHead)
	c.kill(d.documentHead)
	c.documents[id] = nil
	for i := range d.chunks {
		if err := c.batch.Delete(chunkKey(d.first+i), nil); err != nil {
			return err
		}
	}
	return c.batch.Delete(documentKey(id), nil)
}

// kill counts the document's chunks as dead in their segment.
func (c *change) kill(h documentHead) {
	i := sort.Search(len(c.segments), func(i int) bool { return c.segments[i].Last >= h.first })
	if i == len(c.segments) { // in the one that is being made
		c.rows.dead += int(h.chunks)
	} else {
		c.live[i] -= int(h.chunks)
	}
}

// Update changes metadata, stamp and ACL of documents; see ingest.Store. Of two
// for one document the last counts.
func (s *Store) Update(ctx context.Context, docs ...corpora.Document) error {
	return s.write(&request{ctx: ctx, apply: func(c *change) error {
		for _, d := range lastOf(docs, func(d corpora.Document) corpora.DocID { return d.ID }) {
			if err := c.update(d); err != nil {
				return fmt.Errorf("%q: %w", d.ID, err)
			}
		}
		return nil
	}}, "update")
}

func (c *change) update(d corpora.Document) error {
	old, err := c.document(d.ID)
	if err != nil {
		return err
	}
	if err := checkUpdate(old.Document, d); err != nil {
		return err
	}
	c.lists.was(d.ID, c.classes.all[old.class].list)
	c.leave(old.documentHead)
	return c.setDocument(old.documentHead, d)
}

// leave takes a record out of its class and of the tally.
func (c *change) leave(h documentHead) {
	c.classes.writable(h.class).remove(h)
	c.meta.Records -= tally(h.seal)
}

// SetACL changes who may read the document; see ingest.Store.
func (s *Store) SetACL(ctx context.Context, id corpora.DocID, l acl.List) error {
	return s.write(&request{ctx: ctx, apply: func(c *change) error {
		d, err := c.document(id)
		if err != nil {
			return fmt.Errorf("%q: %w", id, err)
		}
		d.ACL = l
		return c.update(d.Document)
	}}, "set acl")
}

// Delete removes the documents; see ingest.Store.
func (s *Store) Delete(ctx context.Context, ids ...corpora.DocID) error {
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	return s.write(&request{ctx: ctx, apply: func(c *change) error {
		for _, id := range ids {
			if err := c.remove(id); err != nil {
				return fmt.Errorf("%q: %w", id, err)
			}
		}
		return nil
	}}, "delete")
}
