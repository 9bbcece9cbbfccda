package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"ken/cmd/ken/internal/config"
	"ken/cmd/ken/internal/receipt"
	"ken/corpora"
	"ken/corpora/retention"
	"ken/index"
	"ken/index/embedded"
)

const retentionFile = "retention.yaml"

func (p *program) retentionCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "retention", Short: "Delete what was kept long enough",
		Long: `How long documents are kept is said in retention.yaml in the data directory:

  version: 1
  rules:                    # the first rule that matches decides; without one a document is kept
    - {class: restricted, keep: 365d}
    - {source: chat, keep: 30d}

The time runs from when a document was last modified; one that does not say when is
kept. An ingest leaves expired documents out.`,
		Example: `  ken retention apply --dry-run
  ken retention apply --receipt receipt.json`,
	}
	var dryRun bool
	var file string
	apply := &cobra.Command{
		Use: "apply", Short: "Delete expired documents for good, with a signed receipt",
		Example: `  ken retention apply --receipt receipt.json`, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.applyRetention(cmd.Context(), dryRun, file) },
	}
	apply.Flags().BoolVar(&dryRun, "dry-run", false, "list what would be deleted, and delete nothing")
	apply.Flags().StringVar(&file, "receipt", "-", "write the receipt to `FILE` (- is standard output)")
	cmd.AddCommand(apply)
	return cmd
}

// retention reads the rules of the data directory, if there are any.
func (p *program) retention() (retention.Rules, error) {
	data, err := p.rulesFile(retentionFile)
	if err != nil || data == nil {
		return retention.Rules{}, err
	}
	rules, err := retention.Parse(data)
	if err != nil {
		return rules, fmt.Errorf("%s: %w", retentionFile, err)
	}
	return rules, nil
}

// expired tells the pipeline what was kept long enough.
func (p *program) expired() (func(corpora.Document) bool, error) {
	rules, err := p.retention()
	at := p.now()
	return func(d corpora.Document) bool { return rules.Expired(d, at) }, err
}

func (p *program) applyRetention(ctx context.Context, dryRun bool, file string) (err error) {
	expired, err := p.expired()
	if err != nil {
		return err
	}
	by, err := config.Login()
	if err != nil {
		return err
	}
	dir, err := p.existingDir()
	if err != nil {
		return err
	}
	store, err := p.openStore(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.closeStore(store)) }()
	found, err := expiredIn(ctx, store, expired)
	if err != nil {
		return err
	}
	if !dryRun {
		// An earlier version may be expired though its document is not.
		if _, err := store.DropVersions(ctx, func(v index.Version, _ int) bool { return expired(v.Document) }); err != nil {
			return err
		}
	}
	if dryRun || len(found) == 0 {
		for _, d := range found {
			fmt.Fprintln(p.stdout, visible(string(d.ID)))
		}
		fmt.Fprintf(p.stderr, "%d documents are expired\n", len(found))
		return nil
	}
	if err := store.Delete(ctx, idsOf(found)...); err != nil {
		return err
	}
	return p.certify(ctx, store, dir, file, receipt.Statement{Deleted: found, By: string(by), Reason: "retention", KeptOut: true})
}

func expiredIn(ctx context.Context, store *embedded.Store, expired func(corpora.Document) bool) (found []receipt.Deleted, err error) {
	for e, err := range store.Entries(ctx, "") {
		if err != nil {
			return nil, err
		}
		if d := e.Document; expired(d) {
			found = append(found, receipt.Deleted{ID: d.ID, Source: d.Source, Version: d.Version, Chunks: len(e.Chunks)})
		}
	}
	return found, nil
}
