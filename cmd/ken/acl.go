package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/corpora/policy"
	"ken/index"
	"ken/index/embedded"
)

func (p *program) aclCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "acl",
		Short: "Show, explain and change who may read a document",
		Long: `For administrators of the data directory. A change is in force when the command
returns, and a later ingest keeps it: it goes over whatever the source says.

A revoke denies, and a deny outweighs every grant. A grant takes back an earlier
revoke of the same subject, but lifts no deny that the source states.`,
		Example: `  ken acl show handbook/pay/bands.md
  ken acl explain --as user:ann handbook/pay/bands.md
  ken acl grant --to group:auditors --until 2026-12-31 handbook/pay/bands.md
  ken acl revoke --from user:ann handbook/pay/bands.md`,
	}
	cmd.AddCommand(p.aclShowCommand(), p.aclExplainCommand(), p.aclGrantCommand(), p.aclRevokeCommand(), p.aclSetCommand())
	return cmd
}

func (p *program) aclShowCommand() *cobra.Command {
	return &cobra.Command{
		Use: "show ID", Short: "Show a document's list", Example: `  ken acl show handbook/pay/bands.md`, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withDocument(cmd.Context(), args[0], func(_ *embedded.Store, d corpora.Document) error {
				showList(p.stdout, d.ACL)
				return nil
			})
		},
	}
}

func showList(w io.Writer, l acl.List) {
	findings := l.Explain(acl.Principal{}, time.Time{})
	if len(l.Allow()) == 0 {
		fmt.Fprintln(w, "nobody may read it")
	}
	for _, f := range findings {
		fmt.Fprintf(w, "%-7s %s\n", f.Says, showGrant(f.Grant))
	}
}

func showGrant(g acl.Grant) string {
	text := string(g.Subject)
	switch {
	case policy.ByHand(g):
		text += " (said with ken acl)"
	case !g.NotBefore.IsZero():
		text += " from " + g.NotBefore.Format(time.RFC3339)
	}
	if !g.NotAfter.IsZero() {
		text += " until " + g.NotAfter.Format(time.RFC3339)
	}
	return text
}

func (p *program) aclGrantCommand() *cobra.Command {
	var to, from, until string
	cmd := &cobra.Command{
		Use: "grant ID --to SUBJECT", Short: "Let somebody read a document",
		Example: `  ken acl grant --to group:auditors --until 2026-12-31 handbook/pay/bands.md`, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			g, err := grantOf(to, from, until)
			if err != nil {
				return err
			}
			return p.override(cmd.Context(), args[0], func(o policy.Override) policy.Override { return o.Grant(g) })
		},
	}
	cmd.Flags().StringVar(&to, "to", "", "`SUBJECT` such as user:ann or group:hr")
	cmd.Flags().StringVar(&from, "from", "", "first `DAY` or instant, such as 2026-03-31")
	cmd.Flags().StringVar(&until, "until", "", "last `DAY`, or instant at which it ends")
	cobra.CheckErr(cmd.MarkFlagRequired("to"))
	return cmd
}

// grantOf reads the flags as a policy file reads them.
func grantOf(to, from, until string) (acl.Grant, error) {
	text := fmt.Sprintf("[{subject: %q", to)
	for name, value := range map[string]string{"not_before": from, "not_after": until} {
		if value != "" {
			text += fmt.Sprintf(", %s: %q", name, value)
		}
	}
	s, err := policy.ParseSidecar([]byte(text + "}]"))
	if err != nil {
		_, problem, _ := strings.Cut(err.Error(), ": ")
		return acl.Grant{}, usage("%s", problem)
	}
	return s.Allow[0], nil
}

func (p *program) aclRevokeCommand() *cobra.Command {
	var from string
	cmd := &cobra.Command{
		Use: "revoke ID --from SUBJECT", Short: "Deny somebody a document",
		Example: `  ken acl revoke --from user:ann handbook/pay/bands.md`, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			g, err := grantOf(from, "", "")
			if err != nil {
				return err
			}
			return p.override(cmd.Context(), args[0], func(o policy.Override) policy.Override { return o.Revoke(g.Subject) })
		},
	}
	cmd.Flags().StringVar(&from, "from", "", "`SUBJECT` such as user:ann or group:hr")
	cobra.CheckErr(cmd.MarkFlagRequired("from"))
	return cmd
}

func (p *program) aclSetCommand() *cobra.Command {
	var allow, deny []string
	cmd := &cobra.Command{
		Use: "set ID --allow SUBJECTS --deny SUBJECTS", Short: "Replace a document's list",
		Long: `Replace a document's list, earlier grants and revokes included. Without --allow
nobody may read the document. A clearance that its class needs stays needed.`,
		Example: `  ken acl set --allow group:hr,user:ann --deny user:sam handbook/pay/bands.md`, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var grants [2][]acl.Grant
			for i, subjects := range [][]string{allow, deny} {
				for _, s := range subjects {
					g, err := grantOf(s, "", "")
					if err != nil {
						return err
					}
					grants[i] = append(grants[i], g)
				}
			}
			l := acl.NewList(grants[0], grants[1])
			return p.override(cmd.Context(), args[0], func(policy.Override) policy.Override { return policy.Override{Set: &l} })
		},
	}
	cmd.Flags().StringSliceVar(&allow, "allow", nil, "comma-separated `SUBJECTS`")
	cmd.Flags().StringSliceVar(&deny, "deny", nil, "comma-separated `SUBJECTS`")
	return cmd
}

// override changes what is said of a document. The file comes first: a change
// that is in force and that the next ingest would undo is worse than one that
// failed and says so.
func (p *program) override(ctx context.Context, id string, change func(policy.Override) policy.Override) error {
	return p.withDocument(ctx, id, func(store *embedded.Store, d corpora.Document) error {
		path, err := p.overridesFile()
		if err != nil {
			return err
		}
		all, err := policy.ReadOverrides(path)
		if err != nil {
			return err
		}
		old := all[d.ID]
		o := change(old)
		all[d.ID] = o
		if err := all.Write(path); err != nil {
			return err
		}
		l := o.Apply(old.Remove(d.ACL))
		if err := store.SetACL(ctx, d.ID, l); err != nil {
			return err
		}
		showList(p.stdout, l)
		return nil
	})
}

func (p *program) overridesFile() (string, error) {
	dir, err := p.dataDir()
	return filepath.Join(dir, "acl-overrides.json"), err
}

// withDocument opens the index and finds a document.
func (p *program) withDocument(ctx context.Context, id string, do func(*embedded.Store, corpora.Document) error) (err error) {
	dir, err := p.existingDir()
	if err != nil {
		return err
	}
	store, err := p.openStore(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.closeStore(store)) }()
	source, _, _ := strings.Cut(id, "/")
	for d, err := range store.Documents(ctx, source) {
		if err != nil {
			return err
		}
		if string(d.ID) == id {
			return do(store, d)
		}
	}
	return fmt.Errorf("document %q: %w", id, index.ErrNotFound)
}
