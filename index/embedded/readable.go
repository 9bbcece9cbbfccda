package embedded

import (
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"ken/corpora/acl"
)

// readable is what a principal may read of a state in [from, until). It never changes.
type readable struct {
	line        *line     // that it is of
	from, until time.Time // until is zero if no grant starts or ends later
	classes     []uint32  // those that admit, ascending
	live        *roaring.Bitmap
	segments    []*segment // of the state; only to compare, for their files may be gone
	rows        [][]uint64 // of live, per segment
	ranks       []ranking  // of rows
	chunks      uint64
	title, body uint64         // terms in the fields of the readable chunks
	languages   map[string]int // chunks of each
	counted     *counted       // for the lists of postings
}

func (r *readable) validAt(at time.Time) bool {
	return !at.Before(r.from) && (r.until.IsZero() || at.Before(r.until))
}

// admits reports whether the documents of the class are readable.
func (r *readable) admits(id uint32) bool {
	_, ok := slices.BinarySearch(r.classes, id)
	return ok
}

// newReadable decides, class by class, what the principal may read.
func newReadable(st *state, p acl.Principal, at time.Time) *readable {
	r := &readable{from: at, languages: map[string]int{}, segments: st.segments}
	known := st.aclIndex()
	for _, id := range known.timed {
		r.endAt(st.classes.get(id).list.Boundary(at))
	}
	var live []*roaring.Bitmap
	for _, id := range known.naming(p) {
		c := st.classes.get(id)
		if !c.list.Admits(p, at) {
			continue
		}
		r.classes, live = append(r.classes, id), append(live, c.live)
		r.title += c.title
		r.body += c.body
		for name, chunks := range c.languages {
			r.languages[name] += chunks
		}
	}
	r.live = roaring.FastOr(live...)
	r.chunks = r.live.GetCardinality()
	r.rows = rowsOf(st.segments, r.live)
	r.ranks = rankAll(r.rows)
	r.counted = r.count()
	r.line = newLine(r.averageBody())
	return r
}

// averageBody is the length of the bodies, at least 1.
func (r *readable) averageBody() float64 { return max(1, float64(r.body)/float64(max(1, r.chunks))) }

// endAt ends the set at the boundary of a list, zero if it has none, unless it ends earlier.
func (r *readable) endAt(boundary time.Time) {
	if !boundary.IsZero() && (r.until.IsZero() || boundary.Before(r.until)) {
		r.until = boundary
	}
}

// aclIndex tells which classes a principal could be admitted to, so that the many
// that do not name it need not be asked.
type aclIndex struct {
	bySubject layered[acl.Subject, []uint32] // classes that allow the subject, at some time
	timed     []uint32                       // classes with a grant that starts or ends
}

// aclIndex is made when it is first needed. Where the classes are those of an
// older state, or nearly, it comes from there; see edit.index.
func (st *state) aclIndex() *aclIndex {
	if x := st.index.Load(); x != nil {
		return x
	}
	x := newACLIndex(st.classes)
	st.index.Store(x) // another reader may have made an equal one
	return x
}

func newACLIndex(cs classes) *aclIndex {
	x := &aclIndex{}
	bySubject := map[acl.Subject][]uint32{}
	for id, c := range cs.all() {
		for _, g := range c.list.Allow() {
			bySubject[g.Subject] = append(bySubject[g.Subject], id)
		}
		if c.timed() {
			x.timed = append(x.timed, id)
		}
	}
	for s, ids := range bySubject {
		slices.Sort(ids)
		bySubject[s] = slices.Clip(slices.Compact(ids))
	}
	x.bySubject = layer(bySubject, func(ids []uint32) bool { return len(ids) == 0 })
	return x
}

func (x *aclIndex) add(c *class) {
	for _, g := range c.list.Allow() {
		if ids := x.bySubject.get(g.Subject); len(ids) == 0 || ids[len(ids)-1] != c.id {
			x.bySubject.set(g.Subject, append(slices.Clip(ids), c.id))
		}
	}
	if c.timed() {
		x.timed = append(slices.Clip(x.timed), c.id)
	}
}

// timed reports whether a grant of the class starts or ends.
func (c *class) timed() bool {
	return slices.ContainsFunc(append(c.list.Allow(), c.list.Deny()...), func(g acl.Grant) bool {
		return !g.NotBefore.IsZero() || !g.NotAfter.IsZero()
	})
}

func (x *aclIndex) remove(c *class) {
	without := func(ids []uint32) []uint32 {
		return slices.DeleteFunc(slices.Clone(ids), func(id uint32) bool { return id == c.id })
	}
	for _, g := range c.list.Allow() {
		x.bySubject.set(g.Subject, without(x.bySubject.get(g.Subject)))
	}
	if c.timed() {
		x.timed = without(x.timed)
	}
}

// index returns the index of the edited classes, given that of those before; nil
// if there is none. An index never changes once it is in a state.
func (e *edit) index(before *aclIndex) *aclIndex {
	if before == nil || len(e.created) == 0 && len(e.pruned) == 0 {
		return before
	}
	x := &aclIndex{bySubject: before.bySubject.edit(), timed: before.timed}
	for _, c := range e.created {
		x.add(c)
	}
	for _, c := range e.pruned {
		x.remove(c)
	}
	return x
}

// naming returns the classes that name a subject of the principal, in order of
// their ids.
func (x *aclIndex) naming(p acl.Principal) []uint32 {
	var out []uint32
	for _, s := range p.Subjects() {
		out = append(out, x.bySubject.get(s)...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// liveOf returns the chunks of the classes.
func liveOf(cs []*class) *roaring.Bitmap {
	live := make([]*roaring.Bitmap, len(cs))
	for i, c := range cs {
		live[i] = c.live
	}
	return roaring.FastOr(live...)
}

// rowsOf returns, for each segment, a bit per row whose ordinal is set.
func rowsOf(segments []*segment, ordinals *roaring.Bitmap) [][]uint64 {
	out := make([][]uint64, len(segments))
	for i, s := range segments {
		out[i] = s.rowsOf(ordinals)
	}
	return out
}

func (s *segment) rowsOf(ordinals *roaring.Bitmap) []uint64 {
	out, row := make([]uint64, (s.Chunks+63)/64), 0
	for ordinal := range within(ordinals, s) {
		var ok bool
		if row, ok = s.rowFrom(row, ordinal); ok {
			out[row/64] |= 1 << (row % 64)
		}
	}
	return out
}

// within goes through the ordinals that lie in the range of the segment.
func within(ordinals *roaring.Bitmap, s *segment) iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		it := ordinals.Iterator()
		for it.AdvanceIfNeeded(s.First); it.HasNext(); {
			if ordinal := it.Next(); ordinal > s.Last || !yield(ordinal) {
				return
			}
		}
	}
}

// rowFrom finds the row of an ordinal that is at most Last, at row or after it.
func (s *segment) rowFrom(row int, ordinal uint32) (int, bool) {
	if ordinal < s.First {
		return row, false
	}
	if s.Last-s.First == uint32(s.Chunks-1) { // no ordinal is missing
		return int(ordinal - s.First), true
	}
	for s.lex.Ordinal(row) < ordinal {
		row++
	}
	return row, s.lex.Ordinal(row) == ordinal
}

// readableOf is the readable set of a principal in the last state that it asked for.
type readableOf struct {
	mu    sync.Mutex
	set   *readable
	state uint64 // number of the state
}

// size counts the structs as well, and a step for each chunk; see steps.
func (r *readable) size() int {
	n := 1024 + 4*len(r.classes) + int(r.live.GetSizeInBytes()) + int(r.chunks)
	for _, rows := range r.rows {
		n += 96 + 12*len(rows)
	}
	return n
}

// readableFor returns what the principal may read at the instant.
func (st *state) readableFor(p acl.Principal, at time.Time) *readable {
	key := p.Key()
	o, ok := st.kept.readable.get(key, st.truth.room.readable)
	if !ok { // another search of the principal may make one too
		o = &readableOf{}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.set != nil && o.set.validAt(at) {
		if o.state == st.number {
			return o.set
		}
		if commits, ok := st.kept.log.between(o.state, st.number); ok {
			return o.is(o.set.follow(st, commits, p, at), st, key)
		}
	}
	r := newReadable(st, p, at)
	if o.state > st.number { // older than what is remembered
		return r
	}
	return o.is(r, st, key)
}

// is remembers the set.
func (o *readableOf) is(r *readable, st *state, key string) *readable {
	o.set, o.state = r, st.number
	st.kept.readable.put(key, o, r.size(), st.truth.room.readable)
	return r
}
