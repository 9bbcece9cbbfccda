package embedded

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"

	"github.com/cockroachdb/pebble/v2"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/embed"
	"ken/index"
	"ken/index/embedded/flat"
	"ken/index/embedded/lexical"
)

// change is a write in the making: nothing of it is visible until commit. It is
// the active generation's; each other generation has a part of it, with the same
// batch, and numbers are drawn from the whole.
type change struct {
	store    *Store
	whole    *change   // what this is a part of, or itself
	parts    []*change // of the generations, the active one first; of the whole only
	base     *state    // nil if the generation is new
	meta     metaRecord
	segments []*segment // of the next state
	fresh    []*file    // those that this change wrote
	written  []string   // their names
	classes  *edit
	lists    changes // see history.go
	batch    *pebble.Batch
	settled  bool // there is something to commit besides documents
	large    bool // it stores documents, so it must leave the reserve alone
}

// begin starts a change. The caller holds s.writing and ends it with abandon or commit.
func (s *Store) begin(ctx context.Context) (*change, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	base, err := s.current()
	if err != nil {
		return nil, err
	}
	c := &change{store: s, base: base, meta: base.meta, segments: slices.Clone(base.segments), batch: s.truth.db.NewBatch()}
	c.classes = base.classes.edit(c.meta.NextClass)
	c.whole, c.parts = c, []*change{c}
	for _, other := range base.others {
		c.parts = append(c.parts, c.part(other))
	}
	return c, nil
}

// write runs a change: f prepares it, and unless f fails it is committed.
func (s *Store) write(ctx context.Context, what string, f func(*change) error) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	c, err := s.begin(ctx)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	defer c.base.release()
	if err = f(c); err == nil && !c.changed() {
		return c.abandon()
	}
	if err == nil {
		err = c.commit(ctx)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, errors.Join(err, c.abandon()))
	}
	s.mergeAll(ctx)
	return nil
}

// changed reports whether there is anything to commit.
func (c *change) changed() bool {
	return c.settled || !c.batch.Empty() || len(c.written) > 0 || c.meta.Model != c.base.meta.Model
}

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
	beside, err := s.makeBeside(ctx, entries)
	if err != nil {
		return fmt.Errorf("replace: %w", err)
	}
	return s.write(ctx, "replace", func(c *change) error { return c.replace(ready, beside) })
}

// replace puts the entries in place of the documents; beside has what was made of
// them for the other generations.
func (c *change) replace(entries []analyzed, beside map[uint32][]analyzed) error {
	c.large = true
	if err := c.findRoom(); err != nil {
		return err
	}
	for _, e := range entries {
		if err := checkErased(c.base.snapshot, e.Document.ID); err != nil {
			return fmt.Errorf("%q: %w", e.Document.ID, err)
		}
		if err := c.remove(e.Document.ID); err != nil {
			return err
		}
	}
	records := make([]documentHead, len(entries))
	for i, e := range entries {
		records[i] = documentHead{class: c.classes.of(e.Document.ACL), language: e.head.language, first: noHead}
	}
	for _, part := range c.parts {
		made := beside[part.meta.ID]
		if part == c {
			made = entries
		}
		if err := part.put(made, entries, records); err != nil {
			return err
		}
	}
	for i, e := range entries {
		if err := c.setDocument(records[i], e.Document); err != nil {
			return fmt.Errorf("%q: %w", e.Document.ID, err)
		}
	}
	return nil
}

// put stores what was made of the documents for one generation, none or one for
// each, and sets the heads that stand in records.
func (c *change) put(made, entries []analyzed, records []documentHead) error {
	var terms []lexical.Chunk
	var vectors []embed.Vector
	var codes []flat.Code
	for i := range entries {
		if len(made) == 0 {
			c.fallBehind()
			break
		}
		e := &made[i]
		// The model may have changed since the entry was checked or embedded.
		if e.Model != "" && e.Model != c.meta.Model.Hash {
			return fmt.Errorf("%q: %w: another generation was promoted meanwhile; ingest again", e.Document.ID, index.ErrModel)
		}
		if err := checkVectors(e.Vectors, len(e.Chunks), c.meta.Model); err != nil {
			return fmt.Errorf("%q: %w", e.Document.ID, err)
		}
		if err := c.putChunks(e); err != nil {
			return fmt.Errorf("%q: %w", e.Document.ID, err)
		}
		e.head.class = records[i].class
		c.classes.adopt(e.head.class, e.Document.ACL).add(e.head)
		if err := c.setHead(e.Document.ID, e.head, &records[i]); err != nil {
			return err
		}
		terms = append(terms, e.terms...)
		vectors = append(vectors, e.Vectors...)
		codes = append(codes, e.codes...)
	}
	if len(terms) == 0 {
		return nil
	}
	return c.addSegment(func() ([]byte, error) { return lexical.Build(terms) }, ordinalsOf(terms),
		func(i int) ([]float32, flat.Code) { return vectors[i], codes[i] })
}

func ordinalsOf(terms []lexical.Chunk) []uint32 {
	out := make([]uint32, len(terms))
	for i, t := range terms {
		out[i] = t.Ordinal
	}
	return out
}

// putChunks gives the entry's chunks their ordinals and writes their records.
func (c *change) putChunks(e *analyzed) error {
	first := c.whole.meta.NextOrdinal
	if uint64(first)+uint64(len(e.Chunks)) > noHead || first == noHead {
		return fmt.Errorf("all %d chunk ordinals were used; ingest into a new directory", uint32(noHead))
	}
	c.whole.meta.NextOrdinal += uint32(len(e.Chunks))
	e.head.first = first
	for i, chunk := range e.Chunks {
		e.terms[i].Ordinal = first + uint32(i)
		if err := c.batch.Set(chunkKey(first+uint32(i)), encodeChunk(chunk), nil); err != nil {
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
	c.meta.Records += tally(sealOf(record))
	return c.batch.Set(documentKey(d.ID), record, nil)
}

// remove takes the document out of its class and deletes its records, in every
// generation. A document that is not there is left as it is.
func (c *change) remove(id corpora.DocID) error {
	var h documentHead
	key := documentKey(id)
	err := get(c.base.snapshot, key, func(b []byte) (err error) {
		h, _, err = decodeHead(key, b)
		return err
	})
	if errors.Is(err, index.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	c.lists.was(id, c.base.classes[h.class].list)
	c.meta.Records -= tally(h.seal)
	for _, part := range c.parts {
		if err := part.removeChunks(id, h); err != nil {
			return err
		}
	}
	return c.batch.Delete(documentKey(id), nil)
}

// Update changes metadata, stamp and ACL of documents; see ingest.Store. Of two
// for one document the last counts.
func (s *Store) Update(ctx context.Context, docs ...corpora.Document) error {
	return s.write(ctx, "update", func(c *change) error {
		for _, d := range lastOf(docs, func(d corpora.Document) corpora.DocID { return d.ID }) {
			if err := c.update(d); err != nil {
				return fmt.Errorf("%q: %w", d.ID, err)
			}
		}
		return nil
	})
}

func (c *change) update(d corpora.Document) error {
	h, old, err := getDocument(c.base.snapshot, d.ID)
	if err != nil {
		return err
	}
	if err := checkUpdate(old, d); err != nil {
		return err
	}
	c.lists.was(d.ID, c.base.classes[h.class].list)
	c.meta.Records -= tally(h.seal)
	next := h
	next.class = c.classes.of(d.ACL)
	for _, part := range c.parts {
		own, ok, err := headOf(c.base.snapshot, part.meta.ID, d.ID, h)
		if err != nil {
			return err
		}
		if ok {
			part.classes.writable(own.class).remove(own)
			own.class = next.class
			part.classes.adopt(next.class, d.ACL).add(own)
		}
	}
	return c.setDocument(next, d)
}

// SetACL changes who may read the document; see ingest.Store.
func (s *Store) SetACL(ctx context.Context, id corpora.DocID, l acl.List) error {
	return s.write(ctx, "set acl", func(c *change) error {
		_, d, err := getDocument(c.base.snapshot, id)
		if err != nil {
			return fmt.Errorf("%q: %w", id, err)
		}
		d.ACL = l
		return c.update(d)
	})
}

// Delete removes the documents; see ingest.Store.
func (s *Store) Delete(ctx context.Context, ids ...corpora.DocID) error {
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	return s.write(ctx, "delete", func(c *change) error {
		for _, id := range ids {
			if err := c.remove(id); err != nil {
				return fmt.Errorf("%q: %w", id, err)
			}
		}
		return nil
	})
}

// addSegment writes the files of a new last segment.
func (c *change) addSegment(lex func() ([]byte, error), ordinals []uint32, row func(int) ([]float32, flat.Code)) error {
	seg, err := c.newSegment(lex, ordinals, row)
	if err == nil {
		c.segments = append(c.segments, seg)
	}
	return err
}

// newSegment makes, writes and opens the files of a segment, both at once. Without
// a model it has no vectors.
func (c *change) newSegment(lex func() ([]byte, error), ordinals []uint32, row func(int) ([]float32, flat.Code)) (*segment, error) {
	r := segmentRecord{First: ordinals[0], Last: ordinals[len(ordinals)-1], Chunks: len(ordinals)}
	r.Lexical = c.newFile(lexName)
	var vectors sync.WaitGroup
	var vecErr error
	if model := c.meta.Model; model.Dim > 0 {
		r.Vector = c.newFile(vecName)
		vectors.Go(func() {
			data, err := flat.EncodeWith(model.Hash, model.Dim, ordinals, row)
			if err == nil {
				err = c.fill(vecName(r.Vector), data)
			}
			vecErr = err
		})
	}
	data, lexErr := lex()
	if lexErr == nil {
		lexErr = c.fill(lexName(r.Lexical), data)
	}
	vectors.Wait()
	if err := errors.Join(lexErr, vecErr); err != nil {
		return nil, err
	}
	seg, err := c.store.dir.openSegment(r, c.meta.Model.Hash)
	if err == nil {
		seg.files(func(f *file) { c.whole.fresh = append(c.whole.fresh, f) })
	}
	return seg, err
}

// newFile takes the number of a file that will be written.
func (c *change) newFile(name func(uint64) string) (number uint64) {
	c = c.whole
	number = c.meta.NextFile
	c.meta.NextFile++
	c.written = append(c.written, name(number))
	return number
}

// fill writes a file that newFile named.
func (c *change) fill(name string, data []byte) error {
	d := c.store.dir
	return d.write(d.fs.PathJoin(d.segments(), name), data)
}

// commit makes the change durable and visible.
func (c *change) commit(ctx context.Context) error {
	if err := c.findRoom(); err != nil {
		return err
	}
	if len(c.written) > 0 {
		if err := c.store.dir.sync(c.store.dir.segments()); err != nil {
			return err
		}
	}
	if err := c.writeClasses(); err != nil {
		return err
	}
	record, err := c.writeMeta()
	if err != nil {
		return err
	}
	if err := c.writeHistory(ctx); err != nil {
		return err
	}
	legs := make([]vectorLeg, len(c.parts))
	for i, part := range c.parts {
		var err error
		if legs[i], err = part.follow(ctx); err != nil {
			return err
		}
	}
	if err := c.store.truth.commit(c.batch, markOf(c.parts[0].meta, record)); err != nil {
		return err
	}
	var states []*state
	for i, part := range c.parts {
		states = append(states, newState(c.store.truth, part.meta, part.segments, part.classes.all, legs[i], c.store.stateFreed))
	}
	next := states[0]
	next.others = states[1:]
	c.retire()
	c.store.publish(next)
	return c.batch.Close()
}

// findRoom sees to it that the batch does not meet a full disk, which would stop
// the store.
func (c *change) findRoom() error {
	if c.large {
		return c.store.reserve.forDocuments(int64(c.batch.Len()))
	}
	c.store.reserve.forPermissions()
	return nil
}

func (c *change) writeClasses() error {
	for _, created := range c.classes.created {
		record, err := encodeClass(created.id, created.list)
		if err != nil {
			return err
		}
		created.seal = sealOf(record)
		c.meta.Records += tally(created.seal)
		if err := c.batch.Set(classKey(created.id), record, nil); err != nil {
			return err
		}
	}
	for _, gone := range c.classes.prune() {
		c.meta.Records -= tally(gone.seal)
		if err := c.batch.Delete(classKey(gone.id), nil); err != nil {
			return err
		}
	}
	for _, part := range c.parts {
		if part != c {
			part.classes.prune()
		}
	}
	return nil
}

// writeMeta writes the meta record; the first of the parts is the active one of
// the next state. It returns the record that it writes.
func (c *change) writeMeta() ([]byte, error) {
	m := c.meta
	m.Revision++
	m.NextClass = c.classes.next
	m.Others = nil
	for i, part := range c.parts {
		part.meta.Segments = nil
		for _, s := range part.segments {
			part.meta.Segments = append(part.meta.Segments, s.segmentRecord)
		}
		if i > 0 {
			m.Others = append(m.Others, part.meta.generationRecord)
			part.meta = metaRecord{Revision: m.Revision, Records: m.Records, generationRecord: part.meta.generationRecord}
		}
	}
	m.generationRecord = c.parts[0].meta.generationRecord
	c.parts[0].meta = m
	text, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("encode meta: %w", err)
	}
	return text, c.batch.Set([]byte(metaKey), text, nil)
}

// retire marks the files that the next state does not use; they are deleted
// when the last view of an older state is closed.
func (c *change) retire() {
	used := map[*file]bool{}
	for _, part := range c.parts {
		for _, s := range part.segments {
			s.files(func(f *file) { used[f] = true })
		}
	}
	for _, st := range c.base.generations() {
		for _, s := range st.segments {
			s.files(func(f *file) {
				if !used[f] {
					f.obsolete.Store(true)
				}
			})
		}
	}
}

// abandon forgets the change and deletes its files, unless the commit may have
// reached the disk: then the files may be needed after a restart.
func (c *change) abandon() error {
	var err error
	for _, f := range c.fresh {
		err = errors.Join(err, f.free())
	}
	if c.store.truth.err() != nil {
		return err
	}
	err = errors.Join(err, c.batch.Close())
	for _, name := range c.written {
		d := c.store.dir
		if gone := d.fs.Remove(d.fs.PathJoin(d.segments(), name)); gone != nil && !errors.Is(gone, fs.ErrNotExist) {
			c.store.options.Logger.Warn("a file of a failed write stays until the next start", "file", name, "error", gone)
		}
	}
	return err
}
