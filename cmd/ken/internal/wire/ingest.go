package wire

import (
	"context"
	"log/slog"

	"ken/corpora"
	"ken/corpora/protect"
	"ken/corpora/protect/guard"
	"ken/embed"
	"ken/index/embedded"
	"ken/index/ingest"
)

// IngestOptions are what a command may say about a run.
type IngestOptions struct {
	Batch    int // documents in one commit; 0 is the pipeline's default
	Progress func(ingest.Progress)
	Protect  *protect.Protector // takes values out of texts; the source is protected by the caller. nil: none
	Logger   *slog.Logger
	Expired  func(corpora.Document) bool // documents that were kept long enough; nil: none
	Keep     bool                        // what is refused leaves what is there
	Through  ingest.Store                // what the pipeline writes to, in place of the store itself; nil: the store
}

// Ingest brings the store up to date with the source. What was erased stays out.
func Ingest(ctx context.Context, store *embedded.Store, e embed.Embedder, o IngestOptions, source corpora.Source) (ingest.Summary, error) {
	made, err := activeMaking(store)
	if err != nil {
		return ingest.Summary{}, err
	}
	erased := map[string]bool{}
	for hash, err := range store.Erased(ctx) {
		if err != nil {
			return ingest.Summary{}, err
		}
		erased[hash] = true
	}
	if o.Through == nil {
		o.Through = store
	}
	return ingest.Run(ctx, ingest.Options{
		Store: o.Through, Embedder: e, Extract: guard.Extractor(Formats(), o.Protect), Chunk: made.Chunk,
		Expired:        o.Expired,
		Keep:           o.Keep,
		Erased:         func(id corpora.DocID) bool { return erased[embedded.ErasedHash(id)] },
		BatchDocuments: o.Batch, Progress: o.Progress, Logger: o.Logger,
	}, source)
}

// IngestMade fills a store as a generation is made.
func IngestMade(ctx context.Context, store ingest.Store, e embed.Embedder, m Making, source corpora.Source) (ingest.Summary, error) {
	return ingest.Run(ctx, ingest.Options{Store: store, Embedder: e, Extract: Formats(), Chunk: m.Chunk}, source)
}
