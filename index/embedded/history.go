package embedded

import (
	"cmp"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/index"
)

// The past of lists, for administrators. It is written in the batch that changes
// a list, and no reader's view looks at it.
//
//	h length id revision    seal, Past without id and revision
//	H                       when the history began, as MarshalBinary has it
//
// A record says what was in force from its time on, until that of the next one
// of the document.
const (
	historyPrefix = 'h'
	beginPrefix   = 'H'
	beginKey      = string(rune(beginPrefix))

	// DefaultHistory is how long the past of lists is kept.
	DefaultHistory = 400 * 24 * time.Hour
	// examined is how many records a write looks at to drop what is too old.
	examined = 1_000
)

// ErrForgotten says that an instant lies before what the history knows.
var ErrForgotten = errors.New("the history of permissions does not go back so far")

// Past is what was in force for a document from an instant on.
type Past struct {
	ID       corpora.DocID
	Revision uint64 // of the store
	Since    time.Time
	Gone     bool // it was not in the index
	List     acl.List
}

func historyPrefixOf(id corpora.DocID) []byte {
	key := binary.BigEndian.AppendUint32([]byte{historyPrefix}, uint32(len(id)))
	return append(key, id...)
}

func historyKey(id corpora.DocID, revision uint64) []byte {
	return binary.BigEndian.AppendUint64(historyPrefixOf(id), revision)
}

func encodePast(key []byte, p Past) ([]byte, error) {
	text, err := json.Marshal(p.List)
	if err != nil {
		return nil, fmt.Errorf("encode the past of %q: %w", p.ID, err)
	}
	b := binary.AppendVarint(make([]byte, sealSize), p.Since.UnixNano())
	gone := uint64(0)
	if p.Gone {
		gone = 1
	}
	return seal(key, append(binary.AppendUvarint(b, gone), text...)), nil
}

func decodePast(key, record []byte) (p Past, err error) {
	p, list, err := decodeSince(key, record)
	if err == nil {
		err = json.Unmarshal(list, &p.List)
	}
	return p, err
}

// decodeSince reads all but the list, which it returns as it is stored.
func decodeSince(key, record []byte) (p Past, list []byte, err error) {
	b, err := unseal(key, record)
	if err != nil {
		return p, nil, err
	}
	const head = 1 + 4
	n := 0
	if len(key) >= head+8 {
		n = int(binary.BigEndian.Uint32(key[1:head]))
	}
	if len(key) != head+n+8 {
		return p, nil, fmt.Errorf("%w: key %x", errTruth, key)
	}
	r := recordReader{rest: b}
	p = Past{ID: corpora.DocID(key[head : head+n]), Revision: binary.BigEndian.Uint64(key[head+n:])}
	p.Since, p.Gone = time.Unix(0, r.varint()).UTC(), r.uvarint() == 1
	return p, r.rest, r.err
}

// changes are the documents whose lists a write may change.
type changes struct {
	before map[corpora.DocID]string   // keys of the lists; a document without one was not there
	after  map[corpora.DocID]acl.List // a document without one is not there any more
}

// was notes the list that the document has so far. Of a document that several
// writes of the change touch, the first list counts; one that the change itself
// made had none.
func (c *changes) was(id corpora.DocID, l acl.List) {
	if c.before == nil {
		c.before = map[corpora.DocID]string{}
	}
	_, noted := c.before[id]
	if _, made := c.after[id]; !noted && !made {
		c.before[id] = l.Key()
	}
	delete(c.after, id)
}

func (c *changes) is(id corpora.DocID, l acl.List) {
	if c.after == nil {
		c.after = map[corpora.DocID]acl.List{}
	}
	c.after[id] = l
}

// writeHistory adds to the batch what the change does to lists. The meta record
// has its new revision.
func (c *change) writeHistory(ctx context.Context) error {
	now := c.store.options.Clock()
	if err := c.beginHistory(ctx, now); err != nil {
		return err
	}
	for id, l := range c.lists.after {
		if before, ok := c.lists.before[id]; !ok || before != l.Key() {
			if err := c.remember(Past{ID: id, Since: now, List: l}); err != nil {
				return err
			}
		}
	}
	for id := range c.lists.before {
		if _, stays := c.lists.after[id]; !stays {
			if err := c.remember(Past{ID: id, Since: now, Gone: true}); err != nil {
				return err
			}
		}
	}
	return c.forget(ctx, now.Add(-c.store.options.History))
}

func (c *change) remember(p Past) error {
	key := historyKey(p.ID, c.meta.Revision)
	record, err := encodePast(key, p)
	if err != nil {
		return err
	}
	return c.batch.Set(key, record, nil)
}

// beginHistory writes down what is in force in a store that has no history yet.
func (c *change) beginHistory(ctx context.Context, now time.Time) error {
	err := get(c.base.snapshot, []byte(beginKey), func([]byte) error { return nil })
	if !errors.Is(err, index.ErrNotFound) {
		return err
	}
	began, err := now.MarshalBinary()
	if err != nil {
		return err
	}
	if err := c.batch.Set([]byte(beginKey), began, nil); err != nil {
		return err
	}
	return scanDocuments(ctx, c.base.snapshot, func(id corpora.DocID, h documentHead) error {
		if _, changes := c.lists.before[id]; changes {
			return nil
		}
		return c.remember(Past{ID: id, Since: now, List: c.base.classes.get(h.class).list})
	})
}

// forget drops records that were replaced before the instant. Each write looks
// at some of them, in turn, so that none takes long.
func (c *change) forget(ctx context.Context, before time.Time) error {
	s := c.store
	from := cmp.Or(s.forgotten, string(historyPrefix))
	n, last := 0, Past{}
	var lastKey []byte
	s.forgotten = ""
	return scan(ctx, c.base.snapshot, []byte(from), after([]byte{historyPrefix}), func(key, value []byte) (bool, error) {
		p, _, err := decodeSince(key, value)
		if err != nil {
			return false, err
		}
		replaced := last.ID == p.ID && lastKey != nil && !p.Since.After(before)
		dead := p.Gone && !p.Since.After(before)
		for _, drop := range []struct {
			key []byte
			yes bool
		}{{lastKey, replaced}, {key, dead}} {
			if drop.yes {
				if err := c.batch.Delete(drop.key, nil); err != nil {
					return false, err
				}
			}
		}
		last, lastKey = p, append(lastKey[:0], key...)
		if n++; n == examined {
			s.forgotten = string(key)
		}
		return n < examined, nil
	})
}

// Lookup returns what is known of a document, ACL and stamp included, for
// operators; or [index.ErrNotFound].
func (s *Store) Lookup(ctx context.Context, id corpora.DocID) (corpora.Document, error) {
	st, err := s.current()
	if err != nil {
		return corpora.Document{}, err
	}
	defer st.release()
	h, d, err := getDocument(st.snapshot, id)
	if err != nil {
		return corpora.Document{}, fmt.Errorf("document %q: %w", id, err)
	}
	if c := st.classes.get(h.class); c != nil {
		d.ACL = c.list
	}
	return d, ctx.Err()
}

// History tells what was in force for a document, the oldest first.
func (s *Store) History(ctx context.Context, id corpora.DocID) ([]Past, error) {
	st, err := s.current()
	if err != nil {
		return nil, err
	}
	defer st.release()
	var out []Past
	prefix := historyPrefixOf(id)
	err = scan(ctx, st.snapshot, prefix, after(prefix), func(key, value []byte) (bool, error) {
		p, err := decodePast(key, value)
		if err == nil && p.ID == id {
			out = append(out, p)
		}
		return true, err
	})
	return out, err
}

// AsOf tells of every document what was in force at an instant. Documents that
// were not there then are left out. An instant before the history is
// [ErrForgotten].
func (s *Store) AsOf(ctx context.Context, at time.Time) iter.Seq2[Past, error] {
	return func(yield func(Past, error) bool) {
		st, err := s.current()
		if err == nil {
			defer st.release()
			err = s.checkReach(st.snapshot, at)
		}
		if err != nil {
			yield(Past{}, err)
			return
		}
		var found *Past // of the document that the scan is at
		stopped := false
		flush := func() {
			if found != nil && !found.Gone && !stopped {
				stopped = !yield(*found, nil)
			}
			found = nil
		}
		err = scan(ctx, st.snapshot, []byte{historyPrefix}, after([]byte{historyPrefix}), func(key, value []byte) (bool, error) {
			p, err := decodePast(key, value)
			if err != nil {
				return false, err
			}
			if found != nil && found.ID != p.ID {
				flush()
			}
			if !p.Since.After(at) {
				found = &p
			}
			return !stopped, nil
		})
		if flush(); err != nil && !stopped {
			yield(Past{}, err)
		}
	}
}

// checkReach refuses an instant that the history does not reach.
func (s *Store) checkReach(r pebble.Reader, at time.Time) error {
	var began time.Time
	err := get(r, []byte(beginKey), began.UnmarshalBinary)
	if errors.Is(err, index.ErrNotFound) {
		return fmt.Errorf("%w: nothing was written yet", ErrForgotten)
	}
	if err != nil {
		return err
	}
	if kept := s.options.Clock().Add(-s.options.History); kept.After(began) {
		began = kept
	}
	if at.Before(began) {
		return fmt.Errorf("%w: it begins at %s", ErrForgotten, began.UTC().Format(time.RFC3339))
	}
	return nil
}
