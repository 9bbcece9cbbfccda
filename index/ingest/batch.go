package ingest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"ken/corpora"
	"ken/embed"
	"ken/index"
)

// batch is what the next commit will hold.
type batch struct {
	puts    []put
	updates []corpora.Document // metadata of documents whose text is the stored one
}

type put struct {
	document corpora.Document
	chunks   []index.Chunk
	vectors  []embed.Vector // those that the store has; nil where one is to be made
}

// maxBatchChunks bounds what a batch holds in memory: a folder of books has few
// documents and many chunks.
const maxBatchChunks = 10_000

func (b batch) full(documents int) bool {
	chunks := 0
	for _, p := range b.puts {
		chunks += len(p.chunks)
	}
	return len(b.puts)+len(b.updates) >= documents || chunks >= maxBatchChunks
}

func (b *batch) drop(id corpora.DocID) {
	b.puts = slices.DeleteFunc(b.puts, func(p put) bool { return p.document.ID == id })
	b.updates = slices.DeleteFunc(b.updates, func(d corpora.Document) bool { return d.ID == id })
}

func (r *run) flushFull(ctx context.Context) error {
	if !r.batch.full(r.BatchDocuments) {
		return nil
	}
	return r.flush(ctx)
}

// flush sends the batch on its way. Updates need no vectors and are committed
// at once.
func (r *run) flush(ctx context.Context) error {
	b := r.batch
	r.batch = batch{}
	if len(b.updates) > 0 {
		if err := r.Store.Update(ctx, b.updates...); err != nil {
			return err
		}
	}
	if r.down {
		r.sum.Postponed += len(b.puts)
		return nil
	}
	if len(b.puts) == 0 {
		return nil
	}
	for i := range b.puts {
		if err := r.reuse(ctx, &b.puts[i]); err != nil {
			return err
		}
	}
	r.begin(ctx, b.puts)
	return r.land(ctx, maxFlights-1)
}

// maxDown is how many documents in a row the embedder may refuse before it
// counts as down.
const maxDown = 3

// errDown says that the embedder is down. What was committed stays.
var errDown = errors.New("the embedder does not answer; run again when it does")

// fallen notes that the embedder is down. The run goes on without it: grants,
// revokes and deletions need no vectors and must not wait for them.
func (r *run) fallen(cause error) {
	r.down = true
	r.failed = errors.Join(r.failed, fmt.Errorf("%w: %w", errDown, cause))
	r.Logger.Error("the embedder is down: only permissions and deletions are taken in", "error", cause)
}

// flushEach embeds the documents of a refused batch one by one, so that one
// that the embedder cannot take does not keep out the others.
func (r *run) flushEach(ctx context.Context, puts []put, cause error) error {
	for i, p := range puts {
		if err := ctx.Err(); err != nil {
			return err
		}
		vectors, err := []embed.Vector(nil), cause
		if len(puts) > 1 {
			vectors, err = r.embed(ctx, []put{p})
		}
		if err == nil {
			r.refused = 0
			if err := r.replace(ctx, []put{p}, vectors); err != nil {
				return err
			}
			continue
		}
		if r.refused++; r.refused >= maxDown {
			r.fallen(cause)
			r.sum.Postponed += len(puts) - i
			return nil
		}
		r.refuse(p.document.ID, StageEmbed, err, false)
	}
	return nil
}

func (r *run) replace(ctx context.Context, puts []put, vectors []embed.Vector) error {
	entries := make([]index.Entry, len(puts))
	for i, p := range puts {
		n := len(p.chunks)
		entries[i] = index.Entry{Document: p.document, Chunks: p.chunks, Vectors: vectors[:n:n], Model: r.Embedder.Model().Hash}
		vectors = vectors[n:]
	}
	if err := r.Store.Replace(ctx, entries...); err != nil {
		return err
	}
	for _, p := range puts {
		r.count(p)
	}
	return nil
}

func (r *run) count(p put) {
	if r.present[p.document.ID] {
		r.sum.Updated++
	} else {
		r.sum.Added++
	}
	r.present[p.document.ID] = true
	r.sum.Chunks += len(p.chunks)
	for _, c := range p.chunks {
		r.sum.Tokens += c.Tokens
	}
}

// embed returns the vectors of all chunks of the documents, in order. Chunks
// that read as they did before keep the vector that they have.
func (r *run) embed(ctx context.Context, puts []put) ([]embed.Vector, error) {
	var vectors []embed.Vector
	var texts []string
	for _, p := range puts {
		for i, c := range p.chunks {
			if p.vectors[i] == nil {
				texts = append(texts, index.EmbedText(p.document, c))
			}
		}
		vectors = append(vectors, p.vectors...)
	}
	if len(texts) == 0 {
		return vectors, nil
	}
	made, err := r.guarded(ctx, texts)
	if err != nil {
		return nil, err
	}
	for i, v := range vectors {
		if v == nil {
			vectors[i], made = made[0], made[1:]
		}
	}
	return vectors, nil
}

// reuse finds the vectors that the store has for the document's chunks: under its
// id, or under that of a document with the same text, which it may have been.
func (r *run) reuse(ctx context.Context, p *put) (err error) {
	p.vectors = make([]embed.Vector, len(p.chunks))
	if r.present[p.document.ID] {
		p.vectors, err = r.Store.Vectors(ctx, p.document, p.chunks)
	}
	if err != nil || !slices.ContainsFunc(p.vectors, func(v embed.Vector) bool { return v == nil }) {
		return err
	}
	if r.moves == nil {
		r.moves = movesOf(r.known)
	}
	if was, ok := r.moves.from(p.document, p.chunks); ok {
		before := p.document
		before.ID = was
		found, err := r.Store.Vectors(ctx, before, p.chunks)
		for i, v := range found {
			if p.vectors[i] == nil {
				p.vectors[i] = v
			}
		}
		return err
	}
	return nil
}

// useModel makes the embedder's model the store's. If the store has vectors of
// another one, every vector is made anew first. An embedder that cannot do it
// is down: vectors of two models are never mixed.
func (r *run) useModel(ctx context.Context) error {
	model, stored := r.Embedder.Model(), r.Store.Model()
	if stored.Dim != 0 && stored.Hash == model.Hash {
		return nil
	}
	var refused error
	titles := map[corpora.DocID]corpora.Document{}
	for d, err := range r.Store.Documents(ctx, "") {
		if err != nil {
			return fmt.Errorf("read what is indexed: %w", err)
		}
		titles[d.ID] = corpora.Document{Title: d.Title}
	}
	err := r.Store.Reembed(ctx, model, func(ctx context.Context, chunks []index.Chunk) ([]embed.Vector, error) {
		texts := make([]string, len(chunks))
		for i, c := range chunks {
			texts[i] = index.EmbedText(titles[c.Doc], c)
		}
		vectors, err := r.guarded(ctx, texts)
		refused = err
		return vectors, err
	})
	switch {
	case err == nil:
		r.sum.Reembedded = len(titles) > 0
	case ctx.Err() == nil && refused != nil:
		r.fallen(fmt.Errorf("embed everything with the model %s: %w", model.Name, refused))
	default:
		return fmt.Errorf("make %s the model of the index: %w", model.Name, err)
	}
	return nil
}
