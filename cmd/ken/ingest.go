package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"ken/cmd/ken/internal/config"
	"ken/cmd/ken/internal/ledger"
	"ken/cmd/ken/internal/wire"
	"ken/corpora"
	"ken/corpora/acl"
	"ken/corpora/protect"
	"ken/index/embedded"
	"ken/index/ingest"
)

type ingestOptions struct {
	name, owner, json, config, policy string
	allowPrivate                      []string
	batch                             int
	keepVersions                      int // -1: as before
	maxBytes                          int64
	dryRun                            bool
	only                              string // path of the one document that is read; "": all
	embedder                          config.Embedder
}

func (p *program) ingestCommand() *cobra.Command {
	var o ingestOptions
	cmd := &cobra.Command{
		Use:   "ingest [FOLDER|URL|NAME…]",
		Short: "Take in documents with their permissions",
		Long: `Bring the index up to date with folders, repositories, buckets, databases, web
sites, APIs and MCP servers: Markdown, HTML, text, PDF, Word, PowerPoint, Excel, CSV,
JSON, mail, source code and archives. Only what changed is read and embedded again;
what is gone is removed, and never because a source told half of what it has.

` + schemeHelp() + `
Without arguments, and by their names, the sources of ken.yaml are read (--config, or
$KEN_CONFIG, or ken.yaml in this folder). Passwords and tokens come from the
environment ($KEN_SECRET_NAME) or from files, never from URLs or the configuration.

Who may read a document is said by .ken/acl.yaml, by the document's front matter and
by a sidecar file NAME.EXT.acl.yaml, or by what the source has for it: columns,
metadata, CODEOWNERS. Where nothing is said, whoever ingests may read, alone. A
document whose permissions cannot be understood is readable by nobody.

The embedder is kept with the index: later runs and searches use it without
being told. Its key comes from $KEN_EMBED_KEY and is not kept.

Exit codes: 0 all went in, 1 a source failed, 3 some documents were refused.`,
		Example: `  ken ingest ~/handbook
  ken ingest ~/handbook --name handbook --json summary.json
  ken ingest 'git+https://example.com/team/wiki.git?path=docs' 'postgres://ken@db/kb?table=articles&text=body'
  ken ingest https://intranet.example.com/docs/ --allow-private intranet.example.com
  ken ingest --dry-run
  ken ingest ~/handbook --embedder openai --embed-url http://127.0.0.1:11434/v1 --embed-model nomic-embed-text`,
		RunE: func(cmd *cobra.Command, args []string) error { return p.ingest(cmd.Context(), args, o) },
	}
	jsonFlag(cmd, &o.json)
	embedderFlags(cmd, &o.embedder)
	f := cmd.Flags()
	f.StringVar(&o.name, "name", "", "name of the source, which begins every document's id (default: that of the folder, repository, table or host)")
	notEmpty(cmd, &o.owner, "owner", "who may read where nothing else is said: one `SUBJECT` (default: your login name)")
	f.StringVar(&o.policy, "policy", "", "policy `FILE` for a source that holds none, such as a web site")
	f.StringVar(&o.config, "config", "", "configuration `FILE` with sources (default: $KEN_CONFIG or ken.yaml)")
	f.StringArrayVar(&o.allowPrivate, "allow-private", nil, "network, address or host that is not public and may be fetched from (repeatable)")
	f.BoolVar(&o.dryRun, "dry-run", false, "say what would change, and change nothing")
	f.IntVar(&o.keepVersions, "keep-versions", -1, "keep this many earlier versions of each document from now on, 0 to 100, and drop those beyond (default: as before; at first 0); see ken versions")
	f.IntVar(&o.batch, "batch", 0, "documents in one commit (default 100)")
	f.Int64Var(&o.maxBytes, "max-bytes", 0, "largest document that is read (default 64 MiB)")
	return cmd
}

// schemeHelp lists what can be read.
func schemeHelp() string {
	var b strings.Builder
	for _, s := range wire.Schemes() {
		names := strings.Join(s.Names, ", ")
		if names == "" {
			names = "PATH"
		}
		fmt.Fprintf(&b, "  %-46s %s\n", names, s.What)
	}
	return b.String()
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

// ingest reads the sources one after the other. One that fails keeps out none of
// the others.
func (p *program) ingest(ctx context.Context, args []string, o ingestOptions) error {
	if o.batch < 0 || o.maxBytes < 0 {
		return usage("--batch and --max-bytes cannot be negative")
	}
	if o.keepVersions < -1 || o.keepVersions > maxVersions {
		return usage("--keep-versions %d: want 0 to %d", o.keepVersions, maxVersions)
	}
	sources, err := p.choose(args, o)
	if err != nil {
		return err
	}
	var reports []ingestReport
	var failed error
	for _, c := range sources {
		r, err := p.ingestOne(ctx, c, o)
		if _, held := errors.AsType[*embedded.InUseError](err); held {
			return err
		}
		if r.Source != "" { // else it was refused before it began
			reports = append(reports, r)
		}
		if failed = errors.Join(failed, err); ctx.Err() != nil {
			break
		}
	}
	if len(reports) > 0 {
		failed = errors.Join(failed, p.reportIngest(o.json, reports, len(sources) > 1))
	}
	if failed != nil && len(sources) > 1 {
		return exitError{exitFailed, failed}
	}
	if failed == nil && slices.ContainsFunc(reports, func(r ingestReport) bool { return len(r.Quarantined) > 0 }) {
		failed = exitError{code: exitQuarantined}
	}
	return failed
}

// reading is a source that is about to be read.
type reading struct {
	*wire.Source
	governed *overridden // the source with what was said by hand over it
	protect  *protect.Protector
	owner    acl.Subject
}

// openSource opens a source, with all that is said about its documents elsewhere.
func (p *program) openSource(ctx context.Context, c chosen, o ingestOptions, dir string) (r reading, err error) {
	if r.owner, err = p.owner(cmp.Or(o.owner, c.Owner)); err != nil {
		return r, err
	}
	dirs := wire.Directories{State: filepath.Join(dir, "state"), Spool: spoolsOf(dir)}
	if o.dryRun {
		dirs.State = ""
	}
	if r.Source, err = wire.OpenSource(ctx, c.Source, r.owner, p.getenv, dirs); err != nil {
		return r, err
	}
	if o.only != "" {
		err = r.Only(o.only)
	}
	if r.Folder != "" {
		err = p.outside(r.Folder)
	}
	var protected corpora.Source
	if err == nil {
		protected, r.protect, err = p.protected(ctx, r.Source)
	}
	if err == nil {
		r.governed, err = p.overridden(protected)
	}
	if err != nil {
		return r, errors.Join(err, r.Close())
	}
	r.governed.dry = o.dryRun
	return r, nil
}

// ingestOne brings the index up to date with one source.
func (p *program) ingestOne(ctx context.Context, c chosen, o ingestOptions) (report ingestReport, err error) {
	dir, err := p.dataDir()
	if err != nil {
		return report, err
	}
	settings, err := config.Load(dir)
	if err != nil {
		return report, err
	}
	var r reading
	var mine turn
	defer func() {
		if name := inDoubt(err, settings, c, o, r); name != "" {
			if mine.end == nil { // a run that goes on would open what is closed now
				mine, _, _ = p.takeTurn(ctx, name) // interrupted while it waits, it closes all the same
			}
			err = p.shutSource(ctx, dir, name, err)
		}
		if mine.end != nil {
			mine.end()
		}
	}()
	if r, mine, err = p.openInTurn(ctx, c, o, dir); err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	if err := p.doubted(ctx, dir, r.Name()); err != nil && !o.dryRun {
		return report, err
	}
	if report.Permissions, err = r.Permissions(ctx); err != nil {
		return report, err
	}
	kb, err := p.openFor(ctx, o, r.Source, o.name != "" || c.file != "")
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, kb.Close()) }()
	expired, err := p.expired()
	if err != nil {
		return report, err
	}
	run := wire.Ingest
	if o.dryRun {
		run, report.DryRun = wire.Plan, true
	}
	bar, started := newProgress(p.stderr), p.now()
	how := wire.IngestOptions{Batch: o.batch, Progress: bar.show, Expired: expired, Protect: r.protect, Through: r.governed.over(kb.Store)}
	report.Summary, err = run(ctx, kb.Store, kb.Embedder, how, r.governed)
	bar.finish()
	if report.Summary.Source == "" || o.dryRun {
		return report, err
	}
	return report, errors.Join(err, ledger.Record(dir, started, c.again(r.Source, string(r.owner), o), report.Summary, err))
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

// claim notes which place a source name stands for. Another place of the same
// name would take the documents of the first for deleted, so it needs a name of
// its own; a source that moved is told by giving its name.
func claim(s *config.Settings, name, place string, named bool) error {
	if before, ok := s.Folders[name]; ok && before != place && !named {
		return usage("the source %q is %s: ingest this one under another name with --name, or with --name %s if it has moved", name, before, name)
	}
	if s.Folders == nil {
		s.Folders = map[string]string{}
	}
	s.Folders[name] = place
	return nil
}

// openFor opens the data directory, made if need be, with the embedder that the
// flags name or the one that the directory remembers, and remembers it. Nothing
// is made or remembered for a run that changes nothing.
func (p *program) openFor(ctx context.Context, o ingestOptions, s *wire.Source, named bool) (*wire.Base, error) {
	dir, err := p.dataDir()
	if err != nil {
		return nil, err
	}
	if p.host != nil { // commands side by side read the settings and write them
		p.host.settings.Lock()
		defer p.host.settings.Unlock()
	}
	settings, err := config.Load(dir)
	if err != nil {
		return nil, err
	}
	if err := claim(&settings, s.Name(), s.Place, named); err != nil {
		return nil, err
	}
	if !o.dryRun {
		if o.keepVersions >= 0 {
			settings.KeepVersions = o.keepVersions
		}
		kb, err := p.openWith(ctx, dir, settings, o.embedder)
		if err != nil || o.keepVersions < 0 {
			return kb, err
		}
		if err := keepVersions(ctx, kb.Store, o.keepVersions); err != nil {
			return nil, errors.Join(err, kb.Close())
		}
		return kb, nil
	}
	if o.embedder != (config.Embedder{}) {
		if err := checkEmbedder(o.embedder); err != nil {
			return nil, err
		}
		settings.Embedder = o.embedder
	}
	wo := p.options(dir, settings)
	wo.Write = true // so that an embedder is there
	if _, err := os.Stat(wire.IndexDir(dir)); errors.Is(err, fs.ErrNotExist) {
		wo.Memory = true
	}
	return p.openBase(ctx, wo)
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
	inForce := kb.Making.Embedder
	inForce.Dim = kb.Embedder.Model().Dim
	if flags.Dim == 0 {
		flags.Dim = inForce.Dim
	}
	if flags.Kind != "" && flags != inForce {
		return nil, errors.Join(usage("the index has generations, and the active one has another embedder (%s): make one with this embedder with `ken index build`", kb.Making.Describe()), kb.Close())
	}
	settings.Embedder = inForce
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
	DryRun      bool   `json:"dry_run,omitzero"` // it is what would have happened
}

// reportIngest writes the summaries: for people on a terminal, as JSON else, and
// as JSON to the file that was asked for.
func (p *program) reportIngest(jsonFile string, reports []ingestReport, several bool) error {
	if jsonFile == "" && !isTerminal(p.stdout) {
		jsonFile = "-"
	}
	if jsonFile != "-" || isTerminal(p.stderr) {
		for _, r := range reports {
			printSummary(p.humanOut(jsonFile), r)
		}
	}
	switch {
	case jsonFile == "":
		return nil
	case several:
		return p.writeJSON(jsonFile, map[string]any{"sources": reports})
	}
	return p.writeJSON(jsonFile, reports[0])
}

func printSummary(w io.Writer, r ingestReport) {
	if r.DryRun {
		fmt.Fprintln(w, "Nothing was changed; this is what would have been:")
	}
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
		fmt.Fprintf(w, "refused (%s): %s\n", q.Stage, visible(q.Reason))
		if q.Closed {
			fmt.Fprintf(w, "  nobody may read %s until it can be read again\n", visible(string(q.ID)))
		}
	}
	if !r.Complete {
		fmt.Fprintln(w, "The listing was not complete, so nothing was deleted.")
	}
}
