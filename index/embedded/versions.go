package embedded

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/index"
)

// Earlier versions of documents. One is written in the batch that replaces it and
// goes with its document: nothing that is deleted has versions.
//
//	v length id number    seal, when it was replaced, its list then, metadata, text
//
// Numbers of a document grow. A version stands once, at its newest place, and the
// one that the document has now does not stand here.
const versionPrefix = 'v'

func versionsOf(id corpora.DocID) []byte {
	key := binary.BigEndian.AppendUint32([]byte{versionPrefix}, uint32(len(id)))
	return append(key, id...)
}

func versionKey(id corpora.DocID, number uint64) []byte {
	return binary.BigEndian.AppendUint64(versionsOf(id), number)
}

// keptVersion is a record without its text.
type keptVersion struct {
	index.Version
	number uint64
	list   acl.List // when it was replaced
}

func encodeVersion(key []byte, v keptVersion, text string) ([]byte, error) {
	list, err := json.Marshal(v.list)
	if err != nil {
		return nil, fmt.Errorf("encode a version of %q: %w", v.Document.ID, err)
	}
	b := binary.AppendVarint(make([]byte, sealSize, sealSize+len(text)+512), v.Replaced.UnixNano())
	b = appendString(b, string(list))
	b = appendString(b, string(appendMetadata(nil, normalize(v.Document))))
	return seal(key, append(b, text...)), nil
}

// decodeKept reads all but the text, which it returns as it is stored.
func decodeKept(key, record []byte) (v keptVersion, text []byte, err error) {
	b, err := unseal(key, record)
	if err != nil {
		return v, nil, err
	}
	const head = 1 + 4
	n := 0
	if len(key) >= head+8 {
		n = int(binary.BigEndian.Uint32(key[1:head]))
	}
	if len(key) != head+n+8 {
		return v, nil, fmt.Errorf("%w: key %x", errTruth, key)
	}
	id := corpora.DocID(key[head : head+n])
	r := recordReader{rest: b}
	v.number, v.Replaced = binary.BigEndian.Uint64(key[head+n:]), time.Unix(0, r.varint()).UTC()
	list, metadata := r.string(), r.string()
	if r.err != nil {
		return v, nil, r.err
	}
	if err := json.Unmarshal([]byte(list), &v.list); err != nil {
		return v, nil, fmt.Errorf("%w: a version of %q: %w", errTruth, id, err)
	}
	v.Document, err = decodeMetadata(id, []byte(metadata))
	return v, r.rest, err
}

// decodeVersion reads the record with its text.
func decodeVersion(key, record []byte) (keptVersion, string, error) {
	v, text, err := decodeKept(key, record)
	return v, string(text), err
}

// KeepVersions says how many earlier versions of a document are kept from now on;
// 0, as in a store that was just opened, is none. What is there stays until its
// document is written, or [Store.DropVersions].
func (s *Store) KeepVersions(n int) { s.keep.Store(int32(max(n, 0))) }

// keepVersion keeps the document as it is, if the policy says so and the version
// that comes is another. It is called before the document is removed.
func (c *change) keepVersion(next corpora.Document) error {
	limit := int(c.store.keep.Load())
	pins, err := c.pins(next.ID)
	if err != nil || limit == 0 && len(pins) == 0 {
		return err
	}
	old, err := c.document(next.ID)
	if errors.Is(err, index.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	kept, err := c.versionsOf(next.ID)
	if err != nil {
		return err
	}
	number := uint64(1)
	if len(kept) > 0 {
		number = kept[len(kept)-1].number + 1
	}
	drop := func(gone func(keptVersion) bool) {
		kept = slices.DeleteFunc(kept, func(v keptVersion) bool {
			if err != nil || !gone(v) {
				return false
			}
			err = c.batch.Delete(versionKey(next.ID, v.number), nil)
			return true
		})
	}
	drop(func(v keptVersion) bool {
		return v.Document.Version == next.Version || v.Document.Version == old.Version
	})
	if err == nil && old.Version != "" && old.Version != next.Version {
		v := keptVersion{index.Version{Document: old.Document, Replaced: c.store.options.Clock()}, number, c.classes.all.get(old.class).list}
		kept, err = append(kept, v), c.writeVersion(v, old)
	}
	surplus := -limit
	for _, v := range kept {
		if !pins[v.Document.Version] {
			surplus++
		}
	}
	drop(func(v keptVersion) bool {
		if pins[v.Document.Version] {
			return false
		}
		surplus--
		return surplus >= 0
	})
	c.versions[next.ID] = kept
	return err
}

func (c *change) writeVersion(v keptVersion, old writtenDocument) error {
	text, err := c.storedText(old)
	if err != nil {
		return err
	}
	key := versionKey(old.ID, v.number)
	record, err := encodeVersion(key, v, text)
	if err != nil {
		return err
	}
	return c.batch.Set(key, record, nil)
}

// storedText is the text of the document as the change leaves it so far.
func (c *change) storedText(d writtenDocument) (string, error) {
	if chunks, ok := c.texts[d.ID]; ok {
		return textOf(chunks), nil
	}
	h, ok, err := c.head(d.ID, d.documentHead)
	if err != nil || !ok {
		return "", err
	}
	chunks := make([]index.Chunk, h.chunks)
	for i := range chunks {
		if chunks[i], err = getChunk(c.base.snapshot, h.first+uint32(i)); err != nil {
			return "", err
		}
	}
	return textOf(chunks), nil
}

// versionsOf returns the kept versions as the change leaves them so far, the
// oldest first.
func (c *change) versionsOf(id corpora.DocID) ([]keptVersion, error) {
	if kept, ok := c.versions[id]; ok {
		return kept, nil
	}
	return scanVersions(context.Background(), c.base.snapshot, id)
}

func scanVersions(ctx context.Context, r pebble.Reader, id corpora.DocID) (kept []keptVersion, err error) {
	prefix := versionsOf(id)
	err = scan(ctx, r, prefix, after(prefix), func(key, value []byte) (bool, error) {
		v, _, err := decodeKept(key, value)
		kept = append(kept, v)
		return true, err
	})
	return kept, err
}

// removeVersions drops all versions of a document, and its pins.
func (c *change) removeVersions(id corpora.DocID) error {
	kept, err := c.versionsOf(id)
	for _, v := range kept {
		if err == nil {
			err = c.batch.Delete(versionKey(id, v.number), nil)
		}
	}
	c.versions[id] = nil
	return errors.Join(err, c.unpin(id))
}

// DropVersions removes the earlier versions that drop wants gone, and returns how
// many those were. Age is 1 for the newest of a document; those that are pinned do
// not count. It is for operators.
func (s *Store) DropVersions(ctx context.Context, drop func(v index.Version, age int) bool) (n int, err error) {
	err = s.write(&request{ctx: ctx, alone: true, apply: func(c *change) error {
		n = 0
		var of []keptVersion // of one document
		flush := func() error {
			gone, err := c.dropVersions(of, drop)
			n, of = n+gone, of[:0]
			return err
		}
		err := scan(ctx, c.base.snapshot, []byte{versionPrefix}, after([]byte{versionPrefix}), func(key, value []byte) (bool, error) {
			v, _, err := decodeKept(key, value)
			if err == nil && len(of) > 0 && of[0].Document.ID != v.Document.ID {
				err = flush()
			}
			of = append(of, v)
			return true, err
		})
		return errors.Join(err, flush())
	}}, "drop versions")
	return n, err
}

// dropVersions removes those of one document, the oldest first, that drop wants gone,
// with their pins.
func (c *change) dropVersions(of []keptVersion, drop func(v index.Version, age int) bool) (n int, err error) {
	if len(of) == 0 {
		return 0, nil
	}
	id := of[0].Document.ID
	pins, err := c.pins(id)
	if err != nil {
		return 0, err
	}
	age := 1
	for _, v := range slices.Backward(of) {
		v.Pinned = pins[v.Document.Version]
		gone := drop(v.Version, age)
		if !v.Pinned {
			age++
		}
		if !gone {
			continue
		}
		n++
		if err := errors.Join(c.batch.Delete(versionKey(id, v.number), nil), c.batch.Delete(pinKey(id, v.Document.Version), nil)); err != nil {
			return n, err
		}
	}
	return n, nil
}

// admits reports whether a version may be read by who may read its document.
func (v *view) admits(k keptVersion) bool { return k.list.Admits(v.principal, v.at) }

// Versions lists the earlier versions of a document; see [index.Versioned].
func (v *view) Versions(ctx context.Context, id corpora.DocID) (out []index.Version, pinned bool, err error) {
	end, err := v.begin(ctx)
	if err != nil {
		return nil, false, err
	}
	defer end()
	now, err := v.document(ctx, id)
	if err != nil {
		return nil, false, err
	}
	kept, err := scanVersions(ctx, v.state.snapshot, id)
	if err != nil {
		return nil, false, err
	}
	pins, err := scanPins(ctx, v.state.snapshot, id)
	if err != nil {
		return nil, false, err
	}
	for _, k := range slices.Backward(kept) {
		if v.admits(k) {
			out = append(out, index.Version{Document: visible(k.Document), Replaced: k.Replaced, Pinned: pins[k.Document.Version]})
		}
	}
	return out, pins[now.Version], nil
}

// Version is the gate of earlier versions: the document's own list has to admit
// the principal, and then that of the version.
func (v *view) Version(ctx context.Context, id corpora.DocID, version string) (out index.Version, text string, err error) {
	end, err := v.begin(ctx)
	if err != nil {
		return out, "", err
	}
	defer end()
	if _, err := v.document(ctx, id); err != nil {
		return out, "", err
	}
	found, prefix := false, versionsOf(id)
	err = scan(ctx, v.state.snapshot, prefix, after(prefix), func(key, value []byte) (bool, error) {
		k, own, err := decodeVersion(key, value)
		if err == nil && k.Document.Version == version && v.admits(k) {
			out, text, found = index.Version{Document: visible(k.Document), Replaced: k.Replaced}, own, true
		}
		return !found, err
	})
	if err == nil && !found {
		err = index.ErrNotFound
	}
	return out, text, err
}
