package index

import (
	"context"

	"ken/corpora"
	"ken/embed"
)

// View is one immutable snapshot of a store as one principal may see it at one
// instant. Everything a view returns is a function of the documents that the
// principal may read: what the store holds besides leaves no trace in results,
// scores, order or errors. It may be used by several goroutines, and holds resources
// until it is closed.
type View interface {
	// SearchText returns the best k chunks by BM25F with statistics of the
	// readable chunks. Only chunks that hold a term of the query are found.
	SearchText(ctx context.Context, q TextQuery, k int) ([]Hit, error)

	// SearchVector returns the k chunks whose vectors have the highest dot
	// product with v. An error that wraps [ErrModel] says that the store's
	// vectors have another dimension.
	SearchVector(ctx context.Context, v embed.Vector, f Filter, k int) ([]Hit, error)

	// Chunks returns the chunks in the order of ids. It is the gate: no other
	// function returns text of a document. An id that the principal may not
	// read is [ErrNotFound], like one that never was.
	Chunks(ctx context.Context, ids []ChunkID) ([]Chunk, error)

	// Outlines returns, in the order of ids, what ranking needs of chunks, which
	// is less than their text and is had faster. It asks the gate for each, and
	// its errors are those of Chunks. Grams are left out unless asked for.
	Outlines(ctx context.Context, ids []ChunkID, grams bool) ([]Outline, error)

	// Document returns a readable document's metadata, its ACL and Stamp left
	// out, and its chunks in order; or [ErrNotFound].
	Document(ctx context.Context, id corpora.DocID) (corpora.Document, []ChunkID, error)

	// Documents returns up to limit readable documents whose id begins with
	// prefix and is greater than after, in byte order of their ids.
	Documents(ctx context.Context, prefix string, after corpora.DocID, limit int) ([]corpora.Document, error)

	// Languages returns the languages of the readable chunks, sorted.
	Languages() []string

	// Model returns the model that made the vectors; its Dim is 0 while the
	// store has none.
	Model() embed.Model

	Close() error
}
