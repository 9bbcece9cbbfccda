package embedded

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/index"
)

// noHead is the first ordinal in the record of a document that has no chunks in
// generation 0, the one that a store begins with.
const noHead = math.MaxUint32

func headsKey(generation uint32) []byte {
	return binary.BigEndian.AppendUint32([]byte{headPrefix}, generation)
}

func headKey(generation uint32, id corpora.DocID) []byte {
	return append(headsKey(generation), id...)
}

func encodeHead(key []byte, h documentHead) []byte {
	b := make([]byte, sealSize, 32)
	for _, n := range []uint64{uint64(h.first), uint64(h.chunks), h.title, h.body} {
		b = binary.AppendUvarint(b, n)
	}
	return seal(key, b)
}

// decodeOwnHead reads what encodeHead wrote into the head of the document's record.
func decodeOwnHead(key, record []byte, h documentHead) (documentHead, error) {
	b, err := unseal(key, record)
	if err != nil {
		return h, err
	}
	r := recordReader{rest: b}
	h.first, h.chunks, h.title, h.body = r.uint32(), r.uint32(), r.uvarint(), r.uvarint()
	return h, r.err
}

// headIn returns the head of a document in a generation, and whether it has one.
// inRecord is the head in the document's record: its class and language hold in all
// generations, its chunks are those of generation 0.
//
// This is what keeps generations from being a mixture: a document has a head in a
// generation exactly if the generation has the chunks of the stored version of it.
// Every write of a document's text writes or deletes all of its heads in the batch
// that changes the record.
func headIn(r pebble.Reader, generation uint32, id corpora.DocID, inRecord documentHead) (h documentHead, ok bool, err error) {
	if generation == 0 {
		return inRecord, inRecord.first != noHead, nil
	}
	key := headKey(generation, id)
	err = get(r, key, func(b []byte) (err error) {
		h, err = decodeOwnHead(key, b, inRecord)
		return err
	})
	if errors.Is(err, index.ErrNotFound) {
		return inRecord, false, nil
	}
	return h, err == nil, err
}

// scanHeads calls f with the head of every document in the generation; ok is false
// for a document that has none, whose head is only good for its class.
func scanHeads(ctx context.Context, r pebble.Reader, generation uint32, f func(id corpora.DocID, h documentHead, ok bool) error) error {
	if generation == 0 {
		return scanDocuments(ctx, r, func(id corpora.DocID, h documentHead) error { return f(id, h, h.first != noHead) })
	}
	lower := headsKey(generation)
	heads, err := r.NewIterWithContext(ctx, &pebble.IterOptions{LowerBound: lower, UpperBound: after(lower)})
	if err != nil {
		return fmt.Errorf("read truth store: %w", err)
	}
	more := heads.First()
	err = scanDocuments(ctx, r, func(id corpora.DocID, h documentHead) error {
		key := headKey(generation, id)
		for more && bytes.Compare(heads.Key(), key) < 0 {
			more = heads.Next()
		}
		if !more || !bytes.Equal(heads.Key(), key) {
			return f(id, h, false)
		}
		own, err := decodeOwnHead(key, heads.Value(), h)
		if err != nil {
			return err
		}
		return f(id, own, true)
	})
	return errors.Join(err, heads.Close())
}

// read returns a document without its ACL, with its head in the state's
// generation. One that the generation has no chunks of is not found.
func (st *state) read(id corpora.DocID) (documentHead, corpora.Document, error) {
	h, d, err := getDocument(st.snapshot, id)
	if err != nil {
		return h, d, err
	}
	h, ok, err := headIn(st.snapshot, st.meta.ID, id, h)
	if err == nil && !ok {
		err = index.ErrNotFound
	}
	return h, d, err
}

// generations returns the states of all generations, the active one first.
func (st *state) generations() []*state { return append([]*state{st}, st.others...) }

// documents counts those that the generation has chunks of.
func (st *state) documents() (n int) {
	for _, c := range st.classes.all() {
		n += c.documents
	}
	return n
}

// all returns the records of all generations, the active one first.
func (m metaRecord) all() []generationRecord {
	return append([]generationRecord{m.generationRecord}, m.Others...)
}

// names reports whether the file is one of the generation's.
func (g generationRecord) names(file string) bool {
	for _, r := range g.Segments {
		if file == lexName(r.Lexical) || file == vecName(r.Vector) {
			return true
		}
	}
	return false
}

// serving returns the state of the generation that the principal is served from.
// It takes the caller's hold of st and gives one of what it returns.
func (st *state) serving(p acl.Principal) *state {
	for _, other := range st.others {
		if inCanary(p, other.meta.generationRecord) {
			other.users.Add(1)
			st.release()
			return other
		}
	}
	return st
}

// inCanary is a function of who asks and of the generation alone: no counter and
// no chance, so that asking again or asking more tells nothing.
func inCanary(p acl.Principal, g generationRecord) bool {
	if g.Percent <= 0 || p.IsZero() {
		return false
	}
	who := string(p.User())
	if who == "" {
		who = p.Key()
	}
	sum := sha256.Sum256(binary.BigEndian.AppendUint32([]byte(who+"\x00canary"), g.ID))
	return binary.BigEndian.Uint64(sum[:])%100 < uint64(g.Percent)
}

// part returns the part of the change that is another generation's.
func (c *change) part(m metaRecord, st *state) *change {
	p := &change{files: files{store: c.store}, whole: c, base: st, meta: m, batch: c.batch, heads: map[corpora.DocID]*documentHead{}}
	if st == nil {
		p.classes = editOf(classesOf(nil), 0, nil)
		return p
	}
	p.segments, p.live, p.classes = slices.Clone(st.segments), slices.Clone(st.live), editOf(st.classes, 0, nil)
	return p
}

// head is headIn as the change leaves it so far.
func (c *change) head(id corpora.DocID, inRecord documentHead) (documentHead, bool, error) {
	if h, ok := c.heads[id]; ok && c.meta.ID != 0 {
		if h == nil {
			return inRecord, false, nil
		}
		own := *h
		own.class, own.language, own.seal = inRecord.class, inRecord.language, inRecord.seal
		return own, true, nil
	}
	h, ok, err := headIn(c.whole.base.snapshot, c.meta.ID, id, inRecord)
	if err == nil && ok {
		err = c.checkClass(h)
	}
	return h, ok, err
}

// follow returns the vector leg of the part's next state.
func (c *change) follow(ctx context.Context) (vectorLeg, error) {
	leg := newVectorLeg(c.store.options.Vectors)
	if c.base != nil {
		leg = c.base.leg
	}
	return leg.follow(ctx, c.segments, c.classes.all)
}

// fallBehind notes that the generation does not get a document that was written:
// nobody is served from it until it has caught up.
func (c *change) fallBehind() {
	if c.meta.Percent > 0 {
		c.store.options.Logger.Warn("a generation fell behind: nobody is served from it", "generation", c.meta.ID)
	}
	c.meta.Percent = 0
}

// setHead writes where the document's chunks are, into its record to be or under
// a key of its own.
func (c *change) setHead(id corpora.DocID, h documentHead, record *documentHead) error {
	if c.meta.ID == 0 {
		*record = h
		return nil
	}
	key := headKey(c.meta.ID, id)
	c.heads[id] = &h
	return c.batch.Set(key, encodeHead(key, h), nil)
}

// removeChunks takes the document out of the generation.
func (c *change) removeChunks(id corpora.DocID, inRecord documentHead) error {
	h, ok, err := c.head(id, inRecord)
	if err != nil || !ok {
		return err
	}
	c.classes.remove(h)
	c.kill(h)
	if err := c.deleteChunks(h); err != nil {
		return err
	}
	if c.meta.ID == 0 {
		return nil
	}
	c.heads[id] = nil
	return c.batch.Delete(headKey(c.meta.ID, id), nil)
}
