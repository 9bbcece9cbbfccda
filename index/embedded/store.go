package embedded

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"path"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/embed"
	"ken/index"
)

// Store is an index in a directory. It may be used by several goroutines.
type Store struct {
	options Options
	dir     directory
	truth   *truth
	reserve *reserve
	lock    io.Closer

	queue     queue
	merging   sync.Mutex // held by the one merge that goes on; taken before writing
	writing   sync.Mutex // held by the one commit that goes on
	byList    byList     // guarded by writing
	forgotten string     // where a write goes on to drop old history; guarded by writing, see forget
	journal   journal    // guarded by writing

	analyzers sync.Pool // of *analyzer
	nextFile  atomic.Uint64
	keep      atomic.Int32       // earlier versions of a document; see KeepVersions
	wake      chan struct{}      // there may be something to merge
	stop      context.CancelFunc // ends the merger
	merger    sync.WaitGroup     // and of what verifies

	mu     sync.Mutex // guards what follows
	state  *state     // nil when closed
	states int        // states that are not freed yet
	freed  error      // what went wrong when they were
	closed chan struct{}
	makers map[uint32]Maker // by generation
}

// Open opens the store in dir, which is made if it does not exist. The errors
// [*InUseError] and [*FormatError] say that nothing was touched.
func Open(dir string, o Options) (*Store, error) {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	d := directory{fs: o.FS, root: dir, mapped: o.onDisk()}
	if err := d.create(dir); err != nil {
		return nil, err
	}
	lock, err := lockDirectory(d, o)
	if err != nil {
		return nil, err
	}
	s := &Store{options: o, dir: d, lock: lock, closed: make(chan struct{}), wake: make(chan struct{}, 1)}
	if err := s.open(); err != nil {
		return nil, fmt.Errorf("open index: %w", joinClose(err, lock))
	}
	return s, nil
}

func (s *Store) open() (err error) {
	old, err := s.dir.checkFormat()
	if err != nil {
		return err
	}
	if err := s.dir.create(s.dir.segments()); err != nil {
		return err
	}
	s.reserve = s.dir.openReserve(s.options.Reserve)
	if s.truth, err = openTruth(s.dir, s.reserve, s.options.Memory, s.options.Logger); err != nil {
		return err
	}
	st, err := s.load(old)
	if err != nil {
		return errors.Join(err, s.truth.close())
	}
	s.state, s.states, s.byList = st, 1+len(st.others), listsOf(st.classes)
	s.nextFile.Store(st.meta.NextFile)
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	s.merger.Go(func() { s.mergeInBackground(ctx) })
	if s.journal.stale {
		if err := s.saveCheckpoint(st); err != nil {
			s.options.Logger.Warn("the next start reads the documents again", "error", err)
		}
	}
	for _, g := range st.generations() {
		for _, seg := range g.segments {
			seg.lex.Fetch()
		}
	}
	s.verify(ctx, st)
	return nil
}

// load builds the state that the truth describes and deletes the files that it
// does not name. The files of an old directory are upgraded.
func (s *Store) load(old bool) (*state, error) {
	ctx := context.Background()
	meta, err := getMeta(s.truth.db)
	if err != nil {
		return nil, err
	}
	if err := s.dir.removeUnnamed(meta); err != nil {
		return nil, err
	}
	if old {
		s.options.Logger.Info("the index is changed to the format of this version", "from", olderVersion, "to", formatVersion)
		if err := s.dir.upgrade(meta); err != nil {
			return nil, err
		}
	}
	var cs generationClasses
	var classesErr error
	var loading sync.WaitGroup
	loading.Go(func() { cs, classesErr = s.loadGenerationClasses(ctx, meta) })
	all := meta.all()
	segments, legs := make([][]*segment, len(all)), make([]vectorLeg, len(all))
	for i, g := range all {
		if segments[i], err = s.dir.openSegments(g); err != nil {
			break
		}
	}
	loading.Wait()
	err = errors.Join(classesErr, err)
	for i, g := range all {
		if err == nil {
			legs[i], err = newVectorLeg(s.options.Vectors).follow(ctx, segments[i], classesOf(cs[g.ID]))
		}
	}
	if err != nil {
		return nil, errors.Join(err, freeSegments(slices.Concat(segments...)))
	}
	var states []*state
	for i, g := range all {
		m := meta
		if i > 0 {
			m = metaRecord{Revision: meta.Revision, Records: meta.Records, generationRecord: g}
		}
		st := newState(s.truth, m, segments[i], classesOf(cs[g.ID]), legs[i], &remembered{}, s.stateFreed)
		st.kept.newest.Store(st.number)
		st.live = liveIn(segments[i], cs[g.ID])
		states = append(states, st)
	}
	states[0].others = states[1:]
	return states[0], nil
}

// loadGenerationClasses returns the classes of all generations, from the checkpoint or, if
// that is of no use, from the documents.
func (s *Store) loadGenerationClasses(ctx context.Context, meta metaRecord) (generationClasses, error) {
	cs, size, err := restoreClasses(ctx, s.truth.db, meta)
	if err == nil {
		s.journal = journal{size: size, limit: limitOf(cs)}
		return cs, nil
	}
	if !errors.Is(err, errStale) { // as in a directory of the version before
		s.options.Logger.Warn("the documents are read anew", "reason", err)
	}
	s.journal.stale = true
	cs = generationClasses{}
	for _, g := range meta.all() {
		own, records, err := loadClasses(ctx, s.truth.db, g.ID)
		if err != nil {
			return nil, err
		}
		cs[g.ID] = maps.Collect(own.all())
		if records != meta.Records {
			return nil, &LostError{s.dir.root, errMissing(meta.Revision).Error()}
		}
	}
	close(s.truth.done) // nothing was believed
	return cs, nil
}

// liveIn counts the live chunks of each segment.
func liveIn(segments []*segment, cs map[uint32]*class) []int {
	var all []*roaring.Bitmap
	for _, c := range cs {
		all = append(all, c.live)
	}
	live, out := roaring.FastOr(all...), make([]int, len(segments))
	for i, s := range segments {
		out[i] = int(live.CardinalityInRange(uint64(s.First), uint64(s.Last)+1))
	}
	return out
}

// openSegments opens the files of all segments, on all processors.
func (d directory) openSegments(m generationRecord) ([]*segment, error) {
	out, errs := make([]*segment, len(m.Segments)), make([]error, len(m.Segments))
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(out)) {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(out); i = int(next.Add(1)) - 1 {
				out[i], errs[i] = d.openSegment(m.Segments[i], m.Model.Hash)
			}
		})
	}
	workers.Wait()
	if err := errors.Join(errs...); err != nil {
		opened := slices.DeleteFunc(out, func(s *segment) bool { return s == nil })
		return nil, errors.Join(err, freeSegments(opened))
	}
	return out, nil
}

// freeSegments frees segments that no state holds.
func freeSegments(segments []*segment) (err error) {
	for _, seg := range segments {
		seg.files(func(f *file) { err = errors.Join(err, f.free()) })
	}
	return err
}

// removeUnnamed deletes what a crash or a merge left behind.
func (d directory) removeUnnamed(m metaRecord) error {
	names, err := d.fs.List(d.segments())
	if err != nil {
		return fmt.Errorf("list segments: %w", err)
	}
	for _, name := range names {
		known := slices.ContainsFunc(m.all(), func(g generationRecord) bool { return g.names(name) })
		if ext := path.Ext(name); known || ext != ".lex" && ext != ".vec" {
			continue
		}
		if err := d.fs.Remove(d.fs.PathJoin(d.segments(), name)); err != nil {
			return fmt.Errorf("remove leftover: %w", err)
		}
	}
	return nil
}

// Close refuses what comes after it; calling it again does nothing. The directory is let go when the last view
// was closed, which Close does not wait for; its error is then logged.
func (s *Store) Close() error {
	s.stop()
	s.merger.Wait()
	s.writing.Lock()
	defer s.writing.Unlock()
	s.mu.Lock()
	st := s.state
	s.state = nil
	s.mu.Unlock()
	if st == nil {
		return nil
	}
	st.release()
	s.truth.awaitLeft(true)
	select {
	case <-s.closed:
		return s.freed
	default:
		return nil
	}
}

// stateFreed is called when a state was freed, and ends the store after the last.
func (s *Store) stateFreed(err error) {
	if err != nil {
		s.options.Logger.Warn("free index files", "error", err)
	}
	s.mu.Lock()
	s.states--
	last := s.states == 0 && s.state == nil
	s.mu.Unlock()
	if !last {
		return
	}
	s.freed = errors.Join(err, s.truth.close(), s.lock.Close())
	if s.freed != nil {
		s.options.Logger.Error("close index", "error", s.freed)
	}
	close(s.closed)
}

// current returns the newest state; the caller releases it.
func (s *Store) current() (*state, error) {
	if err := s.truth.err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == nil {
		return nil, ErrClosed
	}
	s.state.users.Add(1)
	return s.state, nil
}

// publish makes next the state that new views see.
func (s *Store) publish(next *state) {
	s.mu.Lock()
	last := s.state
	s.state = next
	s.states += 1 + len(next.others)
	s.mu.Unlock()
	last.release()
}

// View returns the store as the principal may see it at the instant. It holds
// every write that was acknowledged before the call.
func (s *Store) View(ctx context.Context, p acl.Principal, at time.Time) (index.View, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	st, err := s.current()
	if err != nil {
		return nil, err
	}
	st = st.serving(p)
	return &view{state: st, readable: st.readableFor(p, at), principal: p, at: at}, nil
}

// Model returns the model of the stored vectors; Dim is 0 in a new store.
func (s *Store) Model() embed.Model {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == nil {
		return embed.Model{}
	}
	return s.state.meta.Model
}

// Documents tells the metadata of all documents of a source, ACL and stamp
// included, in order of their ids; "" is every source. It is for operators.
func (s *Store) Documents(ctx context.Context, source string) iter.Seq2[corpora.Document, error] {
	return func(yield func(corpora.Document, error) bool) {
		st, err := s.current()
		if err != nil {
			yield(corpora.Document{}, err)
			return
		}
		defer st.release()
		lower, stopped := []byte{documentPrefix}, false
		err = scan(ctx, st.snapshot, lower, after(lower), func(key, value []byte) (bool, error) {
			h, d, err := decodeDocument(key, value)
			if c := st.classes.get(h.class); c != nil {
				d.ACL = c.list
			}
			if err == nil && (source == "" || d.Source == source) {
				stopped = !yield(d, nil)
			}
			return !stopped, err
		})
		if err != nil && !stopped {
			yield(corpora.Document{}, err)
		}
	}
}

// Stats are figures for operators. They count what no single reader may see.
type Stats struct {
	Revision  uint64
	Documents int
	Chunks    int // live ones
	Dead      int // chunks in segments whose document was replaced or deleted
	Segments  int
	Classes   int // distinct ACLs
	Bytes     int64
}

// Stats returns figures of the newest state.
func (s *Store) Stats() (Stats, error) {
	st, err := s.current()
	if err != nil {
		return Stats{}, err
	}
	defer st.release()
	out := Stats{Revision: st.meta.Revision, Segments: len(st.segments), Classes: st.classes.len(), Bytes: int64(s.truth.db.Metrics().DiskSpaceUsage())}
	for _, c := range st.classes.all() {
		out.Documents += c.documents
		out.Chunks += int(c.live.GetCardinality())
	}
	out.Dead = st.chunks() - out.Chunks
	for _, seg := range st.segments {
		seg.files(func(f *file) { out.Bytes += int64(len(f.data)) })
	}
	return out, nil
}
