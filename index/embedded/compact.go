package embedded

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"time"
)

// Compact writes everything that is live anew and removes the rest, so that no
// byte of a deleted document is left in the store's files, nor in what searches
// remember. It waits for searches
// that still use what was there before. On a large store it takes as long as
// writing all of it.
func (s *Store) Compact(ctx context.Context) error {
	s.merging.Lock()
	defer s.merging.Unlock()
	if err := s.truth.awaitVerified(ctx); err != nil { // it holds a snapshot
		return fmt.Errorf("compact: %w", err)
	}
	if err := s.rewrite(ctx); err != nil {
		return fmt.Errorf("compact: %w", err)
	}
	if err := s.alone(ctx); err != nil {
		return fmt.Errorf("compact: wait for searches that run: %w", err)
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	st, err := s.current() // keeps the truth open
	if err != nil {
		return fmt.Errorf("compact: %w", err)
	}
	defer st.release()
	st.forget() // nobody can add what is deleted: the states that had it are gone
	if err := s.truth.compact(ctx, s.dir); err != nil {
		return fmt.Errorf("compact the truth store: %w", err)
	}
	return nil
}

// rewrite writes all live rows of each generation anew, in as few segments as their
// sizes allow.
func (s *Store) rewrite(ctx context.Context) error {
	return s.write(&request{ctx: ctx, alone: true, apply: func(c *change) error {
		for _, part := range c.parts {
			if part.base != nil {
				if err := part.rewrite(ctx); err != nil {
					return err
				}
			}
		}
		return nil
	}}, "rewrite")
}

func (c *change) rewrite(ctx context.Context) error {
	all := c.base.segments
	most := maxSize(all)
	for i, j := 0, 0; i < len(all); i = j {
		j = i + fitting(all[i:], most)
		merged, err := c.whole.merge(ctx, c.base, i, j)
		if err == nil {
			err = c.adopt(all[i:j], merged)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// alone waits until the newest state is the only one: older ones hold files, and
// snapshots for which Pebble keeps what was deleted.
func (s *Store) alone(ctx context.Context) error {
	return poll(ctx, func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.state == nil || s.states <= len(s.state.generations())
	})
}

func poll(ctx context.Context, done func() bool) error {
	for !done() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
	return nil
}

// compact drops deleted records from tables and logs. Nobody writes meanwhile.
func (t *truth) compact(ctx context.Context, d directory) error {
	if err := t.db.Flush(); err != nil {
		return err
	}
	if err := t.db.Compact(ctx, []byte{0}, []byte{0xff}, false); err != nil {
		return err
	}
	if err := poll(ctx, func() bool { // tables are removed in the background
		m := t.db.Metrics()
		return m.Table.ObsoleteCount == 0 && m.Table.ZombieCount == 0
	}); err != nil {
		return err
	}
	return removeOldLogs(d)
}

// removeOldLogs deletes the logs before the one in use, which holds nothing yet.
// Pebble keeps them, with what was written to them, to use their space again; that
// they are gone is seen to by [truthFS].
func removeOldLogs(d directory) error {
	dir := d.join("truth")
	names, err := d.fs.List(dir)
	if err != nil {
		return err
	}
	names = slices.DeleteFunc(names, func(n string) bool { return path.Ext(n) != ".log" })
	slices.Sort(names) // numbers of one length
	for _, name := range names[:max(len(names)-1, 0)] {
		if err := d.fs.Remove(d.fs.PathJoin(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return d.sync(dir)
}
