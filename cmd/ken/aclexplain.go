package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"ken/cmd/ken/internal/ledger"
	"ken/corpora"
	"ken/corpora/acl"
	"ken/corpora/policy"
	"ken/index/embedded"
)

func (p *program) aclExplainCommand() *cobra.Command {
	var as, at string
	cmd := &cobra.Command{
		Use: "explain ID --as SUBJECTS", Short: "Say why somebody may or may not read a document",
		Long: `Say what each line of the document's list means for somebody: whether the subject
is held, through which groups, and whether the line is in force; which revision of
the index brought the list, and how long ago the source was read to its end. Exit
code 1 if the document may not be read.

--at asks about another instant, with the list and the groups as they stand now.
For the lists of the past see ken acl as-of.`,
		Example: `  ken acl explain --as user:ann handbook/pay/bands.md
  ken acl explain --as user:ann,group:hr --at 2027-01-01T00:00:00Z handbook/pay/bands.md`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			subjects, err := acl.ParseSubjects(as)
			if err != nil {
				return usage("--as: %w", err)
			}
			when := p.now().UTC()
			if at != "" {
				if when, err = instant(at); err != nil {
					return err
				}
			}
			return p.withDocument(cmd.Context(), args[0], func(store *embedded.Store, d corpora.Document) error {
				return p.explain(cmd.Context(), store, d, subjects, when)
			})
		},
	}
	cmd.Flags().StringVar(&as, "as", "", "who: comma-separated `SUBJECTS` such as user:ann,group:hr")
	cmd.Flags().StringVar(&at, "at", "", "`INSTANT` (default: now)")
	cobra.CheckErr(cmd.MarkFlagRequired("as"))
	return cmd
}

func (p *program) explain(ctx context.Context, store *embedded.Store, d corpora.Document, subjects []acl.Subject, at time.Time) error {
	groups, err := p.groups()
	if err != nil {
		return err
	}
	plain := acl.NewPrincipal(subjects...)
	who, err := p.asker(ctx, joinSubjects(subjects))
	if err != nil {
		return err
	}
	admitted := d.ACL.Admits(who, at)
	verdict := "may read it"
	if !admitted {
		verdict = "may not read it"
	}
	fmt.Fprintf(p.stdout, "%s %s at %s\n", joinSubjects(subjects), verdict, at.Format(time.RFC3339))
	fmt.Fprint(p.stdout, findings(d.ACL, who, at, func(s acl.Subject) []acl.Subject { return groups.Path(plain.Subjects(), s) }))
	if err := p.provenance(ctx, store, d); err != nil {
		return err
	}
	if !admitted {
		return exitError{code: exitFailed}
	}
	return nil
}

// findings tells each line of a list and what it means for somebody; path is
// the way through groups, if it is known.
func findings(l acl.List, who acl.Principal, at time.Time, path func(acl.Subject) []acl.Subject) string {
	var b strings.Builder
	if len(l.Allow()) == 0 {
		fmt.Fprintln(&b, "  the list allows nobody")
	}
	for _, f := range l.Explain(who, at) {
		var way []acl.Subject
		if path != nil {
			way = path(f.Grant.Subject)
		}
		fmt.Fprintf(&b, "  %-7s %s: %s\n", f.Says, showGrant(f.Grant), reason(f, way))
	}
	return b.String()
}

// provenance tells since when the list is in force, and how long ago its source
// was last read to the end.
func (p *program) provenance(ctx context.Context, store *embedded.Store, d corpora.Document) error {
	past, err := store.History(ctx, d.ID)
	if err != nil {
		return err
	}
	if len(past) > 0 {
		last := past[len(past)-1]
		fmt.Fprintf(p.stdout, "  list of revision %d, in force since %s\n", last.Revision, last.Since.Format(time.RFC3339))
	}
	dir, err := p.dataDir()
	if err != nil {
		return err
	}
	sources, err := ledger.Read(dir)
	if err != nil {
		return err
	}
	if synced := sources[d.Source].LastGood; !synced.IsZero() {
		fmt.Fprintf(p.stdout, "  source %s was read to its end %s ago\n", d.Source, p.now().Sub(synced).Round(time.Second))
	} else {
		fmt.Fprintf(p.stdout, "  source %s was never read to its end\n", d.Source)
	}
	if d.Stamp == "" && len(d.ACL.Allow()) == 0 {
		fmt.Fprintln(p.stdout, "  it could not be read last time, and so is closed")
	}
	return nil
}

// reason tells a finding in words, with the way through groups.
func reason(f acl.Finding, path []acl.Subject) string {
	held := "not held"
	if f.Held {
		held = "held"
	}
	if f.Held && len(path) > 1 {
		steps := make([]string, len(path))
		for i, s := range path {
			steps[i] = string(s)
		}
		held += " through " + strings.Join(steps, " > ")
	}
	switch {
	case !f.InForce:
		held += ", not in force"
	case f.Counts() && f.Says != "allow":
		held += ", so it refuses"
	}
	return held
}

// groups reads groups.yaml of the data directory, if it is there.
func (p *program) groups() (acl.Groups, error) {
	dir, err := p.dataDir()
	if err != nil {
		return acl.Groups{}, err
	}
	file := filepath.Join(dir, groupsFile)
	d, err := policy.OpenDirectory(file)
	if policy.Missing(file, err) {
		return acl.Groups{}, nil
	}
	if err != nil {
		return acl.Groups{}, err
	}
	return d.Current()
}

const groupsFile = "groups.yaml"
