package embedded

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"ken/corpora"
	"ken/embed"
	"ken/index"
)

// Maker makes what a generation has of a document. It may be called by several
// goroutines.
type Maker struct {
	// Cut returns the chunks of a text, which partition it; see package chunk. The
	// last argument is the chunks that it was cut into elsewhere.
	Cut func(d corpora.Document, text string, was []index.Chunk) []index.Chunk
	// Embed returns a vector of the generation's model for each text.
	Embed func(ctx context.Context, texts []string) ([]embed.Vector, error)
}

// SetMaker says how documents get into a generation, from now until the store is
// closed. Writes of documents then keep it current, in the same commit; without a
// maker, or if it fails, the generation falls behind with them.
func (s *Store) SetMaker(id uint32, m Maker) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.makers == nil {
		s.makers = map[uint32]Maker{}
	}
	s.makers[id] = m
}

func (s *Store) maker(id uint32) (Maker, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, ok := s.makers[id]
	return m, ok
}

// makeBeside makes what the generations beside the active one have of the
// documents. One that cannot be made is left out: the write goes on without it.
func (s *Store) makeBeside(ctx context.Context, entries []index.Entry) (map[uint32]analyzed, error) {
	st, err := s.current()
	if err != nil {
		return nil, err
	}
	defer st.release()
	out := map[uint32]analyzed{}
	for _, other := range st.others {
		m, ok := s.maker(other.meta.ID)
		if !ok {
			continue
		}
		made, err := s.makeFor(ctx, other, m, entries, nil)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			s.options.Logger.Warn("a generation does not get what was written", "generation", other.meta.ID, "error", err)
			continue
		}
		out[other.meta.ID] = made
	}
	return out, nil
}

// makeFor makes what the generation has of the entries; see make.
func (s *Store) makeFor(ctx context.Context, other *state, m Maker, entries []index.Entry, from *state) (analyzed, error) {
	made, err := other.make(ctx, m, entries, from)
	if err != nil {
		return analyzed{}, err
	}
	return s.analyze(ctx, made)
}

// make makes the entries of the generation from those of another, whose chunks
// give the text. Vectors of the same model and text that from or the generation
// itself has are not made again.
func (st *state) make(ctx context.Context, m Maker, entries []index.Entry, from *state) ([]index.Entry, error) {
	out := make([]index.Entry, len(entries))
	var texts []string
	var places []*embed.Vector
	for i, e := range entries {
		made := index.Entry{Document: e.Document, Chunks: m.Cut(e.Document, textOf(e.Chunks), e.Chunks)}
		known := map[string]embed.Vector{}
		for _, stored := range []*state{st, from} {
			if stored == nil || stored.meta.Model.Hash != st.meta.Model.Hash {
				continue
			}
			vectors, err := stored.vectorsOf(ctx, e.Document.ID)
			if err != nil {
				return nil, err
			}
			for text, v := range vectors {
				known[text] = v
			}
		}
		made.Vectors = make([]embed.Vector, len(made.Chunks))
		for n, c := range made.Chunks {
			text := index.EmbedText(e.Document, c)
			if made.Vectors[n] = known[text]; made.Vectors[n] == nil {
				texts, places = append(texts, text), append(places, &made.Vectors[n])
			}
		}
		out[i] = made
	}
	if len(texts) > 0 {
		vectors, err := m.Embed(ctx, texts)
		if err == nil {
			err = checkVectors(vectors, len(texts), st.meta.Model)
		}
		if err != nil {
			return nil, fmt.Errorf("embed: %w", err)
		}
		for i, v := range vectors {
			*places[i] = v
		}
	}
	for _, e := range out {
		if err := checkEntry(e, st.meta.Model); err != nil {
			return nil, fmt.Errorf("%q: %w", e.Document.ID, err)
		}
	}
	return out, nil
}

func textOf(chunks []index.Chunk) string {
	var b strings.Builder
	for _, c := range chunks {
		b.WriteString(c.Text)
	}
	return b.String()
}

// What one commit of CatchUp holds at most, but one document at least.
const (
	catchUpDocuments = 200
	catchUpBytes     = 4 << 20
)

// CatchUp makes what the generation lacks, from the documents in the truth, until
// it lacks nothing. Each commit stays, so that after a crash or an error it goes on
// from there. Searches and writes go on meanwhile. Progress is told how many of
// the documents are there.
func (s *Store) CatchUp(ctx context.Context, id uint32, progress func(done, of int)) error {
	m, ok := s.maker(id)
	if !ok {
		return fmt.Errorf("catch up: %w: nothing is known to make generation %d with", ErrGeneration, id)
	}
	from := corpora.DocID("")
	for lacked := 0; ; {
		n, next, err := s.catchUp(ctx, id, m, from, progress)
		if err != nil {
			return fmt.Errorf("catch up: generation %d: %w", id, err)
		}
		lacked += n
		switch from = next; {
		case next != "":
		case lacked == 0:
			return nil
		default: // once more, for what was written meanwhile
			lacked = 0
		}
	}
}

// catchUp makes one commit of documents that come after from, and returns how many
// it found lacking; next is "" if there are no more.
func (s *Store) catchUp(
	ctx context.Context, id uint32, m Maker, from corpora.DocID, progress func(done, of int),
) (lacked int, next corpora.DocID, err error) {
	st, err := s.current()
	if err != nil {
		return 0, "", err
	}
	defer st.release()
	i := slices.IndexFunc(st.others, func(o *state) bool { return o.meta.ID == id })
	if i < 0 {
		if st.meta.ID == id {
			return 0, "", nil
		}
		return 0, "", ErrGeneration
	}
	other := st.others[i]
	entries, next, err := st.lacking(ctx, other, from)
	if err != nil || len(entries) == 0 {
		return 0, next, err
	}
	made, err := s.makeFor(ctx, other, m, entries, st)
	if err != nil {
		return 0, "", err
	}
	added := 0
	err = s.write(&request{ctx: ctx, alone: true, apply: func(c *change) error {
		added, err = c.addMade(ctx, id, made, st)
		return err
	}}, "catch up")
	if err == nil && progress != nil {
		done := other.documents() + added
		progress(done, max(done, st.documents()))
	}
	return len(entries), next, err
}

var errEnough = errors.New("enough")

// lacking reads documents after from that the other generation has no head of.
func (st *state) lacking(ctx context.Context, other *state, from corpora.DocID) (out []index.Entry, next corpora.DocID, err error) {
	size := 0
	err = scanHeads(ctx, st.snapshot, other.meta.ID, func(id corpora.DocID, _ documentHead, ok bool) error {
		if ok || id <= from {
			return nil
		}
		if len(out) >= catchUpDocuments || size >= catchUpBytes {
			return errEnough
		}
		h, d, err := st.read(id)
		if err != nil {
			return err
		}
		d.ACL = st.classes.get(h.class).list
		e := index.Entry{Document: d}
		for n := range h.chunks {
			chunk, err := getChunk(st.snapshot, h.first+n)
			if err != nil {
				return err
			}
			size += len(chunk.Text)
			e.Chunks = append(e.Chunks, chunk)
		}
		out, next = append(out, e), id
		return nil
	})
	if errors.Is(err, errEnough) {
		return out, next, nil
	}
	return out, "", err
}

// addMade gives the generation what was made of documents as read in st. One that
// was replaced or deleted since is left out, and so is one that it got since.
func (c *change) addMade(ctx context.Context, id uint32, made analyzed, read *state) (int, error) {
	c.large = true
	if err := c.findRoom(); err != nil {
		return 0, err
	}
	part, err := c.partOf(id)
	if err != nil {
		return 0, err
	}
	var entries []index.Entry
	var records []documentHead
	for _, e := range made.entries {
		h, d, err := getDocument(c.base.snapshot, e.Document.ID)
		if errors.Is(err, index.ErrNotFound) {
			continue
		}
		if err != nil {
			return 0, err
		}
		_, has, err := headIn(c.base.snapshot, id, d.ID, h)
		if err != nil {
			return 0, err
		}
		same, err := c.sameText(d.ID, h, read)
		if err != nil {
			return 0, err
		}
		if has || !same {
			continue
		}
		e.Document.ACL = c.base.classes.get(h.class).list
		entries, records = append(entries, e.Entry), append(records, h)
	}
	if len(entries) == 0 {
		return 0, nil
	}
	if made, err = c.store.only(ctx, made, entries); err != nil {
		return 0, err
	}
	if err := part.put(made, records); err != nil {
		return 0, err
	}
	if id == 0 { // its heads stand in the records
		for i, e := range entries {
			_, d, err := getDocument(c.base.snapshot, e.Document.ID)
			if err != nil {
				return 0, err
			}
			c.meta.Records -= tally(records[i].seal)
			if err := c.setRecord(records[i], d); err != nil {
				return 0, err
			}
		}
	}
	return len(entries), nil
}

// only returns what was made of the entries, which are all or some of the made
// ones, with other permissions at most.
func (s *Store) only(ctx context.Context, made analyzed, entries []index.Entry) (analyzed, error) {
	if len(entries) < len(made.entries) {
		return s.analyze(ctx, entries)
	}
	made.entries = slices.Clone(made.entries)
	for i, e := range entries {
		made.entries[i].Entry = e
	}
	return made, nil
}

// sameText reports whether the document is the one that was read: an ordinal is
// given once, so chunks with the same ordinals are the same chunks.
func (c *change) sameText(id corpora.DocID, now documentHead, read *state) (bool, error) {
	before, _, err := read.read(id)
	if err != nil {
		return false, err
	}
	own, ok, err := headIn(c.base.snapshot, read.meta.ID, id, now)
	return ok && own.first == before.first && own.chunks == before.chunks, err
}
