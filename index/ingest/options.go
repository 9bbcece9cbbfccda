package ingest

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"time"

	"ken/corpora"
	"ken/corpora/extract"
	"ken/embed"
	"ken/index/chunk"
)

// Extractor turns the bytes of a document into text; *extract.Mux is one.
type Extractor interface {
	Extract(ctx context.Context, in extract.Input) (extract.Text, error)
}

// Options of a run. Store, Embedder and Extract are needed. The embedder is
// asked for several batches at once.
type Options struct {
	Store    Store
	Embedder embed.Embedder
	Extract  Extractor
	Chunk    chunk.Options

	// Erased tells that a document was erased and is not to come back; nil: none was.
	Erased func(corpora.DocID) bool

	// Expired tells that a document was kept long enough; nil: none was.
	Expired func(corpora.Document) bool

	// Keep leaves an indexed document as it is when what the source has in its place
	// is refused. It is for whoever takes that back; else the document is closed.
	Keep bool

	BatchDocuments int              // documents in one commit; 0 is 100
	BatchInterval  time.Duration    // oldest document of a batch waits no longer; 0 is 60 s
	Workers        int              // documents that are loaded at once; 0 is one per processor
	Progress       func(Progress)   // told after each document, from one goroutine; nil is nobody
	Logger         *slog.Logger     // nil is silent
	Clock          func() time.Time // nil is time.Now
}

// WithDefaults fills in the zero values.
func (o Options) WithDefaults() Options {
	if o.BatchDocuments == 0 {
		o.BatchDocuments = 100
	}
	if o.BatchInterval == 0 {
		o.BatchInterval = time.Minute
	}
	if o.Workers == 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.Expired == nil {
		o.Expired = func(corpora.Document) bool { return false }
	}
	if o.Erased == nil {
		o.Erased = func(corpora.DocID) bool { return false }
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	return o
}

func (o Options) validate() error {
	if o.Store == nil || o.Embedder == nil || o.Extract == nil {
		return errors.New("a store, an embedder and an extractor are needed")
	}
	if o.BatchDocuments < 0 || o.BatchInterval < 0 || o.Workers < 0 {
		return errors.New("a limit is negative")
	}
	return nil
}
