package embedded

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/cockroachdb/pebble/v2"

	"ken/corpora"
	"ken/index"
)

// change is writes in the making: nothing of them is visible until commit. It is
// the active generation's; each other generation has a part of it, with the same
// batch and files.
type change struct {
	files
	whole     *change   // what this is a part of, or itself
	parts     []*change // of the generations, the active one first; of the whole only
	base      *state    // nil if the generation is new
	meta      metaRecord
	segments  []*segment // of the next state
	live      []int      // live chunks of each
	classes   *edit
	lists     changes // see history.go
	batch     *pebble.Batch
	documents map[corpora.DocID]*writtenDocument // as they will be; nil for those that go
	next      journal                            // as it will be; of the whole only
	heads     map[corpora.DocID]*documentHead    // like documents, in a generation other than 0
	pinned    *bool                              // whether any version of any document is pinned; nil: not looked yet
	unpinned  map[corpora.DocID]bool             // whose pins are removed
	versions  map[corpora.DocID][]keptVersion    // as they will be, the oldest first
	texts     map[corpora.DocID][]index.Chunk    // of documents that the change stores
	rows      rows                               // of the segment that the change adds
	placed    []placed                           // whose records are not in the batch yet, in order of their ordinals; of the whole only
	large     bool                               // it stores documents, so it must leave the reserve alone
	moved     bool                               // segments changed
	settled   bool                               // there is something to commit besides documents
}

// writtenDocument is the record of a document.
type writtenDocument struct {
	documentHead
	corpora.Document // without its ACL
}

// request is a write that waits for its turn.
type request struct {
	ctx   context.Context
	apply func(*change) error
	alone bool // it takes long, or needs the truth as it is on disk
	done  bool
	err   error
}

// queue is the writes that wait. Whoever gets to write takes all of them into one
// commit: one sync makes many writes durable.
type queue struct {
	mu      sync.Mutex
	waiting []*request
}

// maxGroup bounds the writes of one commit.
const maxGroup = 64

func (q *queue) add(r *request) {
	q.mu.Lock()
	q.waiting = append(q.waiting, r)
	q.mu.Unlock()
}

// take removes and returns the next group, in the order of arrival.
func (q *queue) take() []*request {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := 0
	for n < min(len(q.waiting), maxGroup) && (n == 0 || !q.waiting[n].alone && !q.waiting[0].alone) {
		n++
	}
	group := q.waiting[:n:n]
	q.waiting = q.waiting[n:]
	return group
}

// write commits what r says, maybe together with others.
func (s *Store) write(r *request, what string) error {
	s.queue.add(r)
	s.writing.Lock()
	for !r.done { // else another writer took it along
		s.commitGroup(s.queue.take())
	}
	s.writing.Unlock()
	if r.err != nil {
		return fmt.Errorf("%s: %w", what, r.err)
	}
	s.wakeMerger()
	return nil
}

// commitGroup commits the requests together, or one by one if one of them fails:
// each is atomic by itself, and none spoils another. The caller holds s.writing.
func (s *Store) commitGroup(group []*request) {
	if len(group) == 1 || s.commitOnce(group...) != nil {
		for _, r := range group {
			r.err = s.commitOnce(r)
		}
	}
	for _, r := range group {
		r.done = true
	}
}

func (s *Store) commitOnce(group ...*request) error {
	c, err := s.begin()
	if err != nil {
		return err
	}
	defer c.base.release()
	for _, r := range group {
		if err = r.ctx.Err(); err == nil {
			err = r.apply(c)
		}
		if err != nil {
			return errors.Join(err, c.abandon())
		}
	}
	err = c.addRows()
	if err == nil && !c.changed() {
		return c.abandon()
	}
	if err == nil {
		err = c.commit(context.WithoutCancel(group[0].ctx))
	}
	if err != nil {
		return errors.Join(err, c.abandon())
	}
	return nil
}

// begin starts a change, which ends with abandon or commit.
func (s *Store) begin() (*change, error) {
	base, err := s.current()
	if err != nil {
		return nil, err
	}
	c := &change{
		files: files{store: s}, base: base, meta: base.meta, segments: slices.Clone(base.segments), live: slices.Clone(base.live),
		classes: editOf(base.classes, base.meta.NextClass, s.byList), batch: s.truth.db.NewBatch(), documents: map[corpora.DocID]*writtenDocument{},
		heads: map[corpora.DocID]*documentHead{}, versions: map[corpora.DocID][]keptVersion{}, unpinned: map[corpora.DocID]bool{}, texts: map[corpora.DocID][]index.Chunk{},
	}
	c.whole, c.parts = c, []*change{c}
	for _, other := range base.others {
		c.parts = append(c.parts, c.part(other.meta, other))
	}
	return c, nil
}

// changed reports whether there is anything to commit.
func (c *change) changed() bool {
	return c.settled || !c.batch.Empty() || c.anyMoved() || c.meta.Model != c.base.meta.Model
}

func (c *change) anyMoved() bool {
	return slices.ContainsFunc(c.parts, func(p *change) bool { return p.moved })
}

// document returns a document as the change leaves it so far, without its ACL.
func (c *change) document(id corpora.DocID) (writtenDocument, error) {
	if d, ok := c.documents[id]; ok {
		if d == nil {
			return writtenDocument{}, index.ErrNotFound
		}
		return *d, nil
	}
	h, d, err := getDocument(c.base.snapshot, id)
	if err == nil {
		err = c.checkClass(h)
	}
	return writtenDocument{documentHead: h, Document: d}, err
}

// checkClass refuses a document of a class that the generation has none of. Until all
// documents were looked at, see verify, a damaged record may name one.
func (c *change) checkClass(h documentHead) error {
	if c.classes.all.get(h.class) == nil {
		return fmt.Errorf("%w: it names ACL class %d, which no other one knows", errTruth, h.class)
	}
	return nil
}

// commit makes the change durable and visible.
func (c *change) commit(ctx context.Context) error {
	if err := c.findRoom(); err != nil {
		return err
	}
	if c.anyMoved() {
		if err := c.store.dir.sync(c.store.dir.segments()); err != nil {
			return err
		}
	}
	if err := c.writeClasses(); err != nil {
		return err
	}
	record, err := c.writeMeta()
	if err != nil {
		return err
	}
	if err := c.writeJournal(); err != nil {
		return err
	}
	if err := c.writeHistory(ctx); err != nil {
		return err
	}
	legs := make([]vectorLeg, len(c.parts))
	for i, part := range c.parts {
		if legs[i], err = part.follow(ctx); err != nil {
			return err
		}
	}
	if err := c.store.truth.commit(c.batch, markOf(c.parts[0].meta, record)); err != nil {
		return err
	}
	c.classes.keep()
	c.store.journal = c.next
	var states []*state
	changed := c.changedDocuments()
	for i, part := range c.parts {
		st := newState(c.store.truth, part.meta, part.segments, part.classes.all, legs[i], part.remembered(), c.store.stateFreed)
		st.live = part.live
		st.kept.follow(part.before(), st.number, changed, part.classes.moves)
		if part == c { // the others adopt classes, which an index does not follow
			st.index.Store(c.classes.index(c.base.index.Load()))
		}
		states = append(states, st)
	}
	next := states[0]
	next.others = states[1:]
	c.retire()
	c.store.publish(next)
	if err := c.batch.Close(); err != nil {
		c.store.options.Logger.Warn("free a batch", "error", err)
	}
	return nil
}

// changedDocuments returns the documents whose record or head is another now.
func (c *change) changedDocuments() []corpora.DocID {
	out := slices.Collect(maps.Keys(c.documents))
	for _, part := range c.parts {
		out = slices.AppendSeq(out, maps.Keys(part.heads))
	}
	return out
}

// remembered returns what the generation's states remember.
func (c *change) remembered() *remembered {
	if c.base == nil {
		return &remembered{}
	}
	return c.base.kept
}

// before returns the number of the state that the change is based on, 0 if the
// generation is new.
func (c *change) before() uint64 {
	if c.base == nil {
		return 0
	}
	return c.base.number
}

// findRoom sees to it that the batch does not meet a full disk, which would stop
// the store.
func (c *change) findRoom() error {
	if c.large {
		return c.store.reserve.forDocuments(int64(c.batch.Len()))
	}
	c.store.reserve.forPermissions(int64(c.batch.Len()))
	return nil
}

func (c *change) writeClasses() error {
	for _, created := range c.classes.created {
		record, err := encodeClass(created.id, created.list)
		if err != nil {
			return err
		}
		created.seal = sealOf(record)
		c.meta.Records += tally(created.seal)
		if err := c.batch.Set(classKey(created.id), record, nil); err != nil {
			return err
		}
	}
	for _, gone := range c.classes.prune() {
		c.meta.Records -= tally(gone.seal)
		if err := c.batch.Delete(classKey(gone.id), nil); err != nil {
			return err
		}
	}
	for _, part := range c.parts {
		if part != c {
			part.classes.prune()
			part.classes.sealAs(c.classes)
		}
	}
	return nil
}

// writeMeta writes the meta record; the first of the parts is the active one of
// the next state. It returns the record that it writes.
func (c *change) writeMeta() ([]byte, error) {
	m := c.meta
	m.Revision++
	m.NextClass, m.NextFile = c.classes.next, c.store.nextFile.Load()
	m.Others = nil
	for i, part := range c.parts {
		part.meta.Segments = nil
		for _, s := range part.segments {
			part.meta.Segments = append(part.meta.Segments, s.segmentRecord)
		}
		if i > 0 {
			m.Others = append(m.Others, part.meta.generationRecord)
			part.meta = metaRecord{Revision: m.Revision, Records: m.Records, generationRecord: part.meta.generationRecord}
		}
	}
	m.generationRecord = c.parts[0].meta.generationRecord
	c.parts[0].meta = m
	text, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("encode meta: %w", err)
	}
	return text, c.batch.Set([]byte(metaKey), text, nil)
}

// retire marks the files that the next state does not use; they are deleted
// when the last view of an older state is closed.
func (c *change) retire() {
	used := map[*file]bool{}
	for _, part := range c.parts {
		for _, s := range part.segments {
			s.files(func(f *file) { used[f] = true })
		}
	}
	for _, st := range c.base.generations() {
		for _, s := range st.segments {
			s.files(func(f *file) {
				if !used[f] {
					f.obsolete.Store(true)
				}
			})
		}
	}
}

// abandon forgets the change and deletes its files, unless the commit may have
// reached the disk: then the files may be needed after a restart.
func (c *change) abandon() error {
	err := c.discard()
	if c.store.truth.err() != nil {
		return err
	}
	return errors.Join(err, c.batch.Close())
}
