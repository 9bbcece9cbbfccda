package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"ken/cmd/ken/internal/config"
	"ken/corpora"
	"ken/index"
	"ken/index/embedded"
)

// maxVersions bounds what --keep-versions may ask for: a write of a document looks
// at all that it has.
const maxVersions = 100

// errNoDocument is the answer for what is not there and for what may not be read.
var errNoDocument = errors.New("no such document for whoever asks: `ken search` prints the ids")

// keepVersions makes the number of earlier versions the store's, from now on and
// for those that are there.
func keepVersions(ctx context.Context, store *embedded.Store, n int) error {
	store.KeepVersions(n)
	_, err := store.DropVersions(ctx, func(v index.Version, age int) bool { return !v.Pinned && age > n })
	return err
}

// versionStatus is one line of ken versions.
type versionStatus struct {
	Version  string    `json:"version"`
	Current  bool      `json:"current"`
	Pinned   bool      `json:"pinned,omitzero"`
	Title    string    `json:"title"`
	Modified time.Time `json:"modified,omitzero"`
	Replaced time.Time `json:"replaced,omitzero"`
}

func (p *program) versionsCommand() *cobra.Command {
	var as, jsonFile string
	cmd := &cobra.Command{
		Use:   "versions ID",
		Short: "List the versions of a document as a person, the newest first",
		Long: `List the version that a document has now and its earlier ones that are kept.

How many are kept is said with ken ingest --keep-versions N; at first it is none.
Earlier versions are in no search. Who may read them is decided by the document's
permissions now and by those that it had when the version was replaced: both have
to admit whoever asks. Deleting a document deletes its versions; ken export leaves
them out.

ken versions pin keeps a version until it is unpinned, however many are kept.`,
		Example: `  ken versions --as user:ann handbook/people/leave.md
  ken fetch --as user:ann handbook/people/leave.md --version 4c1d…`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			all, err := p.versions(cmd.Context(), as, corpora.DocID(args[0]))
			if err != nil {
				return err
			}
			if jsonFile != "" {
				return p.writeJSON(jsonFile, map[string]any{"versions": all})
			}
			for _, v := range all {
				state := "now"
				if !v.Current {
					state = "until " + v.Replaced.Format(time.RFC3339)
				}
				if v.Pinned {
					state += ", pinned"
				}
				fmt.Fprintf(p.stdout, "%s\t%s\t%s\n", v.Version, state, visible(v.Title))
			}
			return nil
		},
	}
	asFlag(cmd, &as)
	jsonFlag(cmd, &jsonFile)
	cmd.AddCommand(
		p.pinCommand("pin", "Keep a version however many are kept", p.pin),
		p.pinCommand("unpin", "Let a version go with the others", p.unpin),
	)
	return cmd
}

// pinCommand changes whether a version is pinned, for operators.
func (p *program) pinCommand(name, short string, do func(context.Context, *embedded.Store, corpora.DocID, string) error) *cobra.Command {
	return &cobra.Command{
		Use: name + " ID VERSION", Short: short,
		Long: short + `. A pinned version, which may be the one that the document has now, does not
count among those of --keep-versions. It goes with its document, and when
retention.yaml says that it was kept long enough.`,
		Example: `  ken versions ` + name + ` handbook/people/leave.md 4c1d…`, Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			err := p.withStore(func(s *embedded.Store) error { return do(cmd.Context(), s, corpora.DocID(args[0]), args[1]) })
			if errors.Is(err, index.ErrNotFound) {
				return fmt.Errorf("the document %s has no such version: `ken versions` lists them", args[0])
			}
			return err
		},
	}
}

func (p *program) pin(ctx context.Context, s *embedded.Store, id corpora.DocID, version string) error {
	return s.Pin(ctx, id, version)
}

// unpin takes a pin back, and the version with it if it is one too many.
func (p *program) unpin(ctx context.Context, s *embedded.Store, id corpora.DocID, version string) error {
	if err := s.Unpin(ctx, id, version); err != nil {
		return err
	}
	dir, err := p.existingDir()
	if err != nil {
		return err
	}
	settings, err := config.Load(dir)
	if err != nil {
		return err
	}
	return keepVersions(ctx, s, settings.KeepVersions)
}

func (p *program) versions(ctx context.Context, as string, id corpora.DocID) ([]versionStatus, error) {
	who, err := p.asker(ctx, as)
	if err != nil {
		return nil, err
	}
	kb, err := p.open(ctx, searchFlags{})
	if err != nil {
		return nil, err
	}
	defer kb.Close()
	now, earlier, err := kb.Versions(ctx, who, id)
	if errors.Is(err, index.ErrNotFound) {
		return nil, errNoDocument
	}
	if err != nil {
		return nil, err
	}
	out := []versionStatus{{Version: now.Document.Version, Current: true, Pinned: now.Pinned, Title: now.Document.Title, Modified: now.Document.Modified}}
	for _, v := range earlier {
		out = append(out, versionStatus{Version: v.Document.Version, Pinned: v.Pinned, Title: v.Document.Title, Modified: v.Document.Modified, Replaced: v.Replaced})
	}
	return out, nil
}
