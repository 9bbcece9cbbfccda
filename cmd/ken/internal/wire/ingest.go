package wire

import (
	"context"
	"log/slog"

	"ken/corpora"
	"ken/corpora/protect"
	"ken/corpora/protect/guard"
	"ken/embed"
	"ken/index/ingest"
)

// IngestOptions are what a command may say about a run.
type IngestOptions struct {
	Batch    int // documents in one commit; 0 is the pipeline's default
	Progress func(ingest.Progress)
	Protect  *protect.Protector // takes values out of texts; the source is protected by the caller. nil: none
	Logger   *slog.Logger
}

// Ingest brings the store up to date with the source.
func Ingest(ctx context.Context, store ingest.Store, e embed.Embedder, o IngestOptions, source corpora.Source) (ingest.Summary, error) {
	return ingest.Run(ctx, ingest.Options{
		Store: store, Embedder: e, Extract: guard.Extractor(Formats(), o.Protect),
		BatchDocuments: o.Batch, Progress: o.Progress, Logger: o.Logger,
	}, source)
}
