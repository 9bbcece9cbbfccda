package ingest

import (
	"context"
	"iter"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/embed"
	"ken/index"
)

// Store is what the pipeline needs of an index. Each call is atomic: when it
// returns nil, all of it is durable and visible to the next search; with an
// error, none of it ever will be.
type Store interface {
	// Replace stores the entries, each in place of the document with its id,
	// whose old chunks are gone. The vectors must be of the store's model.
	Replace(ctx context.Context, entries ...index.Entry) error
	// Vectors returns the stored vectors of those of the chunks whose EmbedText
	// stands in the stored document with d's id too, one per chunk, nil for the
	// others. The pipeline asks so that nothing is embedded twice.
	Vectors(ctx context.Context, d corpora.Document, chunks []index.Chunk) ([]embed.Vector, error)
	// Update changes a document's metadata, stamp and ACL and leaves its chunks;
	// unknown ids are index.ErrNotFound. What ranks or filters (title,
	// language, tags, path, class, modified) may only change through Replace.
	Update(ctx context.Context, docs ...corpora.Document) error
	// SetACL changes who may read the document, and nothing else.
	SetACL(ctx context.Context, id corpora.DocID, l acl.List) error
	// Delete removes the documents; ids that are not there are ignored.
	Delete(ctx context.Context, ids ...corpora.DocID) error
	// Documents tells the metadata of all documents of a source ("" is every
	// source), ACL and stamp included, for operators and the pipeline.
	Documents(ctx context.Context, source string) iter.Seq2[corpora.Document, error]

	// Model returns the model of the stored vectors; Dim is 0 in a new store.
	Model() embed.Model
	// Reembed replaces every vector with one of the model, made by embed from
	// the chunks' texts, and makes m the store's model, all in one step that is visible at its end.
	Reembed(ctx context.Context, m embed.Model, embed func(context.Context, []index.Chunk) ([]embed.Vector, error)) error
}
