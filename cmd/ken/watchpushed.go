package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"ken/cmd/ken/internal/config"
	"ken/cmd/ken/internal/ledger"
	"ken/cmd/ken/internal/receipt"
	"ken/cmd/ken/internal/wire"
	"ken/corpora"
	"ken/corpora/source/item"
	"ken/corpora/source/spool"
	"ken/corpora/source/webhook"
)

// spoolsOf is where a data directory keeps what was pushed, by source.
func spoolsOf(dir string) string { return filepath.Join(dir, "spool") }

// pushed is a source whose documents are pushed, and where they are kept.
type pushed struct {
	wire.Stream
	spool *spool.Spool
}

// pushed opens the spool of a source that is pushed to; nil for any other.
func (p *program) pushed(name string, s ledger.Source) (*pushed, error) {
	c, err := configOf(name, s)
	if err != nil || c.URL == "" {
		return nil, err
	}
	dir, err := p.existingDir()
	if err != nil {
		return nil, err
	}
	stream, ok, err := wire.OpenStream(c, p.getenv, spoolsOf(dir))
	if err != nil || !ok {
		return nil, err
	}
	if err := os.MkdirAll(spoolsOf(dir), 0o700); err != nil {
		return nil, err
	}
	out := &pushed{Stream: stream}
	out.spool, err = spool.Open(stream.Spool)
	return out, err
}

// configOf is what a source was told when it was ingested: the arguments are those
// of chosen.again.
func configOf(name string, s ledger.Source) (config.Source, error) {
	if len(s.Ingest) < 2 {
		return config.Source{}, nil
	}
	file, inFile := strings.CutPrefix(s.Ingest[1], "--config=")
	if !inFile {
		return config.Source{Name: name, URL: s.Ingest[0]}, nil
	}
	all, err := config.LoadSources(file)
	if err != nil {
		return config.Source{}, err
	}
	i := slices.IndexFunc(all, func(c config.Source) bool { return c.Name == name })
	if i < 0 {
		return config.Source{}, nil // it was taken out; the run says so
	}
	return all[i], nil
}

// feed fills the spool from the broker until the context ends. What fails is tried
// again after a pause that grows until a message was kept.
func (p *program) feed(ctx context.Context, f *followed) error {
	for failed := 0; ; failed++ {
		consumer, err := f.pushed.spool.Consumer()
		if err == nil {
			err = f.pushed.Feed(ctx, consumer, func(message []byte, place string) error {
				err := f.keep(message, place)
				if err == nil {
					failed = 0
				}
				return err
			})
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		wait := pause(failed)
		fmt.Fprintf(p.stderr, "ken: %s: %v; trying again in %s\n", f.name, err, wait.Round(100*time.Millisecond))
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
}

// pause is how long to wait after so many failures in a row: a second, twice as long
// each time, a minute at most, and up to a quarter less, so that followers of a
// broker that is back do not all come at once.
func pause(failed int) time.Duration {
	wait := min(time.Second<<min(failed, 6), time.Minute)
	return wait - time.Duration(rand.Int64N(int64(wait/4)))
}

// keep makes a message of a broker durable.
func (f *followed) keep(message []byte, place string) error {
	changed, err := f.pushed.spool.Take(message, place)
	if changed {
		f.mark()
	}
	return err
}

// takePushes listens for webhooks until the context ends.
func (p *program) takePushes(ctx context.Context, address string, all []*followed, running *sync.WaitGroup) error {
	var hooks []webhook.Hook
	for _, f := range all {
		if f.pushed == nil || f.pushed.Feed != nil {
			continue
		}
		hooks = append(hooks, webhook.Hook{
			Source: f.name, Secret: []byte(f.pushed.Secret), Limit: f.pushed.Limit,
			Apply: func(m spool.Message) (bool, error) {
				changed, err := f.pushed.spool.Apply(m)
				if changed {
					f.mark()
				}
				return changed, err
			},
		})
	}
	switch {
	case address == "" && len(hooks) > 0:
		fmt.Fprintf(p.stderr, "ken: nobody can push to %s: add --webhook 127.0.0.1:7338\n", hooks[0].Source)
		return nil
	case address == "":
		return nil
	case len(hooks) == 0:
		return usage("--webhook: no source that is watched has the URL webhook://")
	}
	handler, err := webhook.New(p.now, p.logger(), hooks...)
	if err != nil {
		return fmt.Errorf("%w: put it into $%s or name its place in %s", err, config.SecretVar("NAME"), config.ConfigFile)
	}
	listener, err := listen(ctx, address)
	if err != nil {
		return err
	}
	if a, ok := listener.Addr().(*net.TCPAddr); !ok || !a.IP.IsLoopback() {
		return errors.Join(usage("--webhook %s: pushes are taken on loopback only, since they are not encrypted: put a proxy that speaks TLS before it", address), listener.Close())
	}
	fmt.Fprintf(p.stderr, "taking pushes on http://%s%sNAME\n", listener.Addr(), webhook.Path)
	running.Go(func() { p.serveHooks(ctx, listener, handler) })
	return nil
}

// serveHooks serves until the context ends, and lets requests that are there end.
func (p *program) serveHooks(ctx context.Context, l net.Listener, h http.Handler) {
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: time.Minute, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10}
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(ended)
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		_ = server.Shutdown(last) // what has not ended by then was not acknowledged
	})
	err := server.Serve(l)
	if !stop() {
		<-ended
	}
	if !errors.Is(err, http.ErrServerClosed) {
		fmt.Fprintf(p.stderr, "ken: no more pushes are taken: %v\n", err)
	}
}

// unspool removes documents that were deleted from what was pushed.
func unspool(dir string, s receipt.Statement) error {
	spools := map[string]*spool.Spool{}
	for _, d := range s.Deleted {
		if _, seen := spools[d.Source]; !seen {
			kept, err := existingSpool(dir, d.Source)
			if err != nil {
				return err
			}
			spools[d.Source] = kept
			if kept != nil && !s.KeptOut {
				if err := kept.Clear(); err != nil {
					return err
				}
			}
		}
		if kept := spools[d.Source]; kept != nil && s.KeptOut {
			if err := kept.Erase(pathIn(d.ID)); err != nil {
				return err
			}
		}
	}
	return nil
}

// respool lets documents be pushed again.
func respool(dir string, ids []corpora.DocID) error {
	for _, id := range ids {
		source, _, _ := strings.Cut(string(id), "/")
		kept, err := existingSpool(dir, source)
		if err == nil && kept != nil {
			err = kept.Readmit(pathIn(id))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// existingSpool is the spool of a source, nil if it has none.
func existingSpool(dir, source string) (*spool.Spool, error) {
	place := wire.SpoolOf(spoolsOf(dir), source)
	if _, err := os.Stat(place); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return spool.Open(place)
}

// pathIn is what an id has behind the name of its source, where what can be no path
// stands quoted.
func pathIn(id corpora.DocID) string {
	_, path, _ := strings.Cut(string(id), "/")
	if plain, err := strconv.Unquote(path); err == nil && item.CheckPath(path) != nil {
		return plain
	}
	return path
}
