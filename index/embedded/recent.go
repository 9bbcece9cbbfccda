package embedded

import (
	"sync/atomic"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/index"
	"ken/index/analyze"
	"ken/internal/rejoin"
)

// recentChunk is a chunk that the gate let through and what was made of it. An
// ordinal is given once, and neither its record nor the title of its document
// ever changes, so what is kept is right in every state; who may have it, the gate
// decides each time.
type recentChunk struct {
	index.Chunk // nobody may change anything of it
	grams       atomic.Pointer[index.Grams]
	document    atomic.Pointer[storedDocument] // of the state that asked last
}

// size counts the struct and its place in a map as well.
func (c *recentChunk) size() int {
	n := 320 + len(c.Text) + len(c.Context) + len(c.Doc)
	for _, h := range c.Heading {
		n += 16 + len(h)
	}
	if g := c.grams.Load(); g != nil {
		n += g.Size()
	}
	return n
}

// chunk reads a chunk of the state.
func (st *state) chunk(ordinal uint32) (*recentChunk, error) {
	if c, ok := st.truth.recent.get(ordinal, st.truth.room.chunks); ok {
		return c, nil
	}
	c, err := getChunk(st.snapshot, ordinal)
	if err != nil {
		return nil, err
	}
	r := &recentChunk{Chunk: c}
	st.truth.recent.put(ordinal, r, r.size(), st.truth.room.chunks)
	return r, nil
}

// readers is how many chunks are read at once by readAhead; a disk has room for
// more, a processor not.
const readers = 16

// readAhead reads chunks that are not among the recent ones, several at once: from a
// disk, one after the other would take much longer. It reads what the readable set
// admits; the gate asks the truth later, and tells errors.
func (v *view) readAhead(ids []index.ChunkID) {
	st := v.state
	var missing []uint32
	for _, id := range ids {
		if v.mayRead(id) && !st.truth.recent.has(uint32(id)) {
			missing = append(missing, uint32(id))
		}
	}
	if len(missing) < readers {
		return
	}
	var next atomic.Int64
	var workers rejoin.Group
	for range readers {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(missing); i = int(next.Add(1)) - 1 {
				if c, err := st.chunk(missing[i]); err == nil {
					_, _ = st.documentOf(c)
				}
			}
		})
	}
	workers.Wait()
}

// gramsOf returns the grams of a chunk of the document.
func (st *state) gramsOf(c *recentChunk, d corpora.Document) index.Grams {
	if g := c.grams.Load(); g != nil {
		return *g
	}
	g := index.NewGrams(analyze.Grams(index.EmbedText(d, c.Chunk)))
	c.grams.Store(&g)
	st.truth.recent.put(uint32(c.ID), c, c.size(), st.truth.room.chunks)
	return g
}

// storedDocument is a document that a search asked for.
type storedDocument struct {
	writtenDocument               // nobody may change anything of it
	state           uint64        // the number of the one that it was read in
	right           atomic.Uint64 // the number of a state that it was found to be right in
}

// size counts the struct and its place in a map as well.
func (d *storedDocument) size() int {
	n := 512 + 2*len(d.ID) + len(d.Source) + len(d.Path) + len(d.URL) + len(d.Title) + len(d.Stamp) + len(d.Version)
	for _, t := range d.Tags {
		n += 16 + len(t)
	}
	return n
}

// rememberedDocument returns a document that was read before. One that was read in
// an earlier state and was not dropped since, is what this state has: see follow.
func (st *state) rememberedDocument(id corpora.DocID) (*storedDocument, bool) {
	d, ok := st.kept.documents.get(id, st.truth.room.documents)
	if !ok || d.state > st.number {
		return nil, false
	}
	d.right.Store(st.number)
	return d, true
}

// document reads a document of the state.
func (st *state) document(id corpora.DocID) (*storedDocument, error) {
	if d, ok := st.rememberedDocument(id); ok {
		return d, nil
	}
	h, d, err := st.read(id)
	if err != nil {
		return nil, err
	}
	out := &storedDocument{writtenDocument: writtenDocument{h, d}, state: st.number}
	out.right.Store(st.number)
	st.kept.documents.putIf(id, out, out.size(), st.truth.room.documents, func() bool { return st.kept.newest.Load() == st.number })
	return out, nil
}

// documentOf reads the document of a chunk.
func (st *state) documentOf(c *recentChunk) (*storedDocument, error) {
	if d := c.document.Load(); d != nil && d.right.Load() == st.number {
		return d, nil
	}
	d, err := st.document(c.Doc)
	if err == nil {
		c.document.Store(d)
	}
	return d, err
}

// list reads the list of a class as the truth has it. The number of a class is
// given once and its record never changes, so it is right in every state.
func (st *state) list(class uint32) (acl.List, error) {
	if l, ok := st.truth.acls.get(class, st.truth.room.acls); ok {
		return l, nil
	}
	l, err := getClass(st.snapshot, class)
	if err == nil {
		st.truth.acls.put(class, l, 128+96*(len(l.Allow())+len(l.Deny())), st.truth.room.acls)
	}
	return l, err
}
