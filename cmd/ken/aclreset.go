package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/corpora/policy"
	"ken/index/embedded"
)

func (p *program) aclResetCommand() *cobra.Command {
	return &cobra.Command{
		Use: "reset ID", Short: "Forget what was said by hand: back to what the source says",
		Long: `Forget every grant, revoke and set that was made for a document with ken acl, and
every list that an administrator set through an assistant. What the source said when
it was read last is in force again. A document that was deleted comes back with
ken delete --allow-again alone.`,
		Example: `  ken acl reset handbook/pay/bands.md`, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withStore(func(store *embedded.Store) error {
				book, err := p.overrides()
				if err != nil {
					return err
				}
				return book.Do(func(pages *policy.Pages) error {
					return p.reset(cmd.Context(), pages, store, corpora.DocID(args[0]))
				})
			})
		},
	}
}

func (p *program) reset(ctx context.Context, pages *policy.Pages, store *embedded.Store, id corpora.DocID) error {
	o, ok := pages.Of(id)
	d, err := store.Lookup(ctx, id)
	if err != nil {
		return err
	}
	if !ok {
		fmt.Fprintln(p.stdout, "nothing was said of it by hand")
		showList(p.stdout, d.ACL)
		return nil
	}
	source, known := sourceList(o, d)
	// First nobody is admitted whom only one of the two admits: whatever fails
	// below, no list is in force that is wider than what is written down.
	if err := store.SetACL(ctx, id, acl.Both(d.ACL, source)); err != nil {
		return err
	}
	if err := pages.Forget(id); err != nil {
		return err
	}
	d.ACL = source
	if !known {
		d.Stamp = "" // read it again
		fmt.Fprintln(p.stdout, "what the source says is not known: nobody may read it until the next ingest")
	}
	if err := store.Update(ctx, d); err != nil {
		return err
	}
	showList(p.stdout, source)
	return nil
}

// sourceList is what the source says of a document, as far as it is known. A
// document without a stamp could not be read last time: nobody knows.
func sourceList(o policy.Override, d corpora.Document) (l acl.List, known bool) {
	closed := d.ACL.Instead(nil, d.ACL.Deny())
	switch {
	case d.Stamp == "":
		return closed, false
	case o.Source != nil:
		return *o.Source, true
	case o.Set == nil:
		return o.Remove(d.ACL), true
	}
	return closed, false
}
