package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"ken/cmd/ken/internal/ledger"
	"ken/corpora/source/folder"
	"ken/index"
	"ken/tools"
)

// staleAfter is the age from which on a source counts as stale, unless a flag says
// otherwise.
const staleAfter = tools.StaleAfter

// sourceStatus is one line of ken sources.
type sourceStatus struct {
	Name        string        `json:"name"`
	Documents   int           `json:"documents"`
	LastRun     time.Time     `json:"last_run,omitzero"`
	LastGood    time.Time     `json:"last_good,omitzero"`
	LagSeconds  float64       `json:"lag_seconds"`       // since the newest run that read it to its end; -1: there was none
	Unsynced    time.Time     `json:"unsynced,omitzero"` // when the oldest change was made that is known and not in the index
	Stale       bool          `json:"stale"`
	Quarantined int           `json:"quarantined"`
	Error       string        `json:"error,omitempty"` // of the newest run
	Doubt       *ledger.Doubt `json:"doubt,omitempty"` // its permissions could not be read, and its documents are closed
	Run         ledger.Run    `json:"run"`
}

func (p *program) sourcesCommand() *cobra.Command {
	var jsonFile string
	var maxAge time.Duration
	cmd := &cobra.Command{
		Use:   "sources",
		Short: "Show each source: documents, last sync, lag, quarantine, errors",
		Long: `Show what is known of each source. The lag is the time since the newest run that
read the source to its end. UNSYNCED is the age of the oldest change that is known and
not in the index: in a folder, among what was pushed, or waiting for an embedder that
is down; other sources tell of changes only when they are read. Exit code 1 if a source
is stale: its lag or its oldest change is older than --max-age, or it was never read
to its end.`,
		Example: `  ken sources
  ken sources --max-age 24h --json -`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			all, err := p.sources(cmd.Context(), maxAge)
			if err != nil {
				return err
			}
			if jsonFile != "" {
				err = p.writeJSON(jsonFile, map[string]any{"sources": all})
			} else {
				err = printSources(p.stdout, all, p.now())
			}
			if err == nil && slices.ContainsFunc(all, func(s sourceStatus) bool { return s.Stale }) {
				err = exitError{code: exitFailed}
			}
			return err
		},
	}
	jsonFlag(cmd, &jsonFile)
	cmd.Flags().DurationVar(&maxAge, "max-age", staleAfter, "lag from which on a source is stale")
	return cmd
}

func (p *program) sources(ctx context.Context, maxAge time.Duration) (all []sourceStatus, err error) {
	dir, err := p.existingDir()
	if err != nil {
		return nil, err
	}
	known, err := ledger.Read(dir)
	if err != nil {
		return nil, err
	}
	store, err := p.openStore(dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.closeStore(store)) }()
	counts := map[string]int{}
	for d, err := range store.Documents(ctx, "") {
		if err != nil {
			return nil, err
		}
		counts[d.Source]++
	}
	for name := range known {
		counts[name] += 0
	}
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		oldest, err := p.unsynced(ctx, dir, name, known[name])
		if err != nil {
			return nil, err
		}
		all = append(all, statusOf(name, counts[name], known[name], oldest, p.now(), maxAge))
	}
	return all, nil
}

// lastReads tells when each source was last read to its end.
func (p *program) lastReads() (map[string]time.Time, error) {
	l, err := p.ledger()
	out := make(map[string]time.Time, len(l))
	for name, s := range l {
		out[name] = s.LastGood
	}
	return out, err
}

// unsynced tells when the oldest change was made that is known and not in the index.
// Documents in quarantine are not waiting: they are counted by themselves.
func (p *program) unsynced(ctx context.Context, dir, name string, s ledger.Source) (oldest time.Time, err error) {
	c, err := configOf(name, s)
	if err != nil || s.LastGood.IsZero() {
		return s.Postponed, nil // nothing more is known: the source is stale, or its next run says what is wrong
	}
	var change time.Time
	kept, err := existingSpool(dir, name)
	switch root := folderOfSource(ledger.Source{Ingest: []string{c.URL}}); {
	case err != nil:
		return oldest, err
	case kept != nil:
		change, err = kept.OldestChange(s.LastGood)
	case root != "":
		change, err = folder.OldestChange(ctx, root, s.LastGood)
	}
	if err != nil {
		return oldest, fmt.Errorf("source %s: look for changes: %w", name, err)
	}
	if change.IsZero() || !s.Postponed.IsZero() && s.Postponed.Before(change) {
		return s.Postponed, nil
	}
	return change.UTC(), nil
}

func statusOf(name string, documents int, s ledger.Source, oldest, now time.Time, maxAge time.Duration) sourceStatus {
	out := sourceStatus{
		Name: name, Documents: documents, LastRun: s.Last.Started, LastGood: s.LastGood,
		LagSeconds: -1, Stale: true, Unsynced: oldest, Quarantined: len(s.Quarantine), Error: s.Last.Error, Doubt: s.Doubt, Run: s.Last,
	}
	if !s.LastGood.IsZero() {
		lag := max(now.Sub(s.LastGood), 0) // a clock may have been set back
		out.LagSeconds, out.Stale = lag.Seconds(), max(lag, out.unsyncedFor(now)) > maxAge
	}
	return out
}

// unsyncedFor is the age of the oldest unsynced change, 0 if none is known.
func (s sourceStatus) unsyncedFor(now time.Time) time.Duration {
	if s.Unsynced.IsZero() {
		return 0
	}
	return max(now.Sub(s.Unsynced), 0)
}

func printSources(w io.Writer, all []sourceStatus, now time.Time) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "SOURCE\tDOCUMENTS\tLAST SYNC\tLAG\tUNSYNCED\tQUARANTINED\tSTATE")
	for _, s := range all {
		last, lag, state := "never", "-", "fresh"
		if s.LagSeconds >= 0 {
			last = s.LastGood.Format(time.RFC3339)
			lag = (time.Duration(s.LagSeconds) * time.Second).String()
		}
		if s.Stale {
			state = "stale"
		}
		if s.Error != "" {
			state += ", the last run failed: " + visible(s.Error)
		}
		if s.Doubt != nil {
			state = visible(doubt(s.Name, s.Doubt))
		}
		waiting := "-"
		if !s.Unsynced.IsZero() {
			waiting = s.unsyncedFor(now).Truncate(time.Second).String()
		}
		fmt.Fprintf(t, "%s\t%d\t%s\t%s\t%s\t%d\t%s\n", visible(s.Name), s.Documents, last, lag, waiting, s.Quarantined, state)
	}
	return t.Flush()
}

func (p *program) quarantineCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "quarantine", Short: "List, show and retry documents that could not be taken in",
		Long: `A document that cannot be taken in does not stop a run: it is kept in quarantine with
the stage and the reason. Mend the document, and the next ken ingest takes it in.`,
		Example: `  ken quarantine list
  ken quarantine show handbook/scan.pdf
  ken quarantine retry`,
	}
	var jsonFile, source string
	list := &cobra.Command{
		Use: "list", Short: "List the documents in quarantine", Example: `  ken quarantine list --json -`, Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return p.listQuarantine(jsonFile) },
	}
	jsonFlag(list, &jsonFile)
	retry := &cobra.Command{
		Use: "retry", Short: "Read the sources that have documents in quarantine again",
		Example: `  ken quarantine retry
  ken quarantine retry --source handbook`, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.retryQuarantine(cmd.Context(), source) },
	}
	retry.Flags().StringVar(&source, "source", "", "only this source")
	cmd.AddCommand(list, retry, &cobra.Command{
		Use: "show ID", Short: "Show why a document is in quarantine", Example: `  ken quarantine show handbook/scan.pdf`, Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return p.showQuarantined(args[0]) },
	})
	return cmd
}

func (p *program) ledger() (ledger.Ledger, error) {
	dir, err := p.existingDir()
	if err != nil {
		return nil, err
	}
	return ledger.Read(dir)
}

func (p *program) listQuarantine(jsonFile string) error {
	l, err := p.ledger()
	if err != nil {
		return err
	}
	all := []ledger.Refused{}
	for _, name := range slices.Sorted(maps.Keys(l)) {
		all = append(all, l[name].Quarantine...)
	}
	if jsonFile != "" {
		return p.writeJSON(jsonFile, map[string]any{"quarantine": all})
	}
	for _, r := range all {
		fmt.Fprintf(p.stdout, "%s\t%s\t%s\n", visible(string(r.ID)), r.Stage, visible(r.Reason))
	}
	if len(all) == 0 {
		fmt.Fprintln(p.stdout, "Nothing is in quarantine.")
	}
	return nil
}

func (p *program) showQuarantined(id string) error {
	l, err := p.ledger()
	if err != nil {
		return err
	}
	for _, s := range l {
		for _, r := range s.Quarantine {
			if string(r.ID) != id {
				continue
			}
			fmt.Fprintf(p.stdout, "%s\nrefused at:  %s\nreason:      %s\nsince:       %s\nattempts:    %d\n",
				visible(id), r.Stage, visible(r.Reason), r.Since.Format(time.RFC3339), r.Attempts)
			if r.Closed {
				fmt.Fprintln(p.stdout, "An earlier version is indexed, and nobody may read it until this one can be read.")
			}
			fmt.Fprintln(p.stdout, "Mend the document and run ken ingest, or ken quarantine retry.")
			return nil
		}
	}
	return fmt.Errorf("%q is not in quarantine: %w", id, index.ErrNotFound)
}

// retryQuarantine reads sources again. An ingest reads only what changed and what
// is in quarantine.
func (p *program) retryQuarantine(ctx context.Context, only string) error {
	l, err := p.ledger()
	if err != nil {
		return err
	}
	code := exitOK
	for _, name := range slices.Sorted(maps.Keys(l)) {
		if len(l[name].Quarantine) > 0 && (only == "" || only == name) {
			code = max(code, p.ingestAgain(ctx, l[name], p.host, p.stdout))
		}
	}
	if code != exitOK {
		return exitError{code: code}
	}
	return nil
}

// ingestAgain runs ken ingest as it was run before, and returns its exit code.
func (p *program) ingestAgain(ctx context.Context, s ledger.Source, h *host, stdout io.Writer) int {
	dir, err := p.dataDir()
	if err != nil {
		p.report(nil, exitFailed, err)
		return exitFailed
	}
	again := &program{stdin: p.stdin, stdout: stdout, stderr: p.stderr, getenv: p.getenv, now: p.now, host: h, dir: p.dir}
	return again.run(ctx, append([]string{"ingest", "--data", dir}, s.Ingest...))
}
