package main

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"ken/cmd/ken/internal/config"
	"ken/cmd/ken/internal/wire"
	"ken/corpora"
	"ken/corpora/acl"
	"ken/corpora/policy"
	"ken/corpora/protect"
	"ken/corpora/protect/guard"
	"ken/embed"
	"ken/index"
	"ken/index/archive"
	"ken/index/embedded"
	"ken/internal/atomicfile"
)

func (p *program) exportCommand() *cobra.Command {
	var source string
	var noVectors bool
	cmd := &cobra.Command{
		Use:   "export FILE",
		Short: "Write everything to a file: documents, permissions, chunks, vectors",
		Long: `Write the knowledge base, or one source of it, as lines of JSON (gzip if FILE ends
in .gz; - is standard output). Nothing in it tells the time of the export, so equal
knowledge bases give equal files. The file holds every document, whoever may read it:
it is made for the owner of the data directory alone.`,
		Example: `  ken export kb.jsonl.gz
  ken export --source handbook --no-vectors - | jq .document.id`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.export(cmd.Context(), args[0], source, noVectors)
		},
	}
	cmd.Flags().StringVar(&source, "source", "", "only this source")
	cmd.Flags().BoolVar(&noVectors, "no-vectors", false, "leave out the vectors; import then embeds anew")
	return cmd
}

func (p *program) export(ctx context.Context, file, source string, noVectors bool) (err error) {
	dir, err := p.existingDir()
	if err != nil {
		return err
	}
	store, err := p.openStore(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.closeStore(store)) }()
	if file == "-" {
		_, err := writeArchive(ctx, p.stdout, store, source, noVectors)
		return err
	}
	path := p.path(file)
	var counts archive.Counts
	err = atomicfile.WriteFrom(path, func(w io.Writer) (err error) {
		counts, err = writeBuffered(ctx, w, store, source, noVectors, strings.HasSuffix(path, ".gz"))
		return err
	})
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	fmt.Fprintf(p.stdout, "%d documents, %d chunks, %d erased ids\n", counts.Documents, counts.Chunks, counts.Erased)
	return nil
}

func writeBuffered(ctx context.Context, w io.Writer, store *embedded.Store, source string, noVectors, zip bool) (counts archive.Counts, err error) {
	buffered := bufio.NewWriterSize(w, 1<<20)
	var out io.Writer = buffered
	end := func() error { return nil }
	if zip {
		z := gzip.NewWriter(buffered)
		out, end = z, z.Close
	}
	if counts, err = writeArchive(ctx, out, store, source, noVectors); err != nil {
		return counts, err
	}
	if err := end(); err != nil {
		return counts, err
	}
	return counts, buffered.Flush()
}

func writeArchive(ctx context.Context, out io.Writer, store *embedded.Store, source string, noVectors bool) (archive.Counts, error) {
	model := store.Model()
	if noVectors {
		model = embed.Model{}
	}
	w, err := archive.NewWriter(out, model)
	if err != nil {
		return archive.Counts{}, err
	}
	for hash, err := range store.Erased(ctx) {
		if err == nil {
			err = w.Erased(hash)
		}
		if err != nil {
			return archive.Counts{}, err
		}
	}
	for e, err := range store.Entries(ctx, source) {
		if err == nil {
			err = w.Entry(e)
		}
		if err != nil {
			return archive.Counts{}, err
		}
	}
	return w.Close()
}

type importOptions struct {
	withPermissions bool
	embedder        config.Embedder
}

func (p *program) importCommand() *cobra.Command {
	var o importOptions
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Take in a file that ken export wrote",
		Long: `Take in the documents of an export, in place of those with their ids. The whole
file is checked before anything is changed. What was erased, here or where the file
comes from, stays erased; what was removed or kept long enough stays out, and so
does a document with values that protect.yaml takes out: ingest its source.

Permissions may have changed since the export, so nobody may read an imported
document until its source is ingested again. With --with-permissions the lists in the
file are taken for those of today, and what was said here with ken acl goes over them.

Vectors are kept if they are of this index's model, and made anew otherwise.`,
		Example: `  ken import kb.jsonl.gz
  ken import --with-permissions kb.jsonl.gz`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return p.importFile(cmd.Context(), args[0], o) },
	}
	cmd.Flags().BoolVar(&o.withPermissions, "with-permissions", false, "the lists in the file are still right")
	embedderFlags(cmd, &o.embedder)
	return cmd
}

func (p *program) importFile(ctx context.Context, file string, o importOptions) (err error) {
	path := p.path(file)
	var model embed.Model
	look := archive.Handler{Model: func(m embed.Model) error { model = m; return nil }}
	if _, err := readArchive(ctx, path, look); err != nil {
		return fmt.Errorf("nothing was imported: %w", err)
	}
	kb, err := p.openForImport(ctx, o.embedder)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, kb.Close()) }()
	im := &importer{kb: kb, keep: model.Hash == kb.Embedder.Model().Hash, open: o.withPermissions, erased: map[string]bool{}, keptOut: map[string]int{}}
	if err := errors.Join(p.importRules(ctx, im), im.begin(ctx)); err != nil {
		return err
	}
	counts, err := readArchive(ctx, path, archive.Handler{
		Erased: func(hash string) error { im.erased[hash] = true; im.hashes = append(im.hashes, hash); return nil },
		Entry:  func(e index.Entry) error { return im.add(ctx, e) },
	})
	if err = errors.Join(err, im.flush(ctx)); err != nil {
		return fmt.Errorf("import: %w", err)
	}
	fmt.Fprintf(p.stdout, "%d documents, %d chunks imported, %d kept out\n", im.documents, im.chunks, counts.Documents-im.documents)
	for _, reason := range slices.Sorted(maps.Keys(im.keptOut)) {
		fmt.Fprintf(p.stdout, "  %d %s\n", im.keptOut[reason], reason)
	}
	if !o.withPermissions {
		fmt.Fprintln(p.stdout, "Nobody may read them until their source is ingested again.")
	}
	return nil
}

// openForImport opens the knowledge base, made if need be, to write.
func (p *program) openForImport(ctx context.Context, flags config.Embedder) (*wire.Base, error) {
	dir, err := p.dataDir()
	if err != nil {
		return nil, err
	}
	settings, err := config.Load(dir)
	if err != nil {
		return nil, err
	}
	return p.openWith(ctx, dir, settings, flags)
}

// readArchive reads a file that may be compressed.
func readArchive(ctx context.Context, path string, h archive.Handler) (archive.Counts, error) {
	f, err := os.Open(path)
	if err != nil {
		return archive.Counts{}, err
	}
	defer f.Close()
	in := bufio.NewReaderSize(f, 1<<20)
	magic, err := in.Peek(2)
	if err != nil || magic[0] != 0x1f || magic[1] != 0x8b {
		return archive.Read(ctx, in, h)
	}
	z, err := gzip.NewReader(in)
	if err != nil {
		return archive.Counts{}, fmt.Errorf("%w: %w", archive.ErrMalformed, err)
	}
	return archive.Read(ctx, z, h)
}

// importer writes entries in batches.
type importer struct {
	kb      *wire.Base
	keep    bool // the vectors are of the store's model
	open    bool // the lists are of today
	book    *policy.Book
	expired func(corpora.Document) bool
	protect *protect.Protector
	erased  map[string]bool
	hashes  []string // of the archive, still to be erased here
	batch   []index.Entry

	documents, chunks int
	keptOut           map[string]int // documents by reason
}

// importRules gives an import what the data directory says of all documents.
func (p *program) importRules(ctx context.Context, im *importer) (err error) {
	if im.book, err = p.overrides(); err != nil {
		return err
	}
	if im.expired, err = p.expired(); err != nil {
		return err
	}
	rules, err := p.protectRules()
	if err != nil {
		return err
	}
	im.protect, err = p.protector(ctx, rules)
	return err
}

// importBatch is how many documents are one commit.
const importBatch = 100

// begin makes the store's model the embedder's, and learns what was erased here.
func (im *importer) begin(ctx context.Context) error {
	for hash, err := range im.kb.Store.Erased(ctx) {
		if err != nil {
			return err
		}
		im.erased[hash] = true
	}
	if m := im.kb.Store.Model(); m.Dim == 0 {
		return im.kb.Store.Reembed(ctx, im.kb.Embedder.Model(), func(context.Context, []index.Chunk) ([]embed.Vector, error) {
			return nil, errors.New("the index has chunks and no model")
		})
	} else if m.Hash != im.kb.Embedder.Model().Hash {
		return fmt.Errorf("the index has vectors of %s and the embedder is %s: run ken ingest first", m.Name, im.kb.Embedder.Model().Name)
	}
	return nil
}

// refuses says why an entry stays out; "" if it does not.
func (im *importer) refuses(e index.Entry) string {
	switch {
	case im.erased[embedded.ErasedHash(e.Document.ID)]:
		return "erased"
	case im.expired(e.Document):
		return "kept as long as retention.yaml says"
	case !clean(e, im.protect):
		return "with values that protect.yaml takes out: ingest their source"
	}
	return ""
}

func (im *importer) add(ctx context.Context, e index.Entry) error {
	if reason := im.refuses(e); reason != "" {
		im.keptOut[reason]++
		return nil
	}
	e.Document.Stamp = "" // the next ingest reads the document, and its permissions, again
	if !im.open {
		e.Document.ACL = acl.List{}
	}
	im.batch = append(im.batch, e)
	if len(im.batch) < importBatch {
		return nil
	}
	return im.flush(ctx)
}

func (im *importer) flush(ctx context.Context) error {
	if len(im.hashes) > 0 {
		if err := im.kb.Store.EraseHashes(ctx, im.hashes...); err != nil {
			return err
		}
		im.hashes = nil
	}
	if !im.keep {
		if err := im.embed(ctx); err != nil {
			return err
		}
	}
	defer func() { im.batch = nil }()
	return im.book.Do(func(pages *policy.Pages) error {
		entries := im.under(pages)
		return im.kb.Store.Replace(ctx, entries...)
	})
}

// clean reports whether an entry holds no value that is protected here.
func clean(e index.Entry, by *protect.Protector) bool {
	if by == nil {
		return true
	}
	var text strings.Builder
	var lines []string
	for _, c := range e.Chunks {
		text.WriteString(c.Text)
		lines = append(append(lines, c.Heading...), c.Context)
	}
	return guard.Clean(e.Document, text.String(), lines, by)
}

// under puts what was said by hand over the batch.
func (im *importer) under(pages *policy.Pages) (kept []index.Entry) {
	for _, e := range im.batch {
		said, _ := pages.Of(e.Document.ID)
		if im.open {
			e.Document.ACL = said.Apply(e.Document.ACL)
		}
		im.documents++
		im.chunks += len(e.Chunks)
		kept = append(kept, e)
	}
	return kept
}

// embed makes the vectors of the batch.
func (im *importer) embed(ctx context.Context) error {
	var texts []string
	for _, e := range im.batch {
		for _, c := range e.Chunks {
			texts = append(texts, index.EmbedText(e.Document, c))
		}
	}
	if len(texts) == 0 {
		return nil
	}
	vectors, err := im.kb.Embedder.Embed(ctx, embed.Passage, texts)
	if err == nil {
		err = embed.Check(vectors, len(texts), im.kb.Embedder.Model().Dim)
	}
	if err != nil {
		return err
	}
	for i, e := range im.batch {
		n := len(e.Chunks)
		im.batch[i].Vectors, vectors = vectors[:n:n], vectors[n:]
	}
	return nil
}
