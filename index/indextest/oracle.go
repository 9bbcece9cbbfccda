package indextest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/embed"
	"ken/index"
	"ken/index/analyze"
)

// Oracle is a store that is right because it is simple: a map of documents, and
// views that hold a copy of it.
type Oracle struct {
	mu     sync.Mutex
	model  embed.Model
	docs   map[corpora.DocID]stored
	nextID index.ChunkID
}

// NewOracle returns an empty store.
func NewOracle() *Oracle { return &Oracle{docs: map[corpora.DocID]stored{}} }

// stored is a document with its chunks. It never changes.
type stored struct {
	document corpora.Document
	chunks   []storedChunk
}

type storedChunk struct {
	index.Chunk
	key         index.Key
	title, body []analyze.Token   // without stop words
	fields      [][]analyze.Token // with them: each line of the title, each paragraph of the body
	vector      embed.Vector
}

// Replace stores the entries.
func (o *Oracle) Replace(ctx context.Context, entries ...index.Entry) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, e := range entries {
		if err := o.check(e.Vectors, len(e.Chunks), o.model); err != nil {
			return err
		}
	}
	next := maps.Clone(o.docs)
	for _, e := range entries {
		next[e.Document.ID] = o.store(e)
	}
	o.docs = next
	return nil
}

func (o *Oracle) check(vs []embed.Vector, n int, m embed.Model) error {
	want := n
	if m.Dim == 0 {
		want = 0
	}
	if len(vs) != want {
		return fmt.Errorf("%w: %d vectors for %d chunks", index.ErrModel, len(vs), n)
	}
	for _, v := range vs {
		if len(v) != m.Dim {
			return index.ErrModel
		}
	}
	return nil
}

func (o *Oracle) store(e index.Entry) stored {
	s := stored{document: e.Document}
	for i, c := range e.Chunks {
		o.nextID++
		c.ID = o.nextID
		sc := storedChunk{Chunk: c, key: index.ContentKey(c.Doc, c.N, c.Text)}
		for line := range strings.SplitSeq(index.TitleText(e.Document, c), "\n") {
			sc.fields = append(sc.fields, analyze.Tokens(language(e.Document), line))
		}
		sc.title = terms(sc.fields)
		for paragraph := range strings.SplitSeq(index.BodyText(c), "\n\n") {
			sc.fields = append(sc.fields, analyze.Tokens(language(e.Document), paragraph))
		}
		sc.body = analyze.Tokens(language(e.Document), index.BodyText(c))
		sc.body = terms([][]analyze.Token{sc.body})
		if len(e.Vectors) > 0 {
			sc.vector = e.Vectors[i]
		}
		s.chunks = append(s.chunks, sc)
	}
	return s
}

func terms(fields [][]analyze.Token) (out []analyze.Token) {
	for _, f := range fields {
		for _, t := range f {
			if t.Term != "" {
				out = append(out, t)
			}
		}
	}
	return out
}

func language(d corpora.Document) string {
	if d.Language == "" {
		return analyze.Und
	}
	return d.Language
}

// Vectors returns the vectors of chunks that read as they did.
func (o *Oracle) Vectors(_ context.Context, d corpora.Document, chunks []index.Chunk) ([]embed.Vector, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	out := make([]embed.Vector, len(chunks))
	old := o.docs[d.ID]
	for i, c := range chunks {
		for _, was := range old.chunks {
			if index.EmbedText(old.document, was.Chunk) == index.EmbedText(d, c) {
				out[i] = slices.Clone(was.vector)
			}
		}
	}
	return out, nil
}

// Update changes metadata that neither ranks nor filters.
func (o *Oracle) Update(_ context.Context, docs ...corpora.Document) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	next := maps.Clone(o.docs)
	for _, d := range docs {
		s, ok := next[d.ID]
		if !ok {
			return index.ErrNotFound
		}
		if old := s.document; old.Title != d.Title || language(old) != language(d) || old.Source != d.Source || old.Path != d.Path || old.Class != d.Class ||
			old.MediaType != d.MediaType || !slices.Equal(old.Tags, d.Tags) || !old.Modified.Equal(d.Modified) {
			return errors.New("this can change by Replace only")
		}
		s.document = d
		next[d.ID] = s
	}
	o.docs = next
	return nil
}

// SetACL changes who may read the document.
func (o *Oracle) SetACL(_ context.Context, id corpora.DocID, l acl.List) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	s, ok := o.docs[id]
	if !ok {
		return index.ErrNotFound
	}
	s.document.ACL = l
	o.docs = maps.Clone(o.docs)
	o.docs[id] = s
	return nil
}

// Delete removes the documents.
func (o *Oracle) Delete(_ context.Context, ids ...corpora.DocID) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.docs = maps.Clone(o.docs)
	for _, id := range ids {
		delete(o.docs, id)
	}
	return nil
}

// Documents tells all documents of a source, in order of their ids.
func (o *Oracle) Documents(_ context.Context, source string) iter.Seq2[corpora.Document, error] {
	o.mu.Lock()
	docs := o.docs
	o.mu.Unlock()
	return func(yield func(corpora.Document, error) bool) {
		for _, id := range slices.Sorted(maps.Keys(docs)) {
			if d := docs[id].document; (source == "" || d.Source == source) && !yield(d, nil) {
				return
			}
		}
	}
}

// Model returns the model of the vectors.
func (o *Oracle) Model() embed.Model {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.model
}

// Reembed replaces every vector.
func (o *Oracle) Reembed(ctx context.Context, m embed.Model, embed func(context.Context, []index.Chunk) ([]embed.Vector, error)) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	next := map[corpora.DocID]stored{}
	for id, s := range o.docs {
		chunks := make([]index.Chunk, len(s.chunks))
		for i, c := range s.chunks {
			chunks[i] = c.Chunk
		}
		if len(chunks) == 0 {
			next[id] = s
			continue
		}
		vectors, err := embed(ctx, chunks)
		if err == nil {
			err = o.check(vectors, len(chunks), m)
		}
		if err != nil {
			return err
		}
		s.chunks = slices.Clone(s.chunks)
		for i := range s.chunks {
			s.chunks[i].vector = vectors[i]
		}
		next[id] = s
	}
	o.docs, o.model = next, m
	return nil
}

// View copies what the principal may read.
func (o *Oracle) View(_ context.Context, p acl.Principal, at time.Time) (index.View, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	v := &oracleView{model: o.model}
	for _, id := range slices.Sorted(maps.Keys(o.docs)) {
		if o.docs[id].document.ACL.Admits(p, at) {
			v.docs = append(v.docs, o.docs[id])
		}
	}
	return v, nil
}

// Close does nothing.
func (o *Oracle) Close() error { return nil }

// readable returns, as entries, what the principal may read.
func (o *Oracle) readable(p acl.Principal, at time.Time) iter.Seq[index.Entry] {
	return func(yield func(index.Entry) bool) {
		for _, id := range slices.Sorted(maps.Keys(o.docs)) {
			s := o.docs[id]
			if !s.document.ACL.Admits(p, at) {
				continue
			}
			e := index.Entry{Document: s.document}
			for _, c := range s.chunks {
				e.Chunks, e.Vectors = append(e.Chunks, c.Chunk), append(e.Vectors, c.vector)
			}
			if !yield(e) {
				return
			}
		}
	}
}
