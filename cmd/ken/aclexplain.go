package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

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
is held, through which groups, and whether the line is in force. Exit code 1 if
the document may not be read.

--at asks about another instant. It reads the list and the groups as they stand
now: the past of lists is not kept.`,
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
				if when, err = time.Parse(time.RFC3339, at); err != nil {
					return usage("--at %q is no instant such as 2026-12-31T18:00:00Z", at)
				}
			}
			return p.withDocument(cmd.Context(), args[0], func(_ *embedded.Store, d corpora.Document) error {
				return p.explain(cmd, d, subjects, when)
			})
		},
	}
	cmd.Flags().StringVar(&as, "as", "", "who: comma-separated `SUBJECTS` such as user:ann,group:hr")
	cmd.Flags().StringVar(&at, "at", "", "`INSTANT` (default: now)")
	cobra.CheckErr(cmd.MarkFlagRequired("as"))
	return cmd
}

func (p *program) explain(cmd *cobra.Command, d corpora.Document, subjects []acl.Subject, at time.Time) error {
	groups, err := p.groups()
	if err != nil {
		return err
	}
	plain := acl.NewPrincipal(subjects...)
	who, err := acl.Resolver{Directory: groups}.Resolve(cmd.Context(), plain)
	if err != nil {
		return err
	}
	admitted := d.ACL.Admits(who, at)
	verdict := "may read it"
	if !admitted {
		verdict = "may not read it"
	}
	fmt.Fprintf(p.stdout, "%s %s at %s\n", joinSubjects(subjects), verdict, at.Format(time.RFC3339))
	if len(d.ACL.Allow()) == 0 {
		fmt.Fprintln(p.stdout, "  the list allows nobody")
	}
	for _, f := range d.ACL.Explain(who, at) {
		fmt.Fprintf(p.stdout, "  %-7s %s: %s\n", f.Says, showGrant(f.Grant), reason(f, groups.Path(plain.Subjects(), f.Grant.Subject)))
	}
	if !admitted {
		return exitError{code: exitFailed}
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
	d, err := policy.OpenDirectory(filepath.Join(dir, groupsFile))
	if os.IsNotExist(err) {
		return acl.Groups{}, nil
	}
	if err != nil {
		return acl.Groups{}, err
	}
	return d.Current()
}

const groupsFile = "groups.yaml"
