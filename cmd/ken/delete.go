package main

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"ken/cmd/ken/internal/config"
	"ken/cmd/ken/internal/ledger"
	"ken/cmd/ken/internal/receipt"
	"ken/corpora"
	"ken/corpora/policy"
	"ken/index/embedded"
)

type deleteOptions struct {
	source, reason, receipt string
	ids                     []string
	all                     bool
}

func (p *program) deleteCommand() *cobra.Command {
	var o deleteOptions
	cmd := &cobra.Command{
		Use:   "delete --source NAME (--id ID | --all) --reason TEXT",
		Short: "Delete documents for good, with a signed receipt",
		Long: `Delete documents from texts, postings, vectors and logs: when the command returns, no
byte of their text is left in the index. An id deleted with --id is kept out: a later
ingest or import does not bring it back, until ken delete --allow-again ID says that
it may.

--all removes a whole source and keeps nothing out: ingest it again and it is back.

The receipt says what was deleted, when, why and by whom, and is signed with a key of
the data directory (ken receipt key). Copies that were exported or backed up before
are not reached.`,
		Example: `  ken delete --source handbook --id handbook/people/ann.md --reason "request 1042"
  ken delete --source old-wiki --all --reason "moved"
  ken delete --allow-again handbook/people/ann.md`,
		Args: cobra.NoArgs,
	}
	var again []string
	f := cmd.Flags()
	f.StringVar(&o.source, "source", "", "`NAME` of the source")
	f.StringArrayVar(&o.ids, "id", nil, "`ID` of a document (repeatable)")
	f.BoolVar(&o.all, "all", false, "all documents of the source")
	f.StringVar(&o.reason, "reason", "", "why, for the receipt")
	f.StringVar(&o.receipt, "receipt", "-", "write the receipt to `FILE` (- is standard output)")
	f.StringArrayVar(&again, "allow-again", nil, "let a deleted `ID` come back with the next ingest (repeatable)")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if len(again) > 0 {
			return p.allowAgain(cmd.Context(), again)
		}
		return p.delete(cmd.Context(), o)
	}
	return cmd
}

func (o deleteOptions) validate() error {
	switch {
	case o.source == "":
		return usage("--source NAME is needed")
	case o.all == (len(o.ids) > 0):
		return usage("say what to delete: --id ID or --all")
	case strings.TrimSpace(o.reason) == "":
		return usage("--reason TEXT is needed: it stands in the receipt")
	}
	return nil
}

func (p *program) delete(ctx context.Context, o deleteOptions) (err error) {
	if err := o.validate(); err != nil {
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
	if o.all { // a run that goes on would bring documents back after the receipt; those of --id are kept out
		mine, _, err := p.takeTurn(ctx, o.source)
		if err != nil {
			return err
		}
		defer mine.end()
	}
	found, err := o.find(ctx, store)
	if err != nil {
		return err
	}
	book, err := p.overrides()
	if err != nil {
		return err
	}
	if err := o.remove(ctx, book, store, found); err != nil {
		return err
	}
	if err := o.forget(dir, found); err != nil {
		return err
	}
	return p.certify(ctx, store, dir, o.receipt, receipt.Statement{Deleted: found, By: string(by), Reason: o.reason, KeptOut: !o.all})
}

// certify removes the bytes of deleted documents and writes the receipt.
func (p *program) certify(ctx context.Context, store *embedded.Store, dir, file string, s receipt.Statement) error {
	if err := unspool(dir, s); err != nil {
		return fmt.Errorf("the documents are deleted from the index, but not from what was pushed: run the command again: %w", err)
	}
	if err := store.Compact(ctx); err != nil {
		return fmt.Errorf("the documents are deleted, but bytes of them may still be on disk: run the command again: %w", err)
	}
	stats, err := store.Stats()
	if err != nil {
		return err
	}
	s.Version, s.At, s.Revision, s.Compacted = 1, p.now().UTC(), stats.Revision, true
	r, err := receipt.Sign(dir, s)
	if err != nil {
		return err
	}
	return p.writeJSON(file, r)
}

// find returns the documents that are meant. An id that is not there is kept out
// all the same.
func (o deleteOptions) find(ctx context.Context, store *embedded.Store) (found []receipt.Deleted, err error) {
	wanted := map[string]bool{}
	for _, id := range o.ids {
		if !strings.HasPrefix(id, o.source+"/") {
			return nil, usage("--id %q is not of the source %q: ids begin with the source's name and a slash", id, o.source)
		}
		wanted[id] = true
	}
	for e, err := range store.Entries(ctx, o.source) {
		if err != nil {
			return nil, err
		}
		if d := e.Document; o.all || wanted[string(d.ID)] {
			found = append(found, receipt.Deleted{ID: d.ID, Source: d.Source, Version: d.Version, Chunks: len(e.Chunks)})
			delete(wanted, string(d.ID))
		}
	}
	for id := range wanted {
		found = append(found, receipt.Deleted{ID: corpora.DocID(id), Source: o.source})
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("the source %q has no documents: ken sources lists those that have", o.source)
	}
	slices.SortFunc(found, func(a, b receipt.Deleted) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return found, nil
}

func (o deleteOptions) remove(ctx context.Context, book *policy.Book, store *embedded.Store, found []receipt.Deleted) error {
	ids := idsOf(found)
	if !o.all {
		return erase(ctx, book, store, ids...)
	}
	if err := store.Delete(ctx, ids...); err != nil {
		return err
	}
	return book.Do(func(pages *policy.Pages) error { return pages.Forget(ids...) })
}

// erase removes documents for good, and then what was said of them by hand. While
// it holds the book no ingest can bring one of them.
func erase(ctx context.Context, book *policy.Book, store *embedded.Store, ids ...corpora.DocID) error {
	return book.Do(func(pages *policy.Pages) error {
		if err := store.Erase(ctx, ids...); err != nil {
			return err
		}
		return pages.Forget(ids...)
	})
}

func idsOf(found []receipt.Deleted) []corpora.DocID {
	ids := make([]corpora.DocID, len(found))
	for i, d := range found {
		ids[i] = d.ID
	}
	return ids
}

// forget removes the documents from what is known of the sources.
func (o deleteOptions) forget(dir string, found []receipt.Deleted) error {
	source, ids := "", idsOf(found)
	if o.all {
		source = o.source
	}
	if err := ledger.Forget(dir, source, ids...); err != nil {
		return err
	}
	settings, err := config.Load(dir)
	if err != nil || !o.all || settings.Folders[o.source] == "" {
		return err
	}
	delete(settings.Folders, o.source)
	return config.Save(dir, settings)
}

func (p *program) allowAgain(ctx context.Context, ids []string) error {
	documents := make([]corpora.DocID, len(ids))
	for i, id := range ids {
		documents[i] = corpora.DocID(id)
	}
	dir, err := p.existingDir()
	if err != nil {
		return err
	}
	return p.withStore(func(store *embedded.Store) error {
		return errors.Join(store.Readmit(ctx, documents...), respool(dir, documents))
	})
}

func (p *program) receiptCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "receipt", Short: "Verify receipts of ken delete",
		Example: `  ken receipt key
  ken receipt verify receipt.json --key "$(ken receipt key)"`,
	}
	var key string
	verify := &cobra.Command{
		Use: "verify FILE", Short: "Check that a receipt is genuine, and print what it says",
		Long: `Check a receipt's signature and print what it says. Exit code 1 if it proves nothing.

Without --key the key of this data directory is used. Whoever checks receipts of
others needs their key by another way than the receipt itself.`,
		Example: `  ken receipt verify receipt.json`, Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return p.verifyReceipt(args[0], key) },
	}
	verify.Flags().StringVar(&key, "key", "", "public `KEY`, as ken receipt key prints it")
	cmd.AddCommand(verify, &cobra.Command{
		Use: "key", Short: "Print the public key that receipts are signed with", Example: `  ken receipt key`, Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			dir, err := p.existingDir()
			if err != nil {
				return err
			}
			public, err := receipt.PublicKey(dir)
			if err == nil {
				fmt.Fprintln(p.stdout, base64.StdEncoding.EncodeToString(public))
			}
			return err
		},
	})
	return cmd
}

func (p *program) verifyReceipt(file, key string) error {
	text, err := os.ReadFile(p.path(file))
	if err != nil {
		return err
	}
	var public ed25519.PublicKey
	if key != "" {
		if public, err = base64.StdEncoding.DecodeString(key); err != nil {
			return usage("--key: %w", err)
		}
	} else {
		dir, err := p.existingDir()
		if err != nil {
			return err
		}
		if public, err = receipt.PublicKey(dir); err != nil {
			return err
		}
	}
	s, err := receipt.Verify(text, public)
	if err != nil {
		return err
	}
	return p.writeJSON("-", s)
}
