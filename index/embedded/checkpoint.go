package embedded

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"ken/corpora/acl"
	"ken/index"
)

// The classes of all generations are what the records of all documents say. So
// that an open need not read those, they are in the truth once more: as a
// checkpoint, and a journal of what each commit after it changed.
//
//	k            seal, revision, then the classes of each generation
//	j revision   seal, what the commit of that revision changed; see op
//
// They stand in the batch that changes the documents, so they are never ahead of
// them or behind. They have no authority: what does not fit together is thrown away
// and made from the documents, and after an open the documents are read in the
// background and compared; see verify.
const (
	checkpointPrefix = 'k'
	checkpointKey    = string(rune(checkpointPrefix))
	journalPrefix    = 'j'
)

func journalKey(revision uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{journalPrefix}, revision)
}

// A journal is read by the next open, so it may grow to an eighth of the documents,
// or to leastJournal, before the next commit writes a checkpoint.
const (
	leastJournal = 64
	journalShare = 8
)

// journal is how much of one follows the checkpoint.
type journal struct {
	size  int  // commits and what they changed
	limit int  // when it is time for a checkpoint; 0 is leastJournal
	stale bool // there is no checkpoint to follow
}

func limitOf(cs generationClasses) int {
	documents := 0
	for _, generation := range cs {
		for _, c := range generation {
			documents += c.documents
		}
	}
	return documents / journalShare
}

// encodeMoves returns the journal's record of what the parts did to their classes.
func encodeMoves(key []byte, parts []*change) []byte {
	b := make([]byte, sealSize)
	for _, part := range parts {
		for _, m := range part.classes.moves {
			joined := uint64(1)
			if m.left {
				joined = 0
			}
			for _, n := range []uint64{uint64(part.meta.ID), joined, uint64(m.class), uint64(m.first), uint64(m.chunks), m.title, m.body} {
				b = binary.AppendUvarint(b, n)
			}
			b = appendString(b, m.language)
		}
	}
	return seal(key, b)
}

// replay does to the classes what a record of the journal says.
func (cs generationClasses) replay(record []byte) error {
	r := recordReader{rest: record}
	for len(r.rest) > 0 {
		generation, joined := r.uint32(), r.uvarint()
		h := documentHead{class: r.uint32(), first: r.uint32(), chunks: r.uint32(), title: r.uvarint(), body: r.uvarint(), language: r.string()}
		if r.err != nil {
			return r.err
		}
		c := cs.class(generation, h.class)
		if joined != 0 {
			c.add(h)
		} else {
			c.remove(h)
		}
	}
	return nil
}

// writeJournal writes what the change did to the classes, or all of them. The
// record of the next state must have been written.
func (c *change) writeJournal() error {
	c.next = c.store.journal
	c.next.size++
	for _, part := range c.parts {
		c.next.size += len(part.classes.moves)
	}
	if c.next.stale || c.next.size > max(leastJournal, c.next.limit) {
		cs := generationClasses{}
		for _, part := range c.parts {
			cs[part.meta.ID] = maps.Collect(part.classes.all.all())
		}
		record, err := encodeCheckpoint(c.parts[0].meta.Revision, cs)
		if err != nil {
			return err
		}
		if c.store.reserve.forDocuments(int64(len(record))) == nil { // else there is room for less
			c.next = journal{limit: limitOf(cs)}
			return putCheckpoint(c.batch, record)
		}
	}
	if c.next.stale {
		return nil
	}
	key := journalKey(c.parts[0].meta.Revision)
	return c.batch.Set(key, encodeMoves(key, c.parts), nil)
}

func putCheckpoint(b *pebble.Batch, record []byte) error {
	all := []byte{journalPrefix}
	return errors.Join(b.DeleteRange(all, after(all), nil), b.Set([]byte(checkpointKey), record, nil))
}

// saveCheckpoint writes the classes that an open had to make from the documents. It
// may be lost again: then the next open makes them too.
func (s *Store) saveCheckpoint(st *state) error {
	record, err := encodeCheckpoint(st.meta.Revision, classesIn(st))
	if err != nil || s.reserve.forDocuments(int64(len(record))) != nil {
		return err
	}
	b := s.truth.db.NewBatch()
	if err := putCheckpoint(b, record); err != nil {
		return errors.Join(err, b.Close())
	}
	if err := b.Commit(pebble.NoSync); err != nil {
		return errors.Join(err, b.Close())
	}
	s.journal = journal{limit: limitOf(classesIn(st))}
	return b.Close()
}

// dropCheckpoint makes the next open read the documents.
func (t *truth) dropCheckpoint() error {
	b := t.db.NewBatch()
	all := []byte{journalPrefix}
	err := errors.Join(b.DeleteRange(all, after(all), nil), b.Delete([]byte(checkpointKey), nil))
	if err == nil {
		err = b.Commit(pebble.NoSync)
	}
	return errors.Join(err, b.Close())
}

// generationClasses is the classes of each generation.
type generationClasses map[uint32]map[uint32]*class

func classesIn(st *state) generationClasses {
	cs := generationClasses{}
	for _, g := range st.generations() {
		cs[g.meta.ID] = maps.Collect(g.classes.all())
	}
	return cs
}

// class returns a class, which is made if it is not there, without its list.
func (cs generationClasses) class(generation, id uint32) *class {
	if cs[generation] == nil {
		cs[generation] = map[uint32]*class{}
	}
	c := cs[generation][id]
	if c == nil {
		c = newClass(id, acl.List{})
		cs[generation][id] = c
	}
	return c
}

func encodeCheckpoint(revision uint64, cs generationClasses) ([]byte, error) {
	b := binary.AppendUvarint(make([]byte, sealSize), revision)
	for _, generation := range slices.Sorted(maps.Keys(cs)) {
		for _, id := range slices.Sorted(maps.Keys(cs[generation])) {
			c := cs[generation][id]
			for _, n := range []uint64{uint64(generation), uint64(id), uint64(c.documents), c.title, c.body, uint64(len(c.languages))} {
				b = binary.AppendUvarint(b, n)
			}
			for _, name := range slices.Sorted(maps.Keys(c.languages)) {
				b = binary.AppendUvarint(appendString(b, name), uint64(c.languages[name]))
			}
			live := c.live.Clone() // nobody may change that of a published class
			live.RunOptimize()
			bits, err := live.MarshalBinary()
			if err != nil {
				return nil, fmt.Errorf("encode checkpoint: %w", err)
			}
			b = appendString(b, string(bits))
		}
	}
	return seal([]byte(checkpointKey), b), nil
}

func decodeCheckpoint(record []byte) (revision uint64, cs generationClasses, err error) {
	b, err := unseal([]byte(checkpointKey), record)
	if err != nil {
		return 0, nil, err
	}
	r, cs := recordReader{rest: b}, generationClasses{}
	revision = r.uvarint()
	for len(r.rest) > 0 {
		generation := r.uint32()
		c := cs.class(generation, r.uint32())
		c.documents, c.title, c.body = r.int(), r.uvarint(), r.uvarint()
		for n := r.uvarint(); n > 0 && r.err == nil; n-- {
			name := r.string()
			c.languages[name] = r.int()
		}
		bits := r.string()
		if r.err != nil {
			return 0, nil, r.err
		}
		if err := c.live.UnmarshalBinary([]byte(bits)); err != nil {
			return 0, nil, fmt.Errorf("%w: chunks of an ACL class: %w", errTruth, err)
		}
	}
	return revision, cs, r.err
}

// errStale says that checkpoint and journal do not lead to the revision of the truth.
var errStale = errors.New("the checkpoint is of another revision")

// restoreClasses returns the classes of all generations from checkpoint and journal.
// The error wraps errStale or errTruth where they have to be made from the documents.
func restoreClasses(ctx context.Context, r pebble.Reader, m metaRecord) (cs generationClasses, size int, err error) {
	at, cs := uint64(0), generationClasses{}
	err = get(r, []byte(checkpointKey), func(record []byte) (err error) {
		at, cs, err = decodeCheckpoint(record)
		return err
	})
	if err != nil && !errors.Is(err, index.ErrNotFound) {
		return nil, 0, err
	}
	all := []byte{journalPrefix}
	err = scan(ctx, r, all, after(all), func(key, value []byte) (bool, error) {
		record, err := unseal(key, value)
		if at++; err == nil && string(key) != string(journalKey(at)) {
			err = errStale
		}
		if err == nil {
			err = cs.replay(record)
		}
		size += 1 + len(record)/16
		return true, err
	})
	if err == nil && at != m.Revision {
		err = errStale
	}
	if err != nil {
		return nil, 0, err
	}
	return cs, size, cs.name(ctx, r, m)
}

// name gives the classes their lists, and drops generations and classes that are gone.
func (cs generationClasses) name(ctx context.Context, r pebble.Reader, m metaRecord) error {
	maps.DeleteFunc(cs, func(generation uint32, _ map[uint32]*class) bool {
		return !slices.ContainsFunc(m.all(), func(g generationRecord) bool { return g.ID == generation })
	})
	for _, generation := range cs {
		maps.DeleteFunc(generation, func(_ uint32, c *class) bool { return c.documents == 0 })
	}
	named := 0
	err := scanClasses(ctx, r, func(id uint32, l acl.List, seal uint32) error {
		key := l.Key()
		for _, generation := range cs {
			if c := generation[id]; c != nil {
				c.list, c.key, c.seal = l, key, seal
				named++
			}
		}
		return nil
	})
	for _, generation := range cs {
		named -= len(generation)
	}
	if err == nil && named != 0 {
		err = fmt.Errorf("%w: documents are in ACL classes that are not there", errStale)
	}
	return err
}
