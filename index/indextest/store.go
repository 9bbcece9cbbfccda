package indextest

import (
	"context"
	"time"

	"ken/corpora/acl"
	"ken/embed"
	"ken/index"
	"ken/index/ingest"
)

// Embedder makes the vectors of chunks, one per chunk, in order.
type Embedder = func(context.Context, []index.Chunk) ([]embed.Vector, error)

// Store is a back end as the suite uses it: what the pipeline writes to and
// retrieval reads from.
type Store interface {
	ingest.Store
	View(ctx context.Context, p acl.Principal, at time.Time) (index.View, error)
	Close() error
}

// Reopener is a store that can be closed and opened again. The suite does so
// between operations if it can.
type Reopener interface {
	Reopen() error
}

// Crasher is a store that can lose its power and come back with what was synced.
type Crasher interface {
	Crash() error
}

// Merger is a store that can merge its files at once instead of when it sees fit.
type Merger interface {
	Merge(ctx context.Context) error
}

// Checker is a store that can verify its own files. The suite asks it after
// every run of operations.
type Checker interface {
	Problems(ctx context.Context) ([]string, error)
}
