package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"ken/cmd/ken/internal/config"
	"ken/cmd/ken/internal/ledger"
	"ken/cmd/ken/internal/wire"
	"ken/corpora/acl"
	"ken/corpora/source/folder"
	"ken/index/ingest"
)

type ingestOptions struct {
	name, owner, json string
	batch             int
	maxBytes          int64
	embedder          config.Embedder
}

func (p *program) ingestCommand() *cobra.Command {
	var o ingestOptions
	cmd := &cobra.Command{
		Use:   "ingest FOLDER",
		Short: "Take in a folder of documents with their permissions",
		Long: `Bring the index up to date with a folder of Markdown, HTML, text, PDF, Word,
PowerPoint, Excel, CSV, JSON, mail, source code and archives. Only what changed is
read and embedded again; what is gone is removed.

Who may read a document is said by FOLDER/.ken/acl.yaml, by the document's front
matter and by a sidecar file NAME.EXT.acl.yaml. A folder without a policy can be
read by whoever ingests it alone. A document whose permissions cannot be
understood is readable by nobody.

The embedder is kept with the index: later runs and searches use it without
being told. Its key comes from $KEN_EMBED_KEY and is not kept.

Exit codes: 0 all went in, 1 it failed, 3 some documents were refused.`,
		Example: `  ken ingest ~/handbook
  ken ingest ~/handbook --name handbook --json summary.json
  ken ingest ~/handbook --embedder openai --embed-url http://127.0.0.1:11434/v1 --embed-model nomic-embed-text`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return p.ingest(cmd.Context(), args[0], o) },
	}
	jsonFlag(cmd, &o.json)
	embedderFlags(cmd, &o.embedder)
	f := cmd.Flags()
	f.StringVar(&o.name, "name", "", "name of the source, which begins every document's id (default: the folder's name)")
	notEmpty(cmd, &o.owner, "owner", "who may read a folder that has no policy: one `SUBJECT` (default: your login name)")
	f.IntVar(&o.batch, "batch", 0, "documents in one commit (default 100)")
	f.Int64Var(&o.maxBytes, "max-bytes", 0, "largest file that is read (default 64 MiB)")
	return cmd
}

// embedderFlags adds the flags that choose an embedder.
func embedderFlags(cmd *cobra.Command, e *config.Embedder) {
	f := cmd.Flags()
	f.StringVar(&e.Kind, "embedder", "", "what makes the vectors: hashed (no download) or openai (any compatible endpoint)")
	complete(cmd, "embedder", "hashed", "openai")
	f.StringVar(&e.URL, "embed-url", "", "base URL of the endpoint, such as http://127.0.0.1:11434/v1")
	f.StringVar(&e.Model, "embed-model", "", "model name at the endpoint")
	f.IntVar(&e.Dim, "embed-dim", 0, "dimensions (default: the model's own, 384 for hashed)")
	f.BoolVar(&e.Azure, "embed-azure", false, "the endpoint is Azure's")
	f.StringVar(&e.APIVersion, "embed-api-version", "", "API version for Azure")
	f.StringVar(&e.QueryPrefix, "embed-query-prefix", "", "text before each query, for models that want one")
	f.StringVar(&e.PassagePrefix, "embed-passage-prefix", "", "text before each passage")
	f.Float64Var(&e.Fuse, "embed-weight", 0, "weight of the vectors in the ranking, 0 to 1 (default: the embedder's)")
}

func (p *program) ingest(ctx context.Context, path string, o ingestOptions) (err error) {
	if o.batch < 0 || o.maxBytes < 0 {
		return usage("--batch and --max-bytes cannot be negative")
	}
	owner, err := p.owner(o.owner)
	if err != nil {
		return err
	}
	path = p.path(path)
	source, err := folder.Open(path, folder.Options{Name: o.name, Owner: owner, MaxBytes: o.maxBytes})
	if err != nil {
		return err
	}
	defer source.Close()
	if err := p.outside(path); err != nil {
		return err
	}
	origin, err := source.Policy(ctx)
	if err != nil {
		return err
	}
	protected, by, err := p.protected(ctx, source)
	if err != nil {
		return err
	}
	governed, err := p.overridden(protected)
	if err != nil {
		return err
	}
	kb, err := p.openToWrite(ctx, o, source.Name(), path)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := kb.Close(); err == nil {
			err = cerr
		}
	}()
	expired, err := p.expired()
	if err != nil {
		return err
	}
	bar, started := newProgress(p.stderr), p.now()
	summary, err := wire.Ingest(ctx, kb.Store, kb.Embedder, wire.IngestOptions{Batch: o.batch, Progress: bar.show, Expired: expired, Protect: by, Through: governed.over(kb.Store)}, governed)
	bar.finish()
	if summary.Source == "" { // refused before it began
		return err
	}
	if dir, derr := p.dataDir(); derr == nil {
		err = errors.Join(err, ledger.Record(dir, started, o.again(path, source.Name(), owner), summary, err))
	}
	if report := p.reportIngest(o.json, summary, origin); err == nil {
		err = report
	}
	if err == nil && len(summary.Quarantined) > 0 {
		err = exitError{code: exitQuarantined}
	}
	return err
}

// again are the arguments that read the same source again.
func (o ingestOptions) again(path, name string, owner acl.Subject) []string {
	if full, err := filepath.Abs(path); err == nil {
		path = full
	}
	args := []string{path, "--name=" + name, "--owner=" + string(owner)}
	if o.maxBytes > 0 {
		args = append(args, fmt.Sprintf("--max-bytes=%d", o.maxBytes))
	}
	return args
}

// owner reads --owner; without it, whoever runs the process.
func (p *program) owner(text string) (acl.Subject, error) {
	if text == "" {
		return config.Login()
	}
	subjects, err := acl.ParseSubjects(text)
	if err != nil {
		return "", usage("--owner: %w", err)
	}
	if len(subjects) != 1 {
		return "", usage("--owner %q: want one subject; to share with several, write a policy", text)
	}
	return subjects[0], nil
}

// checkEmbedder refuses flags that would not be looked at.
func checkEmbedder(e config.Embedder) error {
	switch {
	case e.Kind == "":
		return usage("the flags --embed-… need --embedder hashed or --embedder openai")
	case e.Kind == "hashed" && e != (config.Embedder{Kind: e.Kind, Dim: e.Dim}):
		return usage("--embedder hashed takes no other flag than --embed-dim")
	case !(e.Fuse >= 0 && e.Fuse <= 1): // NaN too
		return usage("--embed-weight %v: want a number from 0 to 1", e.Fuse)
	}
	return nil
}

// outside refuses a data directory that would be listed with the folder: the
// index would be read as documents, and what it holds of others with it. What
// begins with a dot is not listed.
func (p *program) outside(folder string) error {
	dir, err := p.dataDir()
	if err != nil {
		return err
	}
	below, err := filepath.Rel(resolved(folder), resolved(dir))
	if err != nil { // on another drive
		return nil
	}
	steps := strings.Split(filepath.ToSlash(below), "/")
	if below != "." && slices.ContainsFunc(steps, func(s string) bool { return strings.HasPrefix(s, ".") }) {
		return nil // ".." or a hidden folder
	}
	return usage("the data directory %s lies in the folder %s, and the index would be read as documents: name another with --data DIR", dir, folder)
}

// resolved is the path without symbolic links, as far as it exists.
func resolved(path string) string {
	path, _ = filepath.Abs(path) // fails only without a working directory
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	if parent := filepath.Dir(path); parent != path {
		return filepath.Join(resolved(parent), filepath.Base(path))
	}
	return path
}

// claimFolder notes which folder a source name stands for. Another folder of the
// same name would take the documents of the first for deleted, so it needs a name
// of its own; a folder that moved is told by giving its name.
func claimFolder(s *config.Settings, name, path string, named bool) error {
	folder, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	if before, ok := s.Folders[name]; ok && before != folder && !named {
		return usage("the source %q is the folder %s: ingest this one under another name with --name, or with --name %s if the folder has moved", name, before, name)
	}
	if s.Folders == nil {
		s.Folders = map[string]string{}
	}
	s.Folders[name] = folder
	return nil
}

// openToWrite opens the data directory, made if need be, with the embedder that
// the flags name or the one that the directory remembers, and remembers it.
func (p *program) openToWrite(ctx context.Context, o ingestOptions, name, path string) (*wire.Base, error) {
	flags := o.embedder
	dir, err := p.dataDir()
	if err != nil {
		return nil, err
	}
	settings, err := config.Load(dir)
	if err != nil {
		return nil, err
	}
	if err := claimFolder(&settings, name, path, o.name != ""); err != nil {
		return nil, err
	}
	return p.openWith(ctx, dir, settings, flags)
}

// openWith opens the data directory to write with the embedder that the flags
// name, or the one of the settings, and keeps the settings.
func (p *program) openWith(ctx context.Context, dir string, settings config.Settings, flags config.Embedder) (*wire.Base, error) {
	if flags != (config.Embedder{}) {
		if err := checkEmbedder(flags); err != nil {
			return nil, err
		}
		if p.host != nil && flags != settings.Embedder {
			return nil, usage("the embedder of a served index cannot be changed: stop ken serve first")
		}
		settings.Embedder = flags
	}
	wo := p.options(dir, settings)
	wo.Write = true
	kb, err := p.openBase(ctx, wo)
	if err != nil {
		return nil, err
	}
	// With the dimension known, a search need not ask the endpoint for it.
	settings.Embedder.Dim = kb.Embedder.Model().Dim
	if err := config.Save(dir, settings); err != nil {
		kb.Close()
		return nil, err
	}
	return kb, nil
}

// ingestReport is the summary as JSON: the pipeline's, and where the
// permissions came from.
type ingestReport struct {
	ingest.Summary
	Permissions string `json:"permissions"`
}

// reportIngest writes the summary: for people on a terminal, as JSON else, and
// as JSON to the file that was asked for.
func (p *program) reportIngest(jsonFile string, s ingest.Summary, origin folder.Origin) error {
	report := ingestReport{s, origin.String()}
	if jsonFile == "" && !isTerminal(p.stdout) {
		jsonFile = "-"
	}
	if jsonFile != "-" || isTerminal(p.stderr) {
		printSummary(p.humanOut(jsonFile), report)
	}
	if jsonFile == "" {
		return nil
	}
	return p.writeJSON(jsonFile, report)
}

func printSummary(w io.Writer, r ingestReport) {
	fmt.Fprintf(w, "%s: %d documents, %d added, %d updated, %d with new permissions, %d unchanged, %d deleted\n",
		r.Source, r.Seen, r.Added, r.Updated, r.ACLChanged, r.Unchanged, r.Deleted)
	fmt.Fprintf(w, "%d chunks, %d tokens, %d bytes in %.1f s\n", r.Chunks, r.Tokens, r.Bytes, r.Seconds)
	fmt.Fprintln(w, r.Permissions)
	if r.Expired > 0 {
		fmt.Fprintf(w, "%d documents were kept as long as retention.yaml says and are left out\n", r.Expired)
	}
	if r.Erased > 0 {
		fmt.Fprintf(w, "%d documents were erased with ken delete and are kept out\n", r.Erased)
	}
	if r.Reembedded {
		fmt.Fprintln(w, "The model changed: every chunk was embedded again.")
	}
	if n := len(r.Skipped); n > 0 {
		var parts []string
		for _, ext := range slices.Sorted(maps.Keys(r.Skipped)) {
			parts = append(parts, fmt.Sprintf("%d %s", r.Skipped[ext], ext))
		}
		fmt.Fprintf(w, "Not read, because ken does not know the format: %s\n", strings.Join(parts, ", "))
	}
	for _, q := range r.Quarantined {
		fmt.Fprintf(w, "refused (%s): %s\n", q.Stage, q.Reason)
		if q.Closed {
			fmt.Fprintf(w, "  nobody may read %s until it can be read again\n", q.ID)
		}
	}
	if !r.Complete {
		fmt.Fprintln(w, "The listing was not complete, so nothing was deleted.")
	}
}
