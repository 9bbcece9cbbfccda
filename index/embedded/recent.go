package embedded

import (
	"sync"

	"ken/corpora"
	"ken/index"
)

// recentChunks keeps chunks that the gate let through. An ordinal is given once
// and its record never changes, so a chunk that is kept is right in every state;
// who may have it, the gate decides each time. What is kept changes how long a
// search takes and nothing else.
type recentChunks struct {
	mu     sync.Mutex
	chunks map[uint32]index.Chunk
	bytes  int
}

// maxRecent bounds the bytes of the chunks that are kept. What is full is
// emptied: what is asked for often comes back at once.
const maxRecent = 64 << 20

func (r *recentChunks) get(ordinal uint32) (index.Chunk, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c, ok := r.chunks[ordinal]
	return c, ok
}

func (r *recentChunks) put(ordinal uint32, c index.Chunk) {
	const entry = 256 // the struct and its place in the map
	size := entry + len(c.Text) + len(c.Context) + len(c.Doc)
	for _, h := range c.Heading {
		size += len(h)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.chunks == nil || r.bytes+size > maxRecent {
		r.chunks, r.bytes = map[uint32]index.Chunk{}, 0
	}
	if _, ok := r.chunks[ordinal]; !ok {
		r.chunks[ordinal] = c
		r.bytes += size
	}
}

// chunk reads a chunk of the state. The caller may change nothing of it.
func (st *state) chunk(ordinal uint32) (index.Chunk, error) {
	if c, ok := st.truth.recent.get(ordinal); ok {
		return c, nil
	}
	c, err := getChunk(st.snapshot, ordinal)
	if err == nil {
		st.truth.recent.put(ordinal, c)
	}
	return c, err
}

// storedDocument is the record of a document.
type storedDocument struct {
	documentHead
	corpora.Document // without its ACL
}

// recentDocuments keeps documents of one state.
type recentDocuments struct {
	mu   sync.Mutex
	docs map[corpora.DocID]storedDocument
}

// maxDocuments bounds the documents that a state keeps.
const maxDocuments = 16 << 10

// document reads a document of the state.
func (st *state) document(id corpora.DocID) (storedDocument, error) {
	r := &st.recent
	r.mu.Lock()
	d, ok := r.docs[id]
	r.mu.Unlock()
	if ok {
		return d, nil
	}
	var err error
	if d.documentHead, d.Document, err = st.read(id); err != nil {
		return d, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.docs == nil || len(r.docs) >= maxDocuments {
		r.docs = map[corpora.DocID]storedDocument{}
	}
	r.docs[id] = d
	return d, nil
}
