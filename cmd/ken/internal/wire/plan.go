package wire

import (
	"context"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/embed"
	"ken/index"
	"ken/index/embedded"
	"ken/index/ingest"
)

// Plan goes through a run as [Ingest] does, up to where something would be
// embedded or written, and returns what the run would have told.
func Plan(ctx context.Context, store *embedded.Store, e embed.Embedder, o IngestOptions, source corpora.Source) (ingest.Summary, error) {
	o.Through = unwritten{store}
	return Ingest(ctx, store, unmade{e}, o, source)
}

// unwritten is a store that is read and not written.
type unwritten struct{ ingest.Store }

func (unwritten) Replace(context.Context, ...index.Entry) error         { return nil }
func (unwritten) Update(context.Context, ...corpora.Document) error     { return nil }
func (unwritten) SetACL(context.Context, corpora.DocID, acl.List) error { return nil }
func (unwritten) Delete(context.Context, ...corpora.DocID) error        { return nil }
func (unwritten) Reembed(context.Context, embed.Model, func(context.Context, []index.Chunk) ([]embed.Vector, error)) error {
	return nil
}

// unmade has an embedder's model and makes vectors that nobody will compare.
type unmade struct{ embed.Embedder }

func (u unmade) Embed(_ context.Context, _ embed.Kind, texts []string) ([]embed.Vector, error) {
	out := make([]embed.Vector, len(texts))
	for i := range out {
		out[i] = make(embed.Vector, u.Model().Dim)
		out[i][0] = 1
	}
	return out, nil
}
