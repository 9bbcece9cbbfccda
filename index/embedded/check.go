package embedded

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/index"
	"ken/index/embedded/flat"
	"ken/index/embedded/lexical"
)

// Report is what [Store.Check] found. It is for operators: it names documents.
type Report struct {
	Revision  uint64   `json:"revision"`
	Documents int      `json:"documents"`
	Chunks    int      `json:"chunks"`
	Versions  int      `json:"versions,omitempty"` // earlier ones that are kept
	Vectors   int      `json:"vectors"`            // rows of live chunks
	Segments  int      `json:"segments"`
	Classes   int      `json:"classes"`
	Problems  []string `json:"problems,omitempty"` // none if all is well; at most maxProblems
}

// maxProblems bounds a report: a store with more is not repaired one by one.
const maxProblems = 100

// Check verifies that truth, postings and vectors agree: every chunk of every
// document has one row of each, with its own key, language and lengths; nothing
// is left over on either side; the chunks of a document partition its text; the
// classes are those of the documents' own lists; all checksums hold. It reads
// everything; writes wait until it is done. The error is one of reading, not of
// what was found.
func (s *Store) Check(ctx context.Context) (Report, error) {
	s.merging.Lock()
	defer s.merging.Unlock()
	s.writing.Lock()
	defer s.writing.Unlock()
	s.truth.awaitLeft(false)
	st, err := s.current()
	if err != nil {
		return Report{}, err
	}
	defer st.release()
	c := &checker{active: st, state: st, dir: s.dir, live: roaring.New(), classes: map[uint32]*class{}}
	c.Revision, c.Segments, c.Classes = st.meta.Revision, len(st.segments), st.classes.len()
	steps := []func(context.Context) error{c.checkRevision, c.checkFiles}
	for _, g := range st.generations() {
		steps = append(steps, func(context.Context) error { c.state, c.classes, c.records = g, map[uint32]*class{}, 0; return nil },
			c.checkSegments, c.readClasses, c.checkDocuments, c.checkClasses, c.checkRecords)
	}
	for _, step := range append(steps, c.checkLeftovers, c.checkVersions, c.checkPins) {
		if err := step(ctx); err != nil {
			return c.Report, fmt.Errorf("check: %w", err)
		}
	}
	return c.Report, nil
}

// beside reports whether the generation that is looked at is not the active one.
func (c *checker) beside() bool { return c.state != c.active }

type checker struct {
	Report
	active  *state
	state   *state // of the generation that is looked at
	dir     directory
	live    *roaring.Bitmap   // ordinals that a document owns
	classes map[uint32]*class // as the documents say
	records uint64            // tally of what was read
}

// checkRevision compares the truth with the file that witnesses its revision.
func (c *checker) checkRevision(context.Context) error {
	marks, err := c.dir.readMarks()
	if err == nil {
		var truth mark
		if truth, err = getMark(c.state.snapshot); err == nil {
			err = compareMarks(c.dir.root, marks, truth)
		}
	}
	if lost, ok := errors.AsType[*LostError](err); ok {
		c.problem("%s", lost.Reason)
		return nil
	}
	return err
}

// checkRecords compares the records with the tally of those that were written.
func (c *checker) checkRecords(context.Context) error {
	if c.records != c.state.meta.Records {
		c.problem("records of revision %d are missing or older than they should be", c.Revision)
	}
	return nil
}

func (c *checker) problem(format string, args ...any) {
	if len(c.Problems) < maxProblems {
		c.Problems = append(c.Problems, fmt.Sprintf(format, args...))
	}
}

// checkFiles compares the files in the directory with those that the truth names.
func (c *checker) checkFiles(context.Context) error {
	names, err := c.dir.fs.List(c.dir.segments())
	if err != nil {
		return err
	}
	known := map[string]bool{}
	for _, g := range c.active.generations() {
		for _, s := range g.segments {
			s.files(func(f *file) { known[f.name] = true })
			if (s.vec != nil) != (g.meta.Model.Dim > 0) {
				c.problem("segment %s: vectors %v, the model has dimension %d", s.lexFile.name, s.vec != nil, g.meta.Model.Dim)
			}
		}
	}
	for _, name := range names {
		if ext := path.Ext(name); (ext == ".lex" || ext == ".vec") && !known[name] && c.state.users.Load() <= 2 {
			c.problem("file %s belongs to no segment", name)
		}
		delete(known, name)
	}
	for name := range known {
		c.problem("file %s is missing", name)
	}
	return nil
}

// checkSegments verifies checksums, order of ordinals, and that the frequencies
// of all postings add up to the lengths of the chunks.
func (c *checker) checkSegments(ctx context.Context) error {
	var last int64 = -1
	for _, s := range c.state.segments {
		if err := ctx.Err(); err != nil {
			return err
		}
		if int64(s.First) <= last {
			c.problem("segment %s begins at %d, the one before ends at %d", s.lexFile.name, s.First, last)
		}
		last = int64(s.Last)
		// Anew: what was found sound before may have changed since.
		lex, err := lexical.OpenMapped(s.lexFile.data, s.lexFile.fetch)
		if err == nil {
			err = lex.CheckAll(ctx, nil)
		}
		if err != nil {
			c.problem("segment %s: %v", s.lexFile.name, err)
		}
		if s.vec != nil {
			vec, err := flat.OpenMapped(s.vecFile.data, s.vecFile.fetch)
			if err == nil {
				err = vec.CheckAll(ctx, nil)
			}
			if err != nil {
				c.problem("segment %s: %v", s.vecFile.name, err)
			}
		}
		c.checkPostings(s)
	}
	return nil
}

func (c *checker) checkPostings(s *segment) {
	sums := make([]struct{ title, body uint32 }, s.Chunks)
	for key, p := range s.lex.Terms() {
		for p.Next() {
			if key.Language != s.lex.Language(int(p.Chunk)) {
				c.problem("segment %s: a chunk of language %q has a term of %q", s.lexFile.name, s.lex.Language(int(p.Chunk)), key.Language)
			}
			sums[p.Chunk].title += p.Title
			sums[p.Chunk].body += p.Body
		}
		if p.Err() != nil {
			c.problem("segment %s: %v", s.lexFile.name, p.Err())
			return
		}
	}
	for row, sum := range sums {
		if title, body := s.lex.Lengths(row); title != sum.title || body != sum.body {
			c.problem("chunk %d has postings of %d and %d terms, want %d and %d", s.lex.Ordinal(row), sum.title, sum.body, title, body)
		}
	}
}

func (c *checker) readClasses(ctx context.Context) error {
	err := scanClasses(ctx, c.state.snapshot, func(id uint32, l acl.List, seal uint32) error {
		c.classes[id] = newClass(id, l)
		c.records += tally(seal)
		return nil
	})
	if errors.Is(err, errTruth) {
		c.problem("%v", err)
		err = nil
	}
	return err
}

func (c *checker) checkDocuments(ctx context.Context) error {
	return scanHeads(ctx, c.state.snapshot, c.state.meta.ID, func(id corpora.DocID, h documentHead, ok bool) error {
		c.records += tally(h.seal)
		if !ok && c.beside() {
			return nil
		}
		if !ok {
			c.problem("document %q has no chunks in generation %d, which is active", id, c.state.meta.ID)
			return nil
		}
		_, d, err := getDocument(c.state.snapshot, id)
		if err != nil {
			return err
		}
		if !c.beside() {
			c.Documents++
		}
		if class := c.classes[h.class]; class == nil {
			c.problem("document %q is in ACL class %d, which is not there", id, h.class)
		} else {
			class.add(h)
		}
		return c.checkChunks(d, h)
	})
}

// checkChunks follows the chunks of a document into its segment.
func (c *checker) checkChunks(d corpora.Document, h documentHead) error {
	at := 0
	var title, body uint64
	for n := range h.chunks {
		ordinal := h.first + n
		chunk, err := getChunk(c.state.snapshot, ordinal)
		if errors.Is(err, index.ErrNotFound) {
			c.problem("document %q: chunk %d has no text", d.ID, n)
			continue
		}
		if err != nil {
			return err
		}
		if chunk.Doc != d.ID || chunk.N != int(n) || chunk.Span.Start != at || chunk.Span.End != at+len(chunk.Text) {
			c.problem("document %q: chunk %d is %q %d [%d, %d)", d.ID, n, chunk.Doc, chunk.N, chunk.Span.Start, chunk.Span.End)
		}
		at = chunk.Span.End
		if !c.live.CheckedAdd(ordinal) {
			c.problem("document %q: chunk %d belongs to another document too", d.ID, n)
		}
		t, b := c.checkRow(d, h, chunk, ordinal)
		title, body = title+uint64(t), body+uint64(b)
	}
	if title != h.title || body != h.body {
		c.problem("document %q counts %d and %d terms, its chunks %d and %d", d.ID, h.title, h.body, title, body)
	}
	return nil
}

// checkRow compares a chunk with its rows and returns its lengths.
func (c *checker) checkRow(d corpora.Document, h documentHead, chunk index.Chunk, ordinal uint32) (title, body uint32) {
	p, ok := placeOf(c.state.segments, ordinal)
	if !ok {
		c.problem("document %q: chunk %d has no postings", d.ID, chunk.N)
		return 0, 0
	}
	s := c.state.segments[p.segment]
	if s.lex.Key(p.row) != index.ContentKey(d.ID, chunk.N, chunk.Text) || s.lex.Language(p.row) != h.language ||
		!s.lex.Modified(p.row).Equal(d.Modified) {
		c.problem("document %q: chunk %d has the postings of another text", d.ID, chunk.N)
	}
	if s.vec != nil {
		c.Vectors++
		if flat.Dot(s.vec.Row(p.row), s.vec.Row(p.row)) == 0 {
			c.problem("document %q: chunk %d has no vector", d.ID, chunk.N)
		}
	}
	return s.lex.Lengths(p.row)
}

// checkLeftovers looks for texts and heads that no document owns.
func (c *checker) checkLeftovers(ctx context.Context) error {
	heads := 0
	for _, g := range c.active.others {
		if g.meta.ID != 0 {
			heads += g.documents()
		}
	}
	if c.active.meta.ID != 0 {
		heads += c.active.documents()
	}
	err := scan(ctx, c.active.snapshot, []byte{headPrefix}, after([]byte{headPrefix}), func([]byte, []byte) (bool, error) {
		heads--
		return true, nil
	})
	if err != nil {
		return err
	}
	if heads != 0 {
		c.problem("%d heads of documents belong to no generation, or are missing", -heads)
	}
	lower := []byte{chunkPrefix}
	return scan(ctx, c.active.snapshot, lower, after(lower), func(key, _ []byte) (bool, error) {
		c.Chunks++
		if len(key) != 5 || !c.live.Contains(binary.BigEndian.Uint32(key[1:])) {
			c.problem("text %x belongs to no document", key[1:])
		}
		return true, nil
	})
}

// checkVersions reads all earlier versions: each is of a document that is
// there, and stands once.
func (c *checker) checkVersions(ctx context.Context) error {
	lower, stands := []byte{versionPrefix}, map[string]bool{}
	return scan(ctx, c.active.snapshot, lower, after(lower), func(key, value []byte) (bool, error) {
		c.Versions++
		v, _, err := decodeVersion(key, value)
		if errors.Is(err, errTruth) {
			c.problem("a version: %v", err)
			return true, nil
		}
		_, err = headOf(ctx, c.active.snapshot, v.Document.ID)
		name := fmt.Sprintf("version %s of %q", v.Document.Version, v.Document.ID)
		switch {
		case errors.Is(err, index.ErrNotFound):
			c.problem("%s belongs to no document", name)
			return true, nil
		case stands[name]:
			c.problem("%s stands twice", name)
		}
		stands[name] = true
		return true, err
	})
}

// checkPins: what is pinned is there.
func (c *checker) checkPins(ctx context.Context) error {
	lower := []byte{pinPrefix}
	return scan(ctx, c.active.snapshot, lower, after(lower), func(key, value []byte) (bool, error) {
		const head = 1 + 4
		n := 0
		if len(key) >= head {
			n = int(binary.BigEndian.Uint32(key[1:head]))
		}
		if _, err := unseal(key, value); err != nil || len(key) < head+n {
			c.problem("a pin: %x is damaged", key)
			return true, nil
		}
		id, version := corpora.DocID(key[head:head+n]), string(key[head+n:])
		_, now, err := getDocument(c.active.snapshot, id)
		if err != nil && !errors.Is(err, index.ErrNotFound) {
			return false, err
		}
		kept, err := scanVersions(ctx, c.active.snapshot, id)
		if err == nil && now.Version != version && !slices.ContainsFunc(kept, func(v keptVersion) bool { return v.Document.Version == version }) {
			c.problem("version %s of %q is pinned, and is not there", version, id)
		}
		return err == nil, err
	})
}

// checkClasses compares the classes in memory with those of the documents.
func (c *checker) checkClasses(context.Context) error {
	for _, id := range slices.Sorted(maps.Keys(c.classes)) {
		want, got := c.classes[id], c.state.classes.get(id)
		switch {
		case want.documents == 0 && c.beside():
		case want.documents == 0:
			c.problem("ACL class %d has no document", id)
		case got == nil:
			c.problem("ACL class %d is not in memory", id)
		case !got.live.Equals(want.live) || got.documents != want.documents || got.title != want.title || got.body != want.body ||
			got.list.Key() != want.list.Key() || !maps.Equal(got.languages, want.languages):
			c.problem("ACL class %d in memory is not what its documents say", id)
		}
	}
	for id, class := range c.state.classes.all() {
		if c.classes[id] == nil && !(c.beside() && class.documents == 0) {
			c.problem("ACL class %d is not in the truth store", id)
		}
	}
	return nil
}
