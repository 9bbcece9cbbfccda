package indextest

import (
	"context"
	"iter"
	"time"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/embed"
	"ken/index"
)

// Embedder makes the vectors of chunks, one per chunk, in order.
type Embedder = func(context.Context, []index.Chunk) ([]embed.Vector, error)

// Store is a back end as the suite uses it: what the pipeline writes to and
// retrieval reads from.
type Store interface {
	Replace(ctx context.Context, entries ...index.Entry) error
	Vectors(ctx context.Context, d corpora.Document, chunks []index.Chunk) ([]embed.Vector, error)
	Update(ctx context.Context, docs ...corpora.Document) error
	SetACL(ctx context.Context, id corpora.DocID, l acl.List) error
	Delete(ctx context.Context, ids ...corpora.DocID) error
	Documents(ctx context.Context, source string) iter.Seq2[corpora.Document, error]
	Model() embed.Model
	Reembed(ctx context.Context, m embed.Model, embed func(context.Context, []index.Chunk) ([]embed.Vector, error)) error
	View(ctx context.Context, p acl.Principal, at time.Time) (index.View, error)
	Close() error
}

// Reopener is a store that can be closed and opened again. The suite does so
// between operations if it can.
type Reopener interface {
	Reopen() error
}

// Checker is a store that can verify its own files. The suite asks it after
// every run of operations.
type Checker interface {
	Problems(ctx context.Context) ([]string, error)
}
