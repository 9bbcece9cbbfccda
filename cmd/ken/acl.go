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
  ken acl revoke --from user:ann handbook/pay/bands.md
  ken acl reset handbook/pay/bands.md
  ken acl confirm --source handbook`,
	}
	cmd.AddCommand(p.aclShowCommand(), p.aclExplainCommand(), p.aclGrantCommand(), p.aclRevokeCommand(), p.aclSetCommand(),
		p.aclResetCommand(), p.aclConfirmCommand(), p.aclAsOfCommand())
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
			return p.override(cmd.Context(), args[0], false, func(o policy.Override) policy.Override { return o.Grant(g) })
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
			return p.override(cmd.Context(), args[0], true, func(o policy.Override) policy.Override { return o.Revoke(g.Subject) })
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
			return p.override(cmd.Context(), args[0], false, func(policy.Override) policy.Override { return policy.Override{Set: &l} })
		},
	}
	cmd.Flags().StringSliceVar(&allow, "allow", nil, "comma-separated `SUBJECTS`")
	cmd.Flags().StringSliceVar(&deny, "deny", nil, "comma-separated `SUBJECTS`")
	return cmd
}

// override changes what is said of a document. The file comes first: a change
// that is in force and that the next ingest would undo is worse than one that
// failed and says so.
func (p *program) override(ctx context.Context, id string, closing bool, change func(policy.Override) policy.Override) error {
	return p.withStore(func(store *embedded.Store) error {
		book, err := p.overrides()
		if err != nil {
			return err
		}
		l, err := setOverride(ctx, book, store, corpora.DocID(id), closing, change)
		if err == nil {
			showList(p.stdout, l)
		}
		return err
	})
}

// setOverride writes down what is said of a document and puts it in force. A
// change that is closing opens it to nobody.
func setOverride(ctx context.Context, book *policy.Book, store *embedded.Store, id corpora.DocID, closing bool, change func(policy.Override) policy.Override) (l acl.List, err error) {
	err = book.Do(func(pages *policy.Pages) error {
		d, err := store.Lookup(ctx, id)
		if err != nil {
			return err
		}
		old, ok := pages.Of(id)
		if !ok && d.Stamp != "" { // nothing was said: the list is the source's
			old.Source = &d.ACL
		}
		o := change(old)
		o.Source = old.Source
		if err := pages.Set(id, &o); err != nil {
			return err
		}
		l = o.Apply(old.Remove(d.ACL))
		if closing && len(d.ACL.Allow()) == 0 { // closed, by a fault perhaps: an earlier grant must not open it
			l = l.Instead(nil, l.Deny())
		}
		return store.SetACL(ctx, id, l)
	})
	return l, err
}

func (p *program) overrides() (*policy.Book, error) {
	if p.host != nil {
		return p.host.book, nil
	}
	dir, err := p.dataDir()
	if err != nil {
		return nil, err
	}
	p.books.Lock()
	defer p.books.Unlock()
	if p.book == nil || p.bookOf != dir {
		p.book, p.bookOf = policy.NewBook(filepath.Join(dir, "acl-overrides.json")), dir
	}
	return p.book, nil
}

// withStore opens the index.
func (p *program) withStore(do func(*embedded.Store) error) error {
	dir, err := p.existingDir()
	if err != nil {
		return err
	}
	store, err := p.openStore(dir)
	if err != nil {
		return err
	}
	return errors.Join(do(store), p.closeStore(store))
}

// withDocument opens the index and finds a document.
func (p *program) withDocument(ctx context.Context, id string, do func(*embedded.Store, corpora.Document) error) error {
	return p.withStore(func(store *embedded.Store) error {
		d, err := store.Lookup(ctx, corpora.DocID(id))
		if err != nil {
			return err
		}
		return do(store, d)
	})
}
