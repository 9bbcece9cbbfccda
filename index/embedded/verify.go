package embedded

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// An open believes what it did not read: the checkpoint of the classes, and the
// blocks of the segments. Both are looked at in the background. Until then
//
//   - a block is checked before a search uses it,
//   - a chunk is shown if the checkpoint and the record of its document agree that
//     it may be, so that neither alone can bring back what was revoked,
//   - and a document without chunks, which no checkpoint knows, waits.
const (
	verifyAfter = 2 * time.Second      // what was opened to answer at once is left alone
	verifyPause = 4 * time.Millisecond // per MiB: disk and processor are for those who search
)

// verifying is whether the documents were found to be what the checkpoint says.
type verifying struct {
	done  chan struct{} // closed when they were
	quit  chan struct{} // closed if nobody will know
	hurry chan struct{} // somebody waits
}

func newVerifying() verifying {
	return verifying{make(chan struct{}), make(chan struct{}), make(chan struct{}, 1)}
}

func (t *truth) verified() bool {
	select {
	case <-t.done:
		return true
	default:
		return false
	}
}

// awaitVerified returns nil when the documents were found to be what the checkpoint says.
func (t *truth) awaitVerified(ctx context.Context) error {
	select {
	case t.hurry <- struct{}{}:
	default:
	}
	select {
	case <-t.done:
		return nil
	case <-t.quit:
		return cmp.Or(t.err(), ErrClosed)
	case <-t.logger.stopped:
		return t.err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// verify compares what was opened with what it believed, and then checks the files
// of the segments. It ends with ctx.
func (s *Store) verify(ctx context.Context, st *state) {
	if !s.truth.verified() {
		meta, believed, snapshot := st.meta, classesIn(st), s.truth.db.NewSnapshot()
		s.merger.Go(func() { s.verifyDocuments(ctx, snapshot, meta, believed) })
	}
	s.merger.Go(func() { s.verifyFiles(ctx) })
}

// verifyDocuments compares the documents of the snapshot with the classes that were
// believed to be theirs.
func (s *Store) verifyDocuments(ctx context.Context, snapshot *pebble.Snapshot, meta metaRecord, believed generationClasses) {
	select {
	case <-ctx.Done():
	case <-s.truth.hurry:
	case <-time.After(verifyAfter):
	}
	err := verifyClasses(ctx, snapshot, meta, believed)
	if closing := s.truth.forget(snapshot); closing != nil {
		s.options.Logger.Warn("close a snapshot", "error", closing)
	}
	switch {
	case err == nil:
		close(s.truth.done)
	case ctx.Err() != nil:
		close(s.truth.quit)
	default:
		s.truth.lose(&LostError{s.dir.root, err.Error()})
	}
}

// verifyClasses reads all documents; the error says what is not as it should be.
func verifyClasses(ctx context.Context, r pebble.Reader, meta metaRecord, believed generationClasses) error {
	for _, g := range meta.all() {
		cs, records, err := loadClasses(ctx, r, g.ID)
		if err != nil {
			return err
		}
		if records != meta.Records {
			return errMissing(meta.Revision)
		}
		if !sameClasses(maps.Collect(cs.all()), believed[g.ID]) {
			return fmt.Errorf("the checkpoint of revision %d is not what the documents say; the next start makes it anew", meta.Revision)
		}
	}
	return nil
}

func errMissing(revision uint64) error {
	return fmt.Errorf("records of revision %d are missing or older than they should be", revision)
}

// sameClasses compares those that have documents.
func sameClasses(a, b map[uint32]*class) bool {
	full := func(cs map[uint32]*class) map[uint32]*class {
		out := maps.Clone(cs)
		maps.DeleteFunc(out, func(_ uint32, c *class) bool { return c.documents == 0 })
		return out
	}
	return maps.EqualFunc(full(a), full(b), (*class).same)
}

func (c *class) same(other *class) bool {
	return c.documents == other.documents && c.title == other.title && c.body == other.body && c.key == other.key &&
		c.live.Equals(other.live) && maps.Equal(c.languages, other.languages)
}

// lose stops the store: what it serves may not be what was acknowledged. The next
// open reads the documents.
func (t *truth) lose(lost *LostError) {
	if err := t.dropCheckpoint(); err != nil {
		t.logger.logger.Warn("drop the checkpoint", "error", err)
	}
	t.logger.logger.Error("index stopped", "error", lost)
	t.logger.lost.Store(lost)
	t.logger.Fatalf("%v", lost)
}

// verifyFiles checks every block of every segment. Damage is told to the operator:
// searches that need such a block fail, all others are answered.
func (s *Store) verifyFiles(ctx context.Context) {
	select {
	case <-ctx.Done():
		return
	case <-time.After(verifyAfter):
	}
	for seen := map[string]bool{}; ctx.Err() == nil && s.verifyFile(ctx, seen, pauseVerifying); {
	}
}

// verifyFile checks a segment that was not seen yet, and reports whether there was
// one. It holds a state meanwhile, as a search does: Compact has to wait for whoever
// holds a file.
func (s *Store) verifyFile(ctx context.Context, seen map[string]bool, pause func(context.Context)) bool {
	st, err := s.current()
	if err != nil {
		return false
	}
	defer st.release()
	for _, g := range st.generations() {
		for _, seg := range g.segments {
			if seen[seg.lexFile.name] {
				continue
			}
			seen[seg.lexFile.name] = true
			if err := seg.checkAll(ctx, pause); err != nil && ctx.Err() == nil {
				s.options.Logger.Error("an index file is damaged: restore a backup, or ingest again", "error", err)
			}
			return true
		}
	}
	return false
}

func pauseVerifying(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(verifyPause):
	}
}
