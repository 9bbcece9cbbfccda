package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"ken/cmd/ken/internal/config"
	"ken/cmd/ken/internal/ledger"
	"ken/cmd/ken/internal/wire"
	"ken/corpora"
	"ken/index"
	"ken/index/embedded"
)

func (p *program) aclConfirmCommand() *cobra.Command {
	var source string
	cmd := &cobra.Command{
		Use: "confirm --source NAME", Short: "Open a source whose permissions could not be read",
		Long: `When the permissions of a source cannot be read (a policy that is not understood, or
may not be read), nobody knows who may read its documents, so all of them are closed,
and the source is not read again until somebody says that its permissions are right.
This command says so: it reads the source, and its documents are open to whom the
source says. If the permissions still cannot be read, the documents stay closed.`,
		Example: `  ken acl confirm --source handbook`, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.confirm(cmd.Context(), source) },
	}
	cmd.Flags().StringVar(&source, "source", "", "`NAME` of the source, as ken sources shows it")
	cobra.CheckErr(cmd.MarkFlagRequired("source"))
	return cmd
}

func (p *program) confirm(ctx context.Context, source string) error {
	l, err := p.ledger()
	if err != nil {
		return err
	}
	s, ok := l[source]
	switch {
	case !ok:
		return usage("there is no source %q: ken sources lists those that there are", source)
	case s.Doubt == nil:
		fmt.Fprintf(p.stdout, "the permissions of %s are not in doubt\n", visible(source))
		return nil
	}
	dir, err := p.existingDir()
	if err != nil {
		return err
	}
	// The documents stay closed until the run has read who may read them.
	if err := ledger.Trust(dir, source); err != nil {
		return err
	}
	if code := p.ingestAgain(ctx, s, p.host, p.stdout); code != exitOK {
		return exitError{code: code}
	}
	return nil
}

// doubted refuses to read a source that is closed until it is confirmed. It closes
// what an earlier run may have left open.
func (p *program) doubted(ctx context.Context, dir, source string) error {
	l, err := ledger.Read(dir)
	if err != nil {
		return err
	}
	if d := l[source].Doubt; d != nil {
		return p.shutSource(ctx, dir, source, fmt.Errorf("on %s, %s", d.Since.Format("2006-01-02"), d.Reason))
	}
	return nil
}

// shutSource closes all documents of a source whose permissions cannot be read, and
// says so. It is written down first: whatever fails below, no later run opens them.
func (p *program) shutSource(ctx context.Context, dir, source string, cause error) (err error) {
	if _, serr := os.Stat(wire.IndexDir(dir)); errors.Is(serr, fs.ErrNotExist) {
		return cause // there is nothing to close
	}
	l, err := ledger.Read(dir)
	if err != nil {
		return errors.Join(cause, err)
	}
	if _, known := l[source]; !known {
		return cause
	}
	if err := ledger.Distrust(dir, source, p.now(), cause); err != nil {
		return errors.Join(cause, err)
	}
	store, err := p.openStore(dir)
	if err != nil {
		return errors.Join(cause, err)
	}
	defer func() { err = errors.Join(err, p.closeStore(store)) }()
	if err := shutAll(ctx, store, source); err != nil {
		return errors.Join(cause, fmt.Errorf("close the documents of %s: %w", source, err))
	}
	return fmt.Errorf("the permissions of %s cannot be read, so nobody may read its documents until `ken acl confirm --source %s`: %w", source, source, cause)
}

// shutAll closes the documents of a source. What they deny and require stays.
func shutAll(ctx context.Context, store *embedded.Store, source string) error {
	var open []corpora.Document
	for d, err := range store.Documents(ctx, source) {
		if err != nil {
			return err
		}
		if d.Stamp == "" && len(d.ACL.Allow()) == 0 {
			continue
		}
		d.ACL, d.Stamp = d.ACL.Instead(nil, d.ACL.Deny()), "" // the next run reads it again
		open = append(open, d)
	}
	for some := range slices.Chunk(open, 1000) {
		if err := store.Update(ctx, some...); err != nil && !errors.Is(err, index.ErrNotFound) {
			return err
		}
	}
	return nil
}

// inDoubt is the name of the source that an error of reading permissions is about;
// "" if it is about none that was read before under this name and from this place.
func inDoubt(err error, settings config.Settings, c chosen, o ingestOptions, r reading) string {
	named := o.name != "" || c.file != ""
	switch {
	case !errors.Is(err, corpora.ErrPermissions) || o.dryRun:
		return ""
	case r.Source != nil && claim(&settings, r.Name(), r.Place, named) == nil:
		return r.Name()
	case r.Source == nil && named:
		return c.Name
	}
	return ""
}

// doubt is the state of a source in a line.
func doubt(name string, d *ledger.Doubt) string {
	return "closed until ken acl confirm --source " + name + ": " + strings.TrimSpace(d.Reason)
}
