package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"ken/cmd/ken/internal/ledger"
	"ken/tools/metrics"
	"ken/tools/middleware"
)

// serveMetrics serves counts of calls and the freshness of sources, for operators,
// until the closer is called. There is no key for them, so no other machine may ask.
func (p *program) serveMetrics(ctx context.Context, address string) (*metrics.Metrics, closer, error) {
	l, err := listen(ctx, address)
	if err != nil {
		return nil, nil, err
	}
	if host, _, err := net.SplitHostPort(l.Addr().String()); err != nil || !middleware.IsLoopback(host) {
		return nil, nil, errors.Join(fmt.Errorf(
			"serve metrics: refused: they name your sources, and anybody could read them at %s; use a loopback address, and a proxy that knows who asks if another machine collects them", l.Addr()), l.Close())
	}
	m := metrics.New(version, p.rememberedFreshness(ctx), p.logger())
	server := &http.Server{Handler: m.Handler(), ReadHeaderTimeout: 10 * time.Second, WriteTimeout: time.Minute, MaxHeaderBytes: 16 << 10}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	fmt.Fprintf(p.stderr, "metrics at http://%s%s\n", l.Addr(), metrics.Path)
	return m, func() error {
		err := server.Close()
		if serving := <-ended; !errors.Is(serving, http.ErrServerClosed) {
			err = errors.Join(err, serving)
		}
		return err
	}, nil
}

// closer is an io.Closer that is a function.
type closer func() error

func (c closer) Close() error { return c() }

// freshnessFor is how long the freshness of sources is remembered: to look for
// changes in a folder is to list it.
const freshnessFor = time.Minute

func (p *program) rememberedFreshness(ctx context.Context) func() ([]metrics.Source, error) {
	var mu sync.Mutex
	var known []metrics.Source
	var at time.Time
	return func() ([]metrics.Source, error) {
		mu.Lock()
		defer mu.Unlock()
		if now := p.now(); at.IsZero() || now.Sub(at) >= freshnessFor {
			all, err := p.freshness(ctx)
			if err != nil {
				return nil, err
			}
			known, at = all, now
		}
		return known, nil
	}
}

// freshness tells of every source that was ever read.
func (p *program) freshness(ctx context.Context) ([]metrics.Source, error) {
	dir, err := p.existingDir()
	if err != nil {
		return nil, err
	}
	l, err := ledger.Read(dir)
	if err != nil {
		return nil, err
	}
	var out []metrics.Source
	for _, name := range slices.Sorted(maps.Keys(l)) {
		s := l[name]
		oldest, err := p.unsynced(ctx, dir, name, s)
		if err != nil {
			return nil, err
		}
		out = append(out, metrics.Source{
			Name: name, Synced: s.LastGood, Unsynced: oldest, Failed: s.Last.Error != "", Closed: s.Doubt != nil, Quarantined: len(s.Quarantine),
		})
	}
	return out, nil
}
