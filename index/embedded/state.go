package embedded

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"

	"ken/corpora"
	"ken/corpora/acl"
)

// state is everything a reader needs, as of one revision. It never changes; it
// is freed when the store has moved on and the last view of it was closed.
type state struct {
	number   uint64 // no other state of the store has it
	meta     metaRecord
	segments []*segment // ascending, disjoint ranges of ordinals
	live     []int      // live chunks of each
	classes  classes
	truth    *truth
	snapshot *pebble.Snapshot
	leg      vectorLeg
	others   []*state                 // of the same revision, in the generations that are kept beside this one
	kept     *remembered              // also by the states before and after it
	index    atomic.Pointer[aclIndex] // see aclIndex

	users  atomic.Int64
	onFree func(error) // told the outcome of freeing
}

// newState takes a snapshot of the truth and holds the files of the segments.
// The caller is its first user.
func newState(t *truth, m metaRecord, segments []*segment, cs classes, leg vectorLeg, k *remembered, onFree func(error)) *state {
	st := &state{
		number: t.states.Add(1), truth: t, meta: m, segments: segments, classes: cs, leg: leg, kept: k, onFree: onFree, snapshot: t.db.NewSnapshot(),
	}
	for _, s := range segments {
		s.files((*file).acquire)
	}
	st.users.Store(1)
	return st
}

func (st *state) release() {
	if st.users.Add(-1) == 0 {
		st.free()
	}
}

// leave is release by a search, which does not wait until the files are deleted
// that a merge has left to the last view: that takes longer than the search.
func (st *state) leave() {
	if st.users.Add(-1) > 0 {
		return
	}
	if !st.deletes() || !st.truth.mayLeave() {
		st.free()
		return
	}
	go func() {
		defer st.truth.leaving.RUnlock()
		st.free()
	}()
}

// deletes reports whether freeing the state may delete files.
func (st *state) deletes() (some bool) {
	for _, g := range st.generations() {
		for _, s := range g.segments {
			s.files(func(f *file) { some = some || f.obsolete.Load() })
		}
	}
	return some
}

func (st *state) free() {
	err := st.truth.forget(st.snapshot)
	for _, s := range st.segments {
		s.files(func(f *file) { err = errors.Join(err, f.release()) })
	}
	for _, other := range st.others {
		other.release()
	}
	st.onFree(err)
}

// chunks returns how many chunks the segments hold, dead ones included.
func (st *state) chunks() int {
	n := 0
	for _, s := range st.segments {
		n += s.Chunks
	}
	return n
}

// loadClasses reads the classes and puts every document of the generation into
// its own. It returns the tally of all records too.
func loadClasses(ctx context.Context, r pebble.Reader, generation uint32) (cs classes, records uint64, err error) {
	all := map[uint32]*class{}
	err = scanClasses(ctx, r, func(id uint32, l acl.List, seal uint32) error {
		all[id] = newClass(id, l)
		all[id].seal = seal
		records += tally(seal)
		return nil
	})
	if err != nil {
		return cs, 0, err
	}
	err = scanHeads(ctx, r, generation, func(id corpora.DocID, h documentHead, ok bool) error {
		c := all[h.class]
		if c == nil {
			return fmt.Errorf("%w: document %q has no ACL class", errTruth, id)
		}
		if ok {
			c.add(h)
		}
		records += tally(h.seal)
		return nil
	})
	return classesOf(all), records, err
}
