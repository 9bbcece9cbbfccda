package embedded

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"sync"

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
	ready, err := s.analyze(ctx, entries)
	if err != nil {
		return fmt.Errorf("replace: %w", err)
	}
	beside, err := s.makeBeside(ctx, entries)
	if err != nil {
		return fmt.Errorf("replace: %w", err)
	}
	if err := s.write(&request{ctx: ctx, apply: func(c *change) error { return c.replace(ctx, ready, beside) }}, "replace"); err != nil {
		return err
	}
	s.relieve(ctx)
	return nil
}

// replace puts the entries in place of the documents; beside has what was made of
// them for the other generations.
func (c *change) replace(ctx context.Context, ready analyzed, beside map[uint32]analyzed) error {
	c.large = true
	if err := c.findRoom(); err != nil {
		return err
	}
	erased, err := anyErased(ctx, c.base.snapshot)
	if err != nil {
		return err
	}
	for _, e := range ready.entries {
		if erased {
			if err := checkErased(c.base.snapshot, e.Document.ID); err != nil {
				return fmt.Errorf("%q: %w", e.Document.ID, err)
			}
		}
		if err := c.keepVersion(e.Document); err != nil {
			return fmt.Errorf("%q: keep its version: %w", e.Document.ID, err)
		}
		if err := c.remove(e.Document.ID); err != nil {
			return err
		}
		c.texts[e.Document.ID] = e.Chunks
	}
	records := make([]documentHead, len(ready.entries))
	for i, e := range ready.entries {
		records[i] = documentHead{class: c.classes.of(e.Document.ACL), language: e.head.language, first: noHead}
	}
	for _, part := range c.parts {
		made := beside[part.meta.ID]
		if part == c {
			made = ready
		}
		if err := part.put(made, records); err != nil {
			return err
		}
	}
	for i, e := range ready.entries {
		if err := c.setDocument(records[i], e.Document); err != nil {
			return fmt.Errorf("%q: %w", e.Document.ID, err)
		}
	}
	return nil
}

// put stores what was made of the documents for one generation, and sets the heads
// that stand in records. If nothing was made, the generation falls behind.
func (c *change) put(made analyzed, records []documentHead) error {
	if len(made.entries) == 0 {
		c.fallBehind()
		return nil
	}
	for i, e := range made.entries {
		// The model may have changed since the entry was checked or embedded.
		if e.Model != "" && e.Model != c.meta.Model.Hash {
			return fmt.Errorf("%q: %w: another generation was promoted meanwhile; ingest again", e.Document.ID, index.ErrModel)
		}
		if err := checkShape(e.Vectors, len(e.Chunks), c.meta.Model); err != nil {
			return fmt.Errorf("%q: %w", e.Document.ID, err)
		}
		h := e.head
		if err := c.placeChunks(e.Chunks, &h); err != nil {
			return fmt.Errorf("%q: %w", e.Document.ID, err)
		}
		h.class = records[i].class
		c.classes.add(h, e.Document.ACL)
		if err := c.setHead(e.Document.ID, h, &records[i]); err != nil {
			return err
		}
		for n := range e.Chunks {
			c.rows.ordinals = append(c.rows.ordinals, h.first+uint32(n))
		}
		c.rows.vectors = append(c.rows.vectors, e.Vectors...)
	}
	c.rows.parts, c.rows.codes = append(c.rows.parts, made.parts...), append(c.rows.codes, made.codes...)
	return nil
}

// rows is what a new segment is made of.
type rows struct {
	ordinals []uint32
	parts    []*lexical.Inverted
	vectors  []embed.Vector
	codes    []flat.Code
	dead     int // of documents that were replaced again in the same change
}

// addRows writes the new last segments and, meanwhile, the records of the chunks.
func (c *change) addRows() error {
	var records sync.WaitGroup
	var err error
	records.Go(func() { err = c.putRecords() })
	for _, part := range c.parts {
		if segErr := part.addSegment(); segErr != nil {
			records.Wait()
			return errors.Join(segErr, err)
		}
	}
	records.Wait()
	return err
}

// addSegment writes the new last segment of a generation.
func (c *change) addSegment() error {
	r := c.rows
	if len(r.ordinals) == 0 {
		return nil
	}
	seg, err := c.whole.newSegment(c.meta.Model, func() ([]byte, error) { return lexical.Build(r.ordinals, r.parts...) }, r.ordinals,
		func(i int) ([]float32, flat.Code) { return r.vectors[i], r.codes[i] })
	if err != nil {
		return err
	}
	c.segments, c.live, c.moved = append(c.segments, seg), append(c.live, len(r.ordinals)-r.dead), true
	return nil
}

// placed is the chunks of a document whose records are written with the segments.
type placed struct {
	first  uint32
	chunks []index.Chunk
}

// placeChunks gives the chunks their ordinals.
func (c *change) placeChunks(chunks []index.Chunk, h *documentHead) error {
	first := c.whole.meta.NextOrdinal
	if uint64(first)+uint64(len(chunks)) > noHead || first == noHead {
		return fmt.Errorf("all %d chunk ordinals were used; ingest into a new directory", uint32(noHead))
	}
	c.whole.meta.NextOrdinal += uint32(len(chunks))
	if len(chunks) > 0 {
		c.whole.placed = append(c.whole.placed, placed{first, chunks})
	}
	h.first = first
	return nil
}

// putRecords writes the records of the chunks that are placed.
func (c *change) putRecords() error {
	var record []byte
	for i, p := range c.placed {
		if i%documentsAtOnce == 0 {
			giveWay()
		}
		for n, chunk := range p.chunks {
			record = appendChunk(record[:0], chunk)
			if err := c.batch.Set(chunkKey(p.first+uint32(n)), record, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// deleteChunks deletes the records of the chunks, which may not be written yet.
func (c *change) deleteChunks(h documentHead) error {
	if h.chunks == 0 {
		return nil
	}
	i, ok := slices.BinarySearchFunc(c.whole.placed, h.first, func(p placed, first uint32) int { return cmp.Compare(p.first, first) })
	if ok {
		c.whole.placed[i].chunks = nil
		return nil
	}
	for i := range h.chunks {
		if err := c.batch.Delete(chunkKey(h.first+i), nil); err != nil {
			return err
		}
	}
	return nil
}

// setDocument writes the record of the document and notes who may read it now.
func (c *change) setDocument(h documentHead, d corpora.Document) error {
	c.lists.is(d.ID, d.ACL)
	return c.setRecord(h, d)
}

func (c *change) setRecord(h documentHead, d corpora.Document) error {
	record, err := encodeDocument(h, normalize(d))
	if err != nil {
		return err
	}
	h.seal = sealOf(record)
	c.meta.Records += tally(h.seal)
	c.documents[d.ID] = &writtenDocument{documentHead: h, Document: normalize(d)}
	return c.batch.Set(documentKey(d.ID), record, nil)
}

// remove takes the document out of its class and deletes its records, in every
// generation. A document that is not there is left as it is.
func (c *change) remove(id corpora.DocID) error {
	d, err := c.document(id)
	if errors.Is(err, index.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	c.lists.was(id, c.classes.all.get(d.class).list)
	c.meta.Records -= tally(d.seal)
	for _, part := range c.parts {
		if err := part.removeChunks(id, d.documentHead); err != nil {
			return err
		}
	}
	c.documents[id] = nil
	return c.batch.Delete(documentKey(id), nil)
}

// delete removes the document with its earlier versions.
func (c *change) delete(id corpora.DocID) error {
	return errors.Join(c.remove(id), c.removeVersions(id))
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
	c.lists.was(d.ID, c.classes.all.get(old.class).list)
	c.meta.Records -= tally(old.seal)
	next := old.documentHead
	next.class = c.classes.of(d.ACL)
	for _, part := range c.parts {
		own, ok, err := part.head(d.ID, old.documentHead)
		if err != nil {
			return err
		}
		if ok {
			part.classes.remove(own)
			own.class = next.class
			part.classes.add(own, d.ACL)
		}
	}
	return c.setDocument(next, d)
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
			if err := c.delete(id); err != nil {
				return fmt.Errorf("%q: %w", id, err)
			}
		}
		return nil
	}}, "delete")
}
