package embedded

import (
	"context"
	"errors"
	"math"
	"math/bits"
	"slices"

	"ken/index/embedded/flat"
	"ken/index/embedded/lexical"
)

const (
	// fanIn is how many neighbours of one size are merged into one segment. With
	// n chunks a store has about fanIn · log(n) segments, and each chunk was
	// written about log(n) times, both to the base fanIn.
	fanIn = 8
	// maxDeadShare of a segment's chunks may be dead before it is written anew.
	maxDeadShare = 0.5
)

// tier is the size class of a segment: sizes of one tier differ by less than fanIn.
func tier(chunks int) int { return (bits.Len(uint(chunks)) - 1) / 3 }

// pickMerge returns the run of neighbours [i, j) to merge next; ok is false if
// there is nothing to gain. live has the number of live chunks per segment.
func pickMerge(segments []*segment, live []int) (i, j int, ok bool) {
	for i, s := range segments {
		if float64(s.Chunks-live[i]) > maxDeadShare*float64(s.Chunks) {
			return i, i + 1, true
		}
	}
	most := maxSize(segments)
	for t := range tier(math.MaxInt32) + 1 {
		if i, j, ok = longRun(segments, t, most); ok {
			return i, i + fitting(segments[i:j], most), true
		}
	}
	return 0, 0, false
}

// longRun finds neighbours of tier t or smaller of which fanIn are of tier t.
// Smaller ones between them go along: what is left of a segment whose chunks
// died must not keep its neighbours apart for ever. What is half as large as a
// segment may be stays as it is.
func longRun(segments []*segment, t int, most int64) (i, j int, ok bool) {
	count := 0
	for j, s := range segments {
		switch size := tier(s.Chunks); {
		case size > t || s.size() >= most/2:
			i, count = j+1, 0
		case size == t:
			count++
		}
		if count == fanIn {
			return i, j + 1, true
		}
	}
	return 0, 0, false
}

// fullSize is how many bytes of files a segment may have, and fullShare which part
// of the bytes of all. A merge holds what it writes of words in memory.
const (
	fullSize  = 128 << 20
	fullShare = 16
)

func maxSize(segments []*segment) int64 { return max(fullSize, sizeOf(segments)/fullShare) }

// fitting returns how many of the segments, from the first on, make one of at most
// so many bytes; one at least.
func fitting(segments []*segment, most int64) int {
	n, size := 0, int64(0)
	for _, s := range segments {
		if size += s.size(); size > most && n > 0 {
			break
		}
		n++
	}
	return n
}

// maxSegments is how many segments there may be before those who store documents
// wait for the merger: a search asks each of them.
const maxSegments = 64

// wakeMerger tells the merger that something changed.
func (s *Store) wakeMerger() {
	select {
	case s.wake <- struct{}{}:
	default: // it knows
	}
}

// mergeInBackground merges until ctx ends. The writes are durable by then, so a
// merge that fails is no error of theirs: the next one tries again.
func (s *Store) mergeInBackground(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
		}
		if err := s.Merge(ctx); err != nil && ctx.Err() == nil {
			s.options.Logger.Warn("merge segments", "error", err)
		}
	}
}

// relieve merges if there are too many segments.
func (s *Store) relieve(ctx context.Context) {
	st, err := s.current()
	if err != nil {
		return // the next write says so
	}
	crowded := len(st.segments) > maxSegments
	st.release()
	if crowded {
		if err := s.Merge(ctx); err != nil {
			s.options.Logger.Warn("merge segments", "error", err)
		}
	}
}

// Merge merges segments until there is nothing to gain, which the store also does
// by itself after writes. It changes no answer. Writes go on meanwhile.
func (s *Store) Merge(ctx context.Context) error {
	s.merging.Lock()
	defer s.merging.Unlock()
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		more, err := s.mergeOnce(ctx)
		if err != nil || !more {
			return err
		}
	}
}

// errMoved says that the segments of a merge were replaced while it went on.
var errMoved = errors.New("segments were replaced during a merge")

// mergeOnce writes the merged files beside the writers, and then takes its turn
// among them to put the new segment in the place of the old ones. What was
// deleted in between is dead in the new segment too: that is told by the truth.
func (s *Store) mergeOnce(ctx context.Context) (more bool, err error) {
	base, err := s.current()
	if err != nil {
		return false, err
	}
	defer base.release()
	var of *state
	var i, j int
	for _, g := range base.generations() {
		var ok bool
		if i, j, ok = pickMerge(g.segments, g.live); ok {
			of = g
			break
		}
	}
	if of == nil {
		return false, nil
	}
	// What a merge writes must not take what a revoke gave up the reserve for.
	if err := s.reserve.forDocuments(sizeOf(of.segments[i:j])); err != nil {
		return false, err
	}
	f := files{store: s}
	merged, err := f.merge(ctx, of, i, j)
	if err == nil {
		adopt := func(c *change) error {
			part, err := c.partOf(of.meta.ID)
			if err != nil { // it was dropped
				return errMoved
			}
			return part.adopt(of.segments[i:j], merged)
		}
		err = s.write(&request{ctx: ctx, apply: adopt}, "merge")
	}
	if err != nil {
		err = errors.Join(err, f.discard())
	}
	if errors.Is(err, errMoved) {
		return true, nil // look again
	}
	return true, err
}

// merge writes one segment of the live rows of segments [i, j), or none if no row
// is live.
func (f *files) merge(ctx context.Context, base *state, i, j int) (*segment, error) {
	old := base.segments[i:j]
	live := rowsOf(old, liveOf(valuesOf(base.classes)))
	var parts []lexical.Part
	var ordinals []uint32
	var rows []place
	for n, s := range old {
		if err := s.checkAll(ctx, yielding); err != nil { // or damage would get a checksum of its own
			return nil, err
		}
		parts = append(parts, lexical.Part{Segment: s.lex, Keep: func(row int) bool { return has(live[n], row) }})
		for row := range setBits(live[n]) {
			ordinals = append(ordinals, s.lex.Ordinal(row))
			rows = append(rows, place{n, row})
		}
	}
	if len(ordinals) == 0 {
		return nil, nil
	}
	lex := func() ([]byte, error) { return lexical.Merge(ctx, parts...) }
	return f.newSegment(base.meta.Model, lex, ordinals, func(k int) ([]float32, flat.Code) {
		vec := old[rows[k].segment].vec
		return vec.Row(rows[k].row), vec.Code(rows[k].row)
	})
}

// adopt puts the merged segment in the place of the old ones.
func (c *change) adopt(old []*segment, merged *segment) error {
	i := slices.Index(c.segments, old[0])
	j := i + len(old)
	if i < 0 || j > len(c.segments) || !slices.Equal(c.segments[i:j], old) {
		return errMoved
	}
	c.moved, c.whole.large = true, true
	if merged == nil {
		c.segments, c.live = slices.Delete(c.segments, i, j), slices.Delete(c.live, i, j)
		return nil
	}
	live := 0
	for _, n := range c.live[i:j] {
		live += n
	}
	c.segments, c.live = slices.Replace(c.segments, i, j, merged), slices.Replace(c.live, i, j, live)
	return nil
}

func countBits(rows []uint64) (n int) {
	for _, w := range rows {
		n += bits.OnesCount64(w)
	}
	return n
}

func valuesOf(cs classes) []*class {
	out := make([]*class, 0, cs.len())
	for _, c := range cs.all() {
		out = append(out, c)
	}
	return out
}

// sizeOf is how many bytes the segments' files hold.
func sizeOf(segments []*segment) (n int64) {
	for _, s := range segments {
		n += s.size()
	}
	return n
}

// size is how many bytes the segment's files hold.
func (s *segment) size() (n int64) {
	s.files(func(f *file) { n += int64(len(f.data)) })
	return n
}
