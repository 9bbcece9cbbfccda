package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/index"
	"ken/index/embedded"
)

func (p *program) aclAsOfCommand() *cobra.Command {
	var as, at string
	cmd := &cobra.Command{
		Use: "as-of --as SUBJECTS --at INSTANT [ID]", Short: "Say what somebody could read at a past time",
		Long: `Name the documents that somebody could read at a past instant, or say of one document
whether it could be read, since which change. Exit code 1 if that one could not.

The lists are those of the past: every change of a list is kept for 400 days. The
groups are those that groups.yaml declares now: name with --as what was held then.`,
		Example: `  ken acl as-of --as user:ann,group:hr --at 2026-03-31T12:00:00Z
  ken acl as-of --as user:ann --at 2026-03-31 handbook/pay/bands.md`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			when, err := instant(at)
			if err != nil {
				return err
			}
			if as == "" {
				return usage("--as is empty: say who")
			}
			who, err := p.asker(cmd.Context(), as)
			if err != nil {
				return err
			}
			return p.withStore(func(store *embedded.Store) error {
				if len(args) == 1 {
					return p.asOfDocument(cmd.Context(), store, who, as, when, corpora.DocID(args[0]))
				}
				return p.asOf(cmd.Context(), store, who, when)
			})
		},
	}
	cmd.Flags().StringVar(&as, "as", "", "who: comma-separated `SUBJECTS` such as user:ann,group:hr")
	cmd.Flags().StringVar(&at, "at", "", "`INSTANT` or day, which begins at midnight UTC")
	cobra.CheckErr(cmd.MarkFlagRequired("as"))
	cobra.CheckErr(cmd.MarkFlagRequired("at"))
	return cmd
}

// instant reads a time that somebody typed.
func instant(text string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, usage("--at %q is no instant such as 2026-12-31T18:00:00Z", text)
}

func (p *program) asOf(ctx context.Context, store *embedded.Store, who acl.Principal, at time.Time) error {
	for past, err := range store.AsOf(ctx, at) {
		if err != nil {
			return err
		}
		if past.List.Admits(who, at) {
			fmt.Fprintln(p.stdout, visible(string(past.ID)))
		}
	}
	return nil
}

func (p *program) asOfDocument(ctx context.Context, store *embedded.Store, who acl.Principal, as string, at time.Time, id corpora.DocID) error {
	for past, err := range store.AsOf(ctx, at) {
		if err != nil {
			return err
		}
		if past.ID != id {
			continue
		}
		admitted := past.List.Admits(who, at)
		verb := "could read"
		if !admitted {
			verb = "could not read"
		}
		fmt.Fprintf(p.stdout, "%s %s it at %s\n", as, verb, at.Format(time.RFC3339))
		fmt.Fprintf(p.stdout, "  list of revision %d, in force since %s\n", past.Revision, past.Since.Format(time.RFC3339))
		for line := range strings.Lines(findings(past.List, who, at, nil)) {
			fmt.Fprint(p.stdout, line)
		}
		if !admitted {
			return exitError{code: exitFailed}
		}
		return nil
	}
	return fmt.Errorf("document %q was not there at %s: %w", id, at.Format(time.RFC3339), index.ErrNotFound)
}
