package embedded

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"ken/corpora/acl"
)

// readable is what a principal may read of a state in [from, until).
type readable struct {
	from, until time.Time // until is zero if no grant starts or ends later
	classes     []*class  // those that admit, by id
	rows        [][]uint64
	ranks       []ranking // of rows
	chunks      uint64
	title, body uint64 // terms in the fields of the readable chunks
	languages   []string
}

func (r *readable) validAt(at time.Time) bool {
	return !at.Before(r.from) && (r.until.IsZero() || at.Before(r.until))
}

// admits reports whether the documents of the class are readable.
func (r *readable) admits(id uint32) bool {
	_, ok := slices.BinarySearchFunc(r.classes, id, func(c *class, id uint32) int { return int(c.id) - int(id) })
	return ok
}

// newReadable decides, class by class, what the principal may read.
func newReadable(st *state, p acl.Principal, at time.Time) *readable {
	r := &readable{from: at}
	names := map[string]bool{}
	known := st.aclIndex()
	for _, id := range known.timed {
		if b := st.classes[id].list.Boundary(at); !b.IsZero() && (r.until.IsZero() || b.Before(r.until)) {
			r.until = b
		}
	}
	for _, id := range known.naming(p) {
		c := st.classes[id]
		if !c.list.Admits(p, at) {
			continue
		}
		r.classes = append(r.classes, c)
		r.chunks += c.live.GetCardinality()
		r.title += c.title
		r.body += c.body
		for name := range c.languages {
			names[name] = true
		}
	}
	r.languages = slices.Sorted(maps.Keys(names))
	r.rows = rowsOf(st.segments, r.classes)
	r.ranks = rankAll(r.rows)
	return r
}

// aclIndex tells which classes a principal could be admitted to, so that the many
// that do not name it need not be asked.
type aclIndex struct {
	bySubject map[acl.Subject][]uint32 // classes that allow the subject, at some time
	timed     []uint32                 // classes with a grant that starts or ends
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
	x := &aclIndex{bySubject: map[acl.Subject][]uint32{}}
	for _, c := range cs {
		x.add(c)
	}
	return x
}

func (x *aclIndex) add(c *class) {
	allow, timed := c.list.Allow(), false
	for _, g := range allow {
		if ids := x.bySubject[g.Subject]; len(ids) == 0 || ids[len(ids)-1] != c.id {
			x.bySubject[g.Subject] = append(slices.Clip(ids), c.id)
		}
	}
	for _, g := range append(allow, c.list.Deny()...) {
		timed = timed || !g.NotBefore.IsZero() || !g.NotAfter.IsZero()
	}
	if timed {
		x.timed = append(slices.Clip(x.timed), c.id)
	}
}

func (x *aclIndex) remove(c *class) {
	without := func(ids []uint32) []uint32 {
		return slices.DeleteFunc(slices.Clone(ids), func(id uint32) bool { return id == c.id })
	}
	for _, g := range c.list.Allow() {
		if left := without(x.bySubject[g.Subject]); len(left) > 0 {
			x.bySubject[g.Subject] = left
		} else {
			delete(x.bySubject, g.Subject)
		}
	}
	x.timed = without(x.timed)
}

// index returns the index of the edited classes, given that of those before; nil
// if there is none. An index never changes once it is in a state.
func (e *edit) index(before *aclIndex) *aclIndex {
	if before == nil || len(e.created) == 0 && len(e.pruned) == 0 {
		return before
	}
	x := &aclIndex{bySubject: maps.Clone(before.bySubject), timed: before.timed}
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
		out = append(out, x.bySubject[s]...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// rowsOf returns, for each segment, a bit per row that belongs to the classes.
func rowsOf(segments []*segment, cs []*class) [][]uint64 {
	live := make([]*roaring.Bitmap, len(cs))
	for i, c := range cs {
		live[i] = c.live
	}
	out := make([][]uint64, len(segments))
	for i, s := range segments {
		out[i] = make([]uint64, (s.Chunks+63)/64)
	}
	var some [1024]uint32
	i, row := 0, 0
	ordinals := roaring.FastOr(live...).ManyIterator()
	for n := ordinals.NextMany(some[:]); n > 0; n = ordinals.NextMany(some[:]) {
		for _, ordinal := range some[:n] {
			for i < len(segments) && segments[i].Last < ordinal {
				i, row = i+1, 0
			}
			if i == len(segments) {
				return out
			}
			var ok bool
			if row, ok = segments[i].rowFrom(row, ordinal); ok {
				out[i][row/64] |= 1 << (row % 64)
			}
		}
	}
	return out
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

// readableCache remembers the readable sets of the principals that asked last.
// It belongs to one state, so that a write or revoke cannot leave a stale set.
type readableCache struct {
	mu     sync.Mutex
	sets   map[string]*readable
	recent []string // keys, the one used last at the end
}

// maxReadable bounds the sets that a state remembers; each takes a bit per chunk.
const maxReadable = 64

func (st *state) readableFor(p acl.Principal, at time.Time) *readable {
	key := p.Key()
	c := &st.readable
	c.mu.Lock()
	defer c.mu.Unlock()
	if i := slices.Index(c.recent, key); i >= 0 {
		c.recent = append(slices.Delete(c.recent, i, i+1), key)
		if r := c.sets[key]; r.validAt(at) {
			return r
		}
	}
	r := newReadable(st, p, at)
	if c.sets == nil {
		c.sets = map[string]*readable{}
	}
	if _, ok := c.sets[key]; !ok {
		c.recent = append(c.recent, key)
	}
	c.sets[key] = r
	if len(c.recent) > maxReadable {
		delete(c.sets, c.recent[0])
		c.recent = slices.Delete(c.recent, 0, 1)
	}
	return r
}
