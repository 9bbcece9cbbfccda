package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"ken/cmd/ken/internal/ledger"
	"ken/corpora/source/folder"
)

func (p *program) watchCommand() *cobra.Command {
	var every time.Duration
	var webhook string
	cmd := &cobra.Command{
		Use:   "watch [SOURCE…]",
		Short: "Keep sources up to date as they change",
		Long: `Ingest sources again when they change: folders and what is pushed at once, and all
sources every --every. Without arguments all sources that were ingested before are
watched. What was noticed goes ahead of looks that were due. Between runs the index is
free; while ken serve runs, the server carries the runs out.

With --webhook, sources with the URL webhook:// take documents that are pushed to
http://ADDRESS/webhooks/NAME, each request signed with the source's secret. Streams of
brokers are followed without a flag. What was acknowledged is on disk, also if nothing
ingests it for a while.`,
		Example: `  ken watch
  ken watch handbook --every 30s
  ken watch --webhook 127.0.0.1:7338`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if every <= 0 {
				return usage("--every %s: want a positive duration, such as 1m", every)
			}
			return p.watch(cmd.Context(), args, every, webhook)
		},
	}
	notEmpty(cmd, &webhook, "webhook", "take pushed documents at this loopback `ADDRESS`, such as 127.0.0.1:7338")
	cmd.Flags().DurationVar(&every, "every", 5*time.Minute, "time between two looks at a source in which nothing was noticed")
	return cmd
}

func (p *program) watch(ctx context.Context, names []string, every time.Duration, webhook string) error {
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
	var all []*followed
	for _, name := range names {
		s, ok := l[name]
		if !ok {
			return usage("there is no source %q: ken sources lists those that there are", name)
		}
		f, err := p.follow(name, s)
		if err != nil {
			return err
		}
		all = append(all, f)
	}
	ctx, cancel := context.WithCancel(ctx)
	var watchers sync.WaitGroup
	defer watchers.Wait()
	defer cancel()
	if err := p.takePushes(ctx, webhook, all, &watchers); err != nil {
		return err
	}
	runs := newLanes()
	for _, f := range all {
		watchers.Go(func() { p.notice(ctx, f, every, runs) })
	}
	<-ctx.Done()
	return nil
}

// followed is a source that is watched.
type followed struct {
	name    string
	pending chan struct{}                   // something is to be done; changes while a run goes on are one
	live    atomic.Bool                     // a change was noticed, and not just the time
	pushed  *pushed                         // nil unless its documents are pushed
	changes func(ctx context.Context) error // calls mark when it notices something; nil: nothing can tell
}

func (f *followed) mark() {
	f.live.Store(true)
	f.look()
}

// look asks for a run though nothing was noticed.
func (f *followed) look() {
	select {
	case f.pending <- struct{}{}:
	default:
	}
}

// follow finds out how changes of a source can be noticed.
func (p *program) follow(name string, s ledger.Source) (f *followed, err error) {
	f = &followed{name: name, pending: make(chan struct{}, 1)}
	if f.pushed, err = p.pushed(name, s); err != nil {
		return nil, err
	}
	if root := folderOfSource(s); root != "" {
		f.changes = func(ctx context.Context) error { return folder.Watch(ctx, root, f.mark) }
	} else if f.pushed != nil && f.pushed.Feed != nil {
		f.changes = func(ctx context.Context) error { return p.feed(ctx, f) }
	}
	return f, nil
}

// notice ingests the source at once and whenever it may have changed.
func (p *program) notice(ctx context.Context, f *followed, every time.Duration, runs *lanes) {
	f.look()
	var watching sync.WaitGroup
	defer watching.Wait()
	if f.changes != nil {
		watching.Go(func() {
			if err := f.changes(ctx); ctx.Err() == nil {
				fmt.Fprintf(p.stderr, "ken: %s: %v; looking every %s instead\n", f.name, err, every)
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
			f.look()
		case <-f.pending:
			runs.run(ctx, p, f, func(h *host) { p.refresh(ctx, f.name, h) })
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
func (p *program) refresh(ctx context.Context, name string, h *host) {
	before, err := p.ledger()
	if err != nil {
		fmt.Fprintf(p.stderr, "ken: %v\n", err)
		return
	}
	code := p.ingestAgain(ctx, before[name], h, io.Discard)
	after, err := p.ledger()
	if err != nil || ctx.Err() != nil {
		return
	}
	s := after[name]
	if s.Last.Started.Equal(before[name].Last.Started) {
		return // it was refused before it began, and said why
	}
	if s.Last.Changed > 0 || len(s.Quarantine) != len(before[name].Quarantine) || code == exitFailed {
		fmt.Fprintf(p.stdout, "%s %s: %d changed, %d in quarantine, %.1f s\n",
			s.Last.Started.Format(time.RFC3339), name, s.Last.Changed, len(s.Quarantine), s.Last.Took.Seconds())
	}
}
