package wire

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/cockroachdb/pebble/v2/vfs"

	"ken/cmd/ken/internal/config"
	"ken/corpora/extract"
	"ken/embed"
	"ken/embed/hashed"
	"ken/embed/openai"
	"ken/index/embedded"
	"ken/retrieval"
	"ken/retrieval/rerank"
)

// Base is an open knowledge base.
type Base struct {
	*retrieval.Searcher
	Store    *embedded.Store
	Embedder embed.Embedder // nil if it cannot be reached; EmbedderErr says why
	// EmbedderErr is why there is no embedder. Searches then answer from words
	// alone and say so.
	EmbedderErr error
	Making      Making // how the active generation was made when the base was opened

	shared    bool // the store is another's to close
	embedders *embedders
	meter     *Meter
}

// Close closes the store, unless it was opened by somebody else.
func (b *Base) Close() error {
	if b.shared {
		return nil
	}
	return b.Store.Close()
}

// Share returns a base on the same store and embedder that searches with other
// options. Its Close leaves the store open.
func (b *Base) Share(o Options) (*Base, error) {
	if o.Write && b.EmbedderErr != nil {
		return nil, fmt.Errorf("the embedder cannot be used: %w", b.EmbedderErr)
	}
	out := *b
	out.shared = true
	if e := b.embedders.of(b.Store.Model()); e != nil { // another generation was promoted since
		out.Embedder = e
	}
	var err error
	if out.Making, err = activeMaking(b.Store); err != nil {
		return nil, err
	}
	if out.Making.Embedder == (config.Embedder{}) {
		out.Making = b.Making
	}
	out.Searcher, err = searcher(b.Store, out.Embedder, b.embedders, o)
	return &out, err
}

func searcher(store *embedded.Store, e embed.Embedder, others *embedders, o Options) (*retrieval.Searcher, error) {
	ro, err := Retrieval(e, o)
	if err != nil {
		return nil, err
	}
	ro.Embedders = others.of
	return retrieval.New(store, ro)
}

// Options say how a knowledge base is opened.
type Options struct {
	Dir      string // data directory
	Memory   bool   // keep everything in memory; Dir is not used
	Remember int64  // bytes that the index may remember; see embedded.Options.Memory
	Process  string // who holds the directory, for others to read
	Getenv   config.Getenv
	Settings config.Settings
	Params   retrieval.Params // zero: the defaults
	Reranker config.Reranker
	Vectors  string // vector leg: "" or "flat", "chromem"
	Write    bool   // an embedder that cannot be used is an error, and nothing is made
	Logger   *slog.Logger
}

// Open opens a knowledge base. An embedder that cannot be reached is no error:
// the base searches by words and says that it lacks vectors.
func Open(ctx context.Context, o Options) (*Base, error) {
	if err := checkKind(o.Settings.Embedder); err != nil {
		return nil, err
	}
	so := embedded.Options{Process: o.Process, Logger: o.Logger, Vectors: o.Vectors, Memory: o.Remember}
	dir := IndexDir(o.Dir)
	if o.Memory {
		so.FS, dir = vfs.NewMem(), "index"
	}
	if err := o.beforeMaking(ctx, dir); err != nil {
		return nil, err
	}
	store, err := embedded.Open(dir, so)
	if err != nil {
		return nil, err
	}
	b, err := open(ctx, store, o)
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return b, nil
}

// beforeMaking refuses to make an index for an embedder that cannot be used.
func (o Options) beforeMaking(ctx context.Context, dir string) error {
	if _, err := os.Stat(dir); err == nil || !o.Write || o.Memory {
		return nil
	}
	if _, err := Embedder(ctx, o.Settings.Embedder, o.Getenv(config.EmbedKeyVar)); err != nil {
		return fmt.Errorf("the embedder cannot be used: %w", err)
	}
	return nil
}

// open makes the base of an open store. How the active generation is made stands
// with it; the settings are of a store that has never had another.
func open(ctx context.Context, store *embedded.Store, o Options) (*Base, error) {
	store.KeepVersions(o.Settings.KeepVersions)
	making, err := activeMaking(store)
	if err != nil {
		return nil, err
	}
	if making.Embedder == (config.Embedder{}) {
		making.Embedder = o.Settings.Embedder
	}
	e, embedErr := Embedder(ctx, making.Embedder, o.Getenv(config.EmbedKeyVar))
	if embedErr != nil && o.Write {
		return nil, fmt.Errorf("the embedder cannot be used: %w", embedErr)
	}
	b := &Base{Store: store, Embedder: e, EmbedderErr: embedErr, Making: making, embedders: &embedders{}, meter: &Meter{}}
	if e != nil {
		b.embedders.add(e)
	}
	if err := b.keepGenerations(ctx, o); err != nil {
		return nil, err
	}
	b.Searcher, err = searcher(store, e, b.embedders, o)
	return b, err
}

// Retrieval returns the options of a search with this embedder.
func Retrieval(e embed.Embedder, o Options) (retrieval.Options, error) {
	out := retrieval.Options{Embedder: e, Params: o.Params, Logger: o.Logger}
	if o.Reranker == (config.Reranker{}) {
		return out, nil
	}
	client, err := rerank.New(rerank.Options{
		URL: o.Reranker.URL, Model: o.Reranker.Model, Shape: rerank.Shape(o.Reranker.Shape), Key: o.Getenv(config.RerankKeyVar),
	})
	if err != nil {
		return out, err
	}
	out.Reranker = client
	return out, nil
}

// IndexDir returns where the index lies in a data directory.
func IndexDir(dataDir string) string { return filepath.Join(dataDir, "index") }

var errKind = errors.New("unknown kind of embedder")

func checkKind(c config.Embedder) error {
	if c.Kind != "hashed" && c.Kind != "openai" {
		return fmt.Errorf("%w %q: there are hashed and openai", errKind, c.Kind)
	}
	return nil
}

// Embedder returns the configured embedder. A new kind is a new case, here and in
// checkKind.
func Embedder(ctx context.Context, c config.Embedder, key string) (embed.Embedder, error) {
	switch c.Kind {
	case "hashed":
		e, err := hashed.New(hashed.Options{Dim: c.Dim})
		if err != nil {
			return nil, err // not e: a nil *hashed.Embedder is no nil Embedder
		}
		return e, nil
	case "openai":
		e, err := openai.New(ctx, openai.Options{
			BaseURL: c.URL, Key: key, Model: c.Model, Dimensions: c.Dim,
			Azure: c.Azure, APIVersion: c.APIVersion,
			QueryPrefix: c.QueryPrefix, PassagePrefix: c.PassagePrefix, Fuse: c.Fuse,
		})
		if err != nil {
			return nil, err // not e, as above
		}
		return e, nil
	}
	return nil, checkKind(c)
}

// Formats returns the extractors. What they keep between processes, which holds
// nothing of any document, lies in the user's cache.
func Formats() *extract.Mux {
	o := extract.Options{}
	if dir, err := os.UserCacheDir(); err == nil {
		o.Cache = filepath.Join(dir, "ken", "pdf")
	}
	return extract.New(o)
}
