package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"ken/cmd/ken/internal/ledger"
	"ken/corpora/source/folder"
)

func (p *program) watchCommand() *cobra.Command {
	var every time.Duration
	cmd := &cobra.Command{
		Use:   "watch [SOURCE…]",
		Short: "Keep sources up to date as they change",
		Long: `Ingest sources again when they change: folders at once, and all sources every
--every. Without arguments all sources that were ingested before are watched. Between
runs the index is free; while ken serve runs, the server carries the runs out.`,
		Example: `  ken watch
  ken watch handbook --every 30s`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if every <= 0 {
				return usage("--every %s: want a positive duration, such as 1m", every)
			}
			return p.watch(cmd.Context(), args, every)
		},
	}
	cmd.Flags().DurationVar(&every, "every", 5*time.Minute, "time between two looks at a source in which nothing was noticed")
	return cmd
}

func (p *program) watch(ctx context.Context, names []string, every time.Duration) error {
	l, err := p.ledger()
	if err != nil {
		return err
	}
	if len(names) == 0 {
		names = slices.Sorted(maps.Keys(l))
	}
	if len(names) == 0 {
		return usage("there are no sources yet: run ken ingest first")
	}
	for _, name := range names {
		if _, ok := l[name]; !ok {
			return usage("there is no source %q: ken sources lists those that there are", name)
		}
	}
	due := make(chan string)
	var watchers sync.WaitGroup
	defer watchers.Wait()
	for _, name := range names {
		watchers.Go(func() { p.notice(ctx, name, l[name], every, due) })
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case name := <-due:
			p.refresh(ctx, name)
		}
	}
}

// notice sends the source's name at once and whenever it may have changed.
func (p *program) notice(ctx context.Context, name string, s ledger.Source, every time.Duration, due chan<- string) {
	pending := make(chan bool, 1) // changes while a run goes on are one
	mark := func() {
		select {
		case pending <- true:
		default:
		}
	}
	mark()
	var watching sync.WaitGroup
	defer watching.Wait()
	if root := folderOfSource(s); root != "" {
		watching.Go(func() {
			if err := folder.Watch(ctx, root, mark); ctx.Err() == nil {
				fmt.Fprintf(p.stderr, "ken: %v; looking every %s instead\n", err, every)
			}
		})
	}
	// Also for folders: a run may have failed, and some file systems tell nothing.
	looks := time.NewTicker(every)
	defer looks.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-looks.C:
			mark()
		case <-pending:
			select {
			case due <- name:
			case <-ctx.Done():
				return
			}
		}
	}
}

// folderOfSource is the folder that the source is, or "".
func folderOfSource(s ledger.Source) string {
	if len(s.Ingest) == 0 {
		return ""
	}
	if info, err := os.Stat(s.Ingest[0]); err != nil || !info.IsDir() {
		return ""
	}
	return s.Ingest[0]
}

// refresh runs one ingest and says in a line what it did, if it did something.
func (p *program) refresh(ctx context.Context, name string) {
	before, err := p.ledger()
	if err != nil {
		fmt.Fprintf(p.stderr, "ken: %v\n", err)
		return
	}
	code := p.ingestAgain(ctx, before[name], io.Discard)
	after, err := p.ledger()
	if err != nil || ctx.Err() != nil {
		return
	}
	s := after[name]
	if s.Last.Changed > 0 || len(s.Quarantine) != len(before[name].Quarantine) || code == exitFailed {
		fmt.Fprintf(p.stdout, "%s %s: %d changed, %d in quarantine, %.1f s\n",
			s.Last.Started.Format(time.RFC3339), name, s.Last.Changed, len(s.Quarantine), s.Last.Took.Seconds())
	}
}
