package embedded

import (
	"maps"
	"slices"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"ken/corpora/acl"
)

// follow returns the set of a later state, to which the commits led. It is equal to
// what newReadable makes of that state, but costs what the commits changed. The
// set must be valid at the instant.
func (r *readable) follow(st *state, commits []commit, p acl.Principal, at time.Time) *readable {
	out := *r
	out.classes, out.languages, out.live, out.segments = slices.Clone(r.classes), maps.Clone(r.languages), r.live.Clone(), st.segments
	asked, touched := map[uint32]bool{}, roaring.New()
	for _, c := range commits {
		for _, m := range c.moves {
			admits, ok := asked[m.class]
			if !ok {
				admits = out.ask(st, m.class, p, at)
				asked[m.class] = admits
			}
			if admits {
				out.take(m, touched)
			}
		}
	}
	out.chunks = out.live.GetCardinality()
	out.classes = slices.DeleteFunc(out.classes, func(id uint32) bool { return asked[id] && st.classes.get(id) == nil })
	out.followRows(r, touched)
	out.counted = out.count()
	if average := out.averageBody(); !out.line.fits(average) { // as after a first ingest
		out.line = newLine(average)
		for i := range out.ranks {
			out.ranks[i].steps = &steps{}
		}
	}
	return &out
}

// ask reports whether the class is readable, and adds it if it was not yet: the
// list of a class never changes, but the class may be new.
func (r *readable) ask(st *state, id uint32, p acl.Principal, at time.Time) bool {
	if r.admits(id) {
		return true
	}
	c := st.classes.get(id)
	if c == nil { // it came and went
		return false
	}
	r.from = at
	r.endAt(c.list.Boundary(at))
	if !c.list.Admits(p, at) {
		return false
	}
	i, _ := slices.BinarySearch(r.classes, id)
	r.classes = slices.Insert(r.classes, i, id)
	return true
}

// take applies the move of a document into or out of a readable class, and adds its
// chunks to touched.
func (r *readable) take(m move, touched *roaring.Bitmap) {
	first, end := uint64(m.first), uint64(m.first)+uint64(m.chunks)
	touched.AddRange(first, end)
	if m.left {
		r.live.RemoveRange(first, end)
		r.title -= m.title
		r.body -= m.body
		if r.languages[m.language] -= int(m.chunks); r.languages[m.language] <= 0 {
			delete(r.languages, m.language)
		}
		return
	}
	r.live.AddRange(first, end)
	r.title += m.title
	r.body += m.body
	if m.chunks > 0 {
		r.languages[m.language] += int(m.chunks)
	}
}

// followRows makes rows and ranks of live. Where a segment is still there and has
// nothing that was touched, they are those of before.
func (r *readable) followRows(before *readable, touched *roaring.Bitmap) {
	r.rows, r.ranks = make([][]uint64, len(r.segments)), make([]ranking, len(r.segments))
	for i, at := range places(before.segments, r.segments) {
		s := r.segments[i]
		switch {
		case at < 0:
			r.rows[i] = s.rowsOf(r.live)
		case !touched.IntersectsWithInterval(uint64(s.First), uint64(s.Last)+1):
			r.rows[i], r.ranks[i] = before.rows[at], before.ranks[at]
			continue
		default:
			r.rows[i] = slices.Clone(before.rows[at])
			s.setRows(r.rows[i], r.live, touched)
		}
		r.ranks[i] = newRanking(r.rows[i])
	}
}

// setRows sets the rows of the touched ordinals to whether they are live.
func (s *segment) setRows(rows []uint64, live, touched *roaring.Bitmap) {
	row := 0
	for ordinal := range within(touched, s) {
		var ok bool
		if row, ok = s.rowFrom(row, ordinal); !ok {
			continue
		}
		rows[row/64] &^= 1 << (row % 64)
		if live.Contains(ordinal) {
			rows[row/64] |= 1 << (row % 64)
		}
	}
}

// places returns, for each segment, where it was before, or -1. Both are in the
// order of their ordinals.
func places(before, segments []*segment) []int {
	out, at := make([]int, len(segments)), 0
	for i, s := range segments {
		for at < len(before) && before[at].Last < s.First {
			at++
		}
		out[i] = -1
		if at < len(before) && before[at] == s {
			out[i] = at
		}
	}
	return out
}
