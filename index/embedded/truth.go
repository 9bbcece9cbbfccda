package embedded

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/index"
)

// truth is the transactional store. A failure after which it is unknown what is
// on disk is kept, and every later write returns it.
type truth struct {
	db      *pebble.DB
	witness *witness
	logger  *truthLogger
	verifying
	room   room
	recent kept[uint32, *recentChunk]
	acls   kept[uint32, acl.List]
	states atomic.Uint64 // made so far
	// leaving is held for reading by each view's end that goes on in the background,
	// which none does once the store is closed.
	leaving sync.RWMutex
	closed  bool // guarded by leaving
}

// room is how many bytes each kind of what is remembered may take. But for blocks
// it is what the young may; the old may take as much again, see kept.
type room struct {
	chunks    int // with their grams
	lists     int // of postings
	documents int
	readable  int   // sets
	acls      int   // lists of classes
	blocks    int64 // that Pebble keeps unpacked
}

const defaultMemory = 256 << 20

// divide says what becomes of the memory for what is remembered. Other generations
// of the index (see Generation) have lists and documents of their own.
func divide(memory int64) room {
	part := int(memory / 32)
	return room{chunks: 6 * part, lists: 4 * part, documents: part, readable: part, acls: part, blocks: memory / 8}
}

// memTableSize is how much Pebble gathers before it writes a table.
const memTableSize = 16 << 20

// indexSize is more than the index of a table takes. An index of one block is read with
// the table and kept; of one in parts, each part would be a read of its own, before the
// read of the record, and a cold search reads 400 records.
const indexSize = 1 << 20

func openTruth(d directory, r *reserve, memory int64, logger *slog.Logger) (*truth, error) {
	t := &truth{verifying: newVerifying(), room: divide(memory), logger: &truthLogger{logger: logger, reserve: r, stopped: make(chan struct{})}}
	db, err := openPebble(d.join("truth"), t.logger, &pebble.Options{
		FS:                 truthFS{d.fs, t.logger},
		Logger:             t.logger,
		EventListener:      &pebble.EventListener{BackgroundError: t.logger.backgroundError, FlushEnd: t.logger.flushed},
		FormatMajorVersion: pebble.FormatValueSeparation,
		MemTableSize:       memTableSize,
		CacheSize:          t.room.blocks,
		Levels:             [7]pebble.LevelOptions{{IndexBlockSize: indexSize}},
	})
	if err != nil {
		return nil, fmt.Errorf("open truth store: %w", err)
	}
	t.db = db
	last, err := getMark(t.db)
	if err == nil {
		t.witness, err = d.openWitness(last)
	}
	if err != nil {
		return nil, joinClose(err, t.db)
	}
	return t, nil
}

// openPebble returns when the store is open or will not be. Pebble itself waits
// for ever for a flush that fails, as on a full disk, and cannot be told to stop;
// then it is left alone with a file system that lets it rest, see truthFS.
func openPebble(dir string, l *truthLogger, o *pebble.Options) (*pebble.DB, error) {
	type result struct {
		db  *pebble.DB
		err error
	}
	opened := make(chan result, 1)
	go func() {
		db, err := pebble.Open(dir, o)
		opened <- result{db, err}
	}()
	select {
	case r := <-opened:
		l.open.Store(true)
		return r.db, r.err
	case <-l.stopped:
		return nil, l.err()
	}
}

// truthLogger hears Pebble. Pebble reports through Fatalf, which by default ends
// the process, that a write failed and cannot be taken back; here that stops the
// store instead.
type truthLogger struct {
	logger  *slog.Logger
	reserve *reserve
	failed  atomic.Pointer[string]
	lost    atomic.Pointer[LostError] // why it failed, if it was this
	stopped chan struct{}             // closed when failed was set
	hung    atomic.Bool               // Pebble panicked and may hold its locks
	open    atomic.Bool               // pebble.Open has returned
	full    atomic.Bool               // a table cannot be written for lack of space
}

// backgroundError is told why a flush or compaction failed; Pebble tries it again
// at once. What it would write stands in the log too, so a full disk loses
// nothing: the reserve helps first, and after that Pebble waits for space. Any
// other failure may have lost what was synced.
func (l *truthLogger) backgroundError(err error) {
	switch {
	case !noSpace(err):
		l.Fatalf("background: %v", err)
	case l.reserve.giveUp():
		l.logger.Warn("the disk is full: the space kept for permissions is in use", "error", err)
	case !l.open.Load():
		l.Fatalf("%v: %v", ErrFull, err)
	case !l.full.Swap(true):
		l.logger.Error("the disk is full: tables of the truth store wait for space", "error", err)
	}
}

func (l *truthLogger) flushed(info pebble.FlushInfo) {
	if info.Err == nil {
		l.full.Store(false)
	}
}

func (l *truthLogger) Infof(string, ...any) {}

func (l *truthLogger) Errorf(format string, args ...any) {
	l.logger.Error("truth store", "message", fmt.Sprintf(format, args...))
}

func (l *truthLogger) Fatalf(format string, args ...any) {
	message := fmt.Sprintf(format, args...)
	if l.failed.CompareAndSwap(nil, &message) {
		close(l.stopped)
	}
}

// err returns an error that wraps [ErrFailed] or [LostError] if the store has stopped.
func (l *truthLogger) err() error {
	if lost := l.lost.Load(); lost != nil {
		return lost
	}
	if m := l.failed.Load(); m != nil {
		return fmt.Errorf("%w (%s)", ErrFailed, *m)
	}
	return nil
}

// mayLeave holds leaving for reading, unless the store is closed.
func (t *truth) mayLeave() bool {
	t.leaving.RLock()
	if t.closed {
		t.leaving.RUnlock()
		return false
	}
	return true
}

// awaitLeft waits until what views have left is freed.
func (t *truth) awaitLeft(closed bool) {
	t.leaving.Lock()
	defer t.leaving.Unlock()
	t.closed = t.closed || closed
}

func (t *truth) err() error { return t.logger.err() }

// commit makes the batch durable and then says so in the witness, or stops the store.
func (t *truth) commit(b *pebble.Batch, m mark) (err error) {
	defer func() {
		if r := recover(); r != nil { // Pebble panics when it cannot make a new log
			t.logger.hung.Store(true)
			t.logger.Fatalf("commit: %v", r)
			err = t.err()
		}
	}()
	if err := t.err(); err != nil {
		return err
	}
	if err := b.Commit(pebble.Sync); err != nil {
		t.logger.Fatalf("commit: %v", err)
	}
	if err := t.err(); err != nil {
		return err
	}
	if err := t.witness.put(m); err != nil {
		t.logger.Fatalf("%v", err)
	}
	return t.err()
}

// close ends Pebble, unless it panicked: then its locks may be held for ever.
func (t *truth) close() error {
	if t.logger.hung.Load() {
		return t.err()
	}
	return errors.Join(t.err(), t.db.Close(), t.witness.close())
}

func (t *truth) forget(s *pebble.Snapshot) error {
	if t.logger.hung.Load() {
		return nil
	}
	return s.Close()
}

// getMeta returns the meta record of a reader; a new store has the zero record
// with file and class numbers from 1.
func getMeta(r pebble.Reader) (metaRecord, error) {
	m := metaRecord{NextFile: 1, NextClass: 1}
	err := get(r, []byte(metaKey), func(b []byte) error { return json.Unmarshal(b, &m) })
	if errors.Is(err, index.ErrNotFound) {
		return m, nil
	}
	return m, err
}

// get calls f with the value, which lives until f returns; a missing key is
// [index.ErrNotFound].
func get(r pebble.Reader, key []byte, f func([]byte) error) error {
	value, closer, err := r.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return index.ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("read truth store: %w", err)
	}
	return errors.Join(f(value), closer.Close())
}

// getDocument returns a document without its ACL, which is that of the class in its head.
func getDocument(r pebble.Reader, id corpora.DocID) (h documentHead, d corpora.Document, err error) {
	key := documentKey(id)
	err = get(r, key, func(b []byte) (err error) {
		h, d, err = decodeDocument(key, b)
		return err
	})
	return h, d, err
}

// headOf returns the head of a document. It looks through the whole store
// whether the document is there or not, where [get] would stop at the first place
// that has it.
func headOf(ctx context.Context, r pebble.Reader, id corpora.DocID) (h documentHead, err error) {
	key, found := documentKey(id), false
	err = scan(ctx, r, key, append(slices.Clone(key), 0), func(_, value []byte) (bool, error) {
		found = true
		h, _, err = decodeHead(key, value)
		return false, err
	})
	if err == nil && !found {
		err = index.ErrNotFound
	}
	return h, err
}

func getChunk(r pebble.Reader, ordinal uint32) (c index.Chunk, err error) {
	err = get(r, chunkKey(ordinal), func(b []byte) (err error) {
		c, err = decodeChunk(b)
		return err
	})
	c.ID = index.ChunkID(ordinal)
	return c, err
}

// scan calls f with every record in [lower, upper), until f says stop or fails.
// Key and value live until f returns.
func scan(ctx context.Context, r pebble.Reader, lower, upper []byte, f func(key, value []byte) (more bool, err error)) error {
	it, err := r.NewIterWithContext(ctx, &pebble.IterOptions{LowerBound: lower, UpperBound: upper})
	if err != nil {
		return fmt.Errorf("read truth store: %w", err)
	}
	n := 0
	for ok := it.First(); ok; ok = it.Next() {
		if n++; n%1024 == 0 && ctx.Err() != nil {
			return errors.Join(ctx.Err(), it.Close())
		}
		more, err := f(it.Key(), it.Value())
		if err != nil {
			return errors.Join(err, it.Close())
		}
		if !more {
			return it.Close()
		}
	}
	return it.Close()
}

// getClass returns the list of a class.
func getClass(r pebble.Reader, id uint32) (l acl.List, err error) {
	key := classKey(id)
	err = get(r, key, func(b []byte) (err error) {
		l, err = decodeClass(key, b)
		return err
	})
	return l, err
}

// scanDocuments calls f with the id and head of every document.
func scanDocuments(ctx context.Context, r pebble.Reader, f func(id corpora.DocID, h documentHead) error) error {
	lower := []byte{documentPrefix}
	return scan(ctx, r, lower, after(lower), func(key, value []byte) (bool, error) {
		h, _, err := decodeHead(key, value)
		if err != nil {
			return false, fmt.Errorf("document %q: %w", key[1:], err)
		}
		return true, f(corpora.DocID(key[1:]), h)
	})
}

// scanClasses calls f with every ACL class.
func scanClasses(ctx context.Context, r pebble.Reader, f func(id uint32, l acl.List, seal uint32) error) error {
	lower := []byte{classPrefix}
	return scan(ctx, r, lower, after(lower), func(key, value []byte) (bool, error) {
		l, err := decodeClass(key, value)
		if err != nil || len(key) != 5 {
			return false, errors.Join(err, fmt.Errorf("ACL class %x", key[1:]))
		}
		return true, f(classID(key), l, sealOf(value))
	})
}

func classID(key []byte) uint32 { return binary.BigEndian.Uint32(key[1:]) }
