package wire

import (
	"context"
	"log/slog"

	"ken/corpora"
	"ken/embed"
	"ken/index/embedded"
	"ken/index/ingest"
)

// IngestOptions are what a command may say about a run.
type IngestOptions struct {
	Batch    int // documents in one commit; 0 is the pipeline's default
	Progress func(ingest.Progress)
	Logger   *slog.Logger
}

// Ingest brings the store up to date with the source. What was erased stays out.
func Ingest(ctx context.Context, store *embedded.Store, e embed.Embedder, o IngestOptions, source corpora.Source) (ingest.Summary, error) {
	return run(ctx, store, store, e, o, source)
}

// run reads what was erased from the store and writes to another.
func run(ctx context.Context, store *embedded.Store, to ingest.Store, e embed.Embedder, o IngestOptions, source corpora.Source) (ingest.Summary, error) {
	erased := map[string]bool{}
	for hash, err := range store.Erased(ctx) {
		if err != nil {
			return ingest.Summary{}, err
		}
		erased[hash] = true
	}
	return ingest.Run(ctx, ingest.Options{
		Store: to, Embedder: e, Extract: Formats(),
		Erased:         func(id corpora.DocID) bool { return erased[embedded.ErasedHash(id)] },
		BatchDocuments: o.Batch, Progress: o.Progress, Logger: o.Logger,
	}, source)
}
