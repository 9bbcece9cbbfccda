package embedded

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"ken/corpora"
	"ken/index"
)

// Pins of versions. One is of the version that its document has or of an earlier one
// that is kept, and goes with that.
//
//	p length id version    seal
const pinPrefix = 'p'

// MaxPins is how many versions of one document may be pinned.
const MaxPins = 100

func pinsOf(id corpora.DocID) []byte {
	key := binary.BigEndian.AppendUint32([]byte{pinPrefix}, uint32(len(id)))
	return append(key, id...)
}

func pinKey(id corpora.DocID, version string) []byte { return append(pinsOf(id), version...) }

// scanPins returns the pinned versions of a document.
func scanPins(ctx context.Context, r pebble.Reader, id corpora.DocID) (map[string]bool, error) {
	pins, prefix := map[string]bool{}, pinsOf(id)
	err := scan(ctx, r, prefix, after(prefix), func(key, value []byte) (bool, error) {
		_, err := unseal(key, value)
		pins[string(key[len(prefix):])] = true
		return true, err
	})
	return pins, err
}

// pins are those of a document as the change leaves them so far. Where nothing at all
// is pinned, one look tells for the whole change.
func (c *change) pins(id corpora.DocID) (map[string]bool, error) {
	if c.pinned == nil {
		var some bool
		lower := []byte{pinPrefix}
		err := scan(context.Background(), c.base.snapshot, lower, after(lower), func([]byte, []byte) (bool, error) {
			some = true
			return false, nil
		})
		if err != nil {
			return nil, err
		}
		c.pinned = &some
	}
	if !*c.pinned || c.unpinned[id] {
		return nil, nil
	}
	return scanPins(context.Background(), c.base.snapshot, id)
}

// unpin removes all pins of a document.
func (c *change) unpin(id corpora.DocID) error {
	pins, err := c.pins(id)
	for version := range pins {
		if err == nil {
			err = c.batch.Delete(pinKey(id, version), nil)
		}
	}
	c.unpinned[id] = true
	return err
}

// Pin keeps a version of a document, which has it now or had it, whatever
// [Store.KeepVersions] says, until [Store.Unpin] or its deletion. One that is not
// kept is [index.ErrNotFound]. It is for operators.
func (s *Store) Pin(ctx context.Context, id corpora.DocID, version string) error {
	return s.write(&request{ctx: ctx, alone: true, apply: func(c *change) error {
		if err := c.hasVersion(id, version); err != nil {
			return fmt.Errorf("%q: %w", id, err)
		}
		pins, err := c.pins(id)
		if err == nil && len(pins) >= MaxPins && !pins[version] {
			err = fmt.Errorf("%q: %d versions are pinned already", id, MaxPins)
		}
		if err != nil {
			return err
		}
		key := pinKey(id, version)
		return c.batch.Set(key, seal(key, make([]byte, sealSize)), nil)
	}}, "pin")
}

// Unpin takes a pin back. The version stays until its document is written again or
// [Store.DropVersions]; one that is not pinned is [index.ErrNotFound].
func (s *Store) Unpin(ctx context.Context, id corpora.DocID, version string) error {
	return s.write(&request{ctx: ctx, alone: true, apply: func(c *change) error {
		pins, err := c.pins(id)
		if err == nil && !pins[version] {
			err = fmt.Errorf("%q: %w", id, index.ErrNotFound)
		}
		if err != nil {
			return err
		}
		return c.batch.Delete(pinKey(id, version), nil)
	}}, "unpin")
}

// hasVersion is index.ErrNotFound unless the document has the version or it is kept.
func (c *change) hasVersion(id corpora.DocID, version string) error {
	now, err := c.document(id)
	if err != nil || now.Version == version {
		return err
	}
	kept, err := c.versionsOf(id)
	for _, v := range kept {
		if v.Document.Version == version {
			return err
		}
	}
	if err == nil {
		err = index.ErrNotFound
	}
	return err
}
