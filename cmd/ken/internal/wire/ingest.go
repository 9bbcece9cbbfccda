package wire

import (
	"context"
	"log/slog"

	"ken/corpora"
	"ken/embed"
	"ken/index/ingest"
)

// IngestOptions are what a command may say about a run.
type IngestOptions struct {
	Batch    int // documents in one commit; 0 is the pipeline's default
	Progress func(ingest.Progress)
	Logger   *slog.Logger
}

// Ingest brings the store up to date with the source.
func Ingest(ctx context.Context, store ingest.Store, e embed.Embedder, o IngestOptions, source corpora.Source) (ingest.Summary, error) {
	made, err := activeMaking(store)
	if err != nil {
		return ingest.Summary{}, err
	}
	return ingest.Run(ctx, ingest.Options{
		Store: store, Embedder: e, Extract: Formats(), Chunk: made.Chunk,
		BatchDocuments: o.Batch, Progress: o.Progress, Logger: o.Logger,
	}, source)
}

// IngestMade fills a store as a generation is made.
func IngestMade(ctx context.Context, store ingest.Store, e embed.Embedder, m Making, source corpora.Source) (ingest.Summary, error) {
	return ingest.Run(ctx, ingest.Options{Store: store, Embedder: e, Extract: Formats(), Chunk: m.Chunk}, source)
}
