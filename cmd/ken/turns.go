package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// turns let runs of one source follow each other. Of two at once, the one that had
// read its documents first could write them last, over a newer version and over
// permissions that somebody was told are in force.
type turns struct {
	mu    sync.Mutex
	going map[string]chan struct{} // by source; closed when the run ends
}

// turn is the right to run, once it is taken. The zero turn is not taken.
type turn struct{ end func() }

// begin tries to begin a run of a source. If another goes on, it returns what is
// closed when that ends.
func (t *turns) begin(source string) (mine turn, other <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if other := t.going[source]; other != nil {
		return turn{}, other
	}
	if t.going == nil {
		t.going = map[string]chan struct{}{}
	}
	going := make(chan struct{})
	t.going[source] = going
	return turn{func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		delete(t.going, source)
		close(going)
	}}, nil
}

// takeTurn waits until no run of the source goes on in this process; others keep out
// each other by the lock of the index.
func (p *program) takeTurn(ctx context.Context, source string) (mine turn, waited bool, err error) {
	if p.host == nil {
		return turn{func() {}}, false, nil
	}
	for {
		mine, other := p.host.turns.begin(source)
		if other == nil {
			return mine, waited, nil
		}
		if !waited {
			fmt.Fprintf(p.stderr, "ken: waiting for the run of %s that goes on\n", visible(source))
		}
		waited = true
		select {
		case <-other:
		case <-ctx.Done():
			return turn{}, waited, ctx.Err()
		}
	}
}

// openInTurn opens a source, and takes its turn unless nothing will be changed.
func (p *program) openInTurn(ctx context.Context, c chosen, o ingestOptions, dir string) (r reading, mine turn, err error) {
	if r, err = p.openSource(ctx, c, o, dir); err != nil || o.dryRun {
		return r, mine, err
	}
	mine, waited, err := p.takeTurn(ctx, r.Name())
	if err != nil {
		return r, mine, errors.Join(err, r.Close())
	}
	if waited { // what is said of it may have changed meanwhile
		if err = r.Close(); err == nil {
			r, err = p.openSource(ctx, c, o, dir)
		}
	}
	return r, mine, err
}
