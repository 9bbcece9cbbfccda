package main

import (
	"context"
	"sync"
)

// lanes let the runs of a watch go on side by side, on one open index: a long look
// at one source keeps no change of another waiting.
type lanes struct {
	live, looks chan struct{} // as many as may run

	mu    sync.Mutex
	users int
	here  *host // what the runs share; nil while none goes on
}

// As many runs of each kind go on at once. Looks take hours with large sources,
// and are cheap to wait for.
const (
	liveRuns = 2
	lookRuns = 1
)

func newLanes() *lanes {
	return &lanes{live: make(chan struct{}, liveRuns), looks: make(chan struct{}, lookRuns)}
}

// run waits for room, and then does what is to be done with the index that runs share.
func (l *lanes) run(ctx context.Context, p *program, f *followed, do func(*host)) {
	leave, ok := l.admit(ctx, f)
	if !ok {
		return
	}
	defer leave()
	f.live.Store(false) // what is noticed from now on is another run's
	h := l.enter(ctx, p)
	defer l.leave(p)
	do(h)
}

// admit waits for room in a lane. A look that waits becomes more when a change is
// noticed.
func (l *lanes) admit(ctx context.Context, f *followed) (leave func(), ok bool) {
	for !f.live.Load() {
		select {
		case l.looks <- struct{}{}:
			return func() { <-l.looks }, true
		case <-f.pending:
		case <-ctx.Done():
			return nil, false
		}
	}
	select {
	case l.live <- struct{}{}:
		return func() { <-l.live }, true
	case <-ctx.Done():
		return nil, false
	}
}

// enter opens the index for the first run. If it cannot be opened, because a
// server has it or for a reason that the run itself will tell, there is nothing to
// share: each run finds its own way.
func (l *lanes) enter(ctx context.Context, p *program) *host {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.users++
	if p.host != nil {
		return p.host
	}
	if l.here == nil {
		if h, err := p.openHost(ctx); err == nil {
			l.here = h
		}
	}
	return l.here
}

// leave closes the index after the last run, so that it is free between runs.
func (l *lanes) leave(p *program) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.users--; l.users > 0 || l.here == nil {
		return
	}
	if err := l.here.base.Close(); err != nil {
		p.logger().Error("close the index", "err", err)
	}
	l.here = nil
}

// openHost opens the index for several commands of this process.
func (p *program) openHost(ctx context.Context) (*host, error) {
	dir, err := p.existingDir()
	if err != nil {
		return nil, err
	}
	book, err := p.overrides()
	if err != nil {
		return nil, err
	}
	kb, err := p.open(ctx, searchFlags{})
	if err != nil {
		return nil, err
	}
	return &host{dir: dir, base: kb, book: book}, nil
}
