package embedded

import (
	"context"
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
	for t := range tier(math.MaxInt32) + 1 {
		if i, j, ok = longRun(segments, t); ok {
			return i, j, true
		}
	}
	return 0, 0, false
}

// longRun finds neighbours of tier t or smaller of which fanIn are of tier t.
// Smaller ones between them go along: what is left of a segment whose chunks
// died must not keep its neighbours apart for ever.
func longRun(segments []*segment, t int) (i, j int, ok bool) {
	count := 0
	for j, s := range segments {
		switch size := tier(s.Chunks); {
		case size > t:
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

// mergeAll merges until there is nothing to gain. The write before it is already
// durable, so a merge that fails is no error of the write: the next one tries again.
func (s *Store) mergeAll(ctx context.Context) {
	for ctx.Err() == nil {
		more, err := s.mergeOnce(ctx)
		if err != nil {
			s.options.Logger.Warn("merge segments", "error", err)
		}
		if err != nil || !more {
			return
		}
	}
}

func (s *Store) mergeOnce(ctx context.Context) (more bool, err error) {
	c, err := s.begin(ctx)
	if err != nil {
		return false, err
	}
	defer c.base.release()
	for _, part := range c.parts {
		if more, err = part.mergeOnce(); more || err != nil {
			break
		}
	}
	if err == nil && more {
		err = c.commit(ctx)
	}
	if err != nil || !more {
		if gone := c.abandon(); err == nil {
			err = gone
		}
	}
	return more, err
}

// mergeOnce merges what there is most to gain from, if anything.
func (c *change) mergeOnce() (more bool, err error) {
	live := rowsOf(c.segments, valuesOf(c.classes.all))
	counts := make([]int, len(live))
	for i, rows := range live {
		counts[i] = countBits(rows)
	}
	i, j, ok := pickMerge(c.segments, counts)
	if !ok {
		return false, nil
	}
	c.whole.large = true
	return true, c.merge(i, j, live[i:j])
}

// merge puts one segment of the live rows in the place of segments [i, j), or
// none if no row is live.
func (c *change) merge(i, j int, live [][]uint64) error {
	var parts []lexical.Part
	var ordinals []uint32
	var rows []place
	for n, s := range c.segments[i:j] {
		parts = append(parts, lexical.Part{Segment: s.lex, Keep: func(row int) bool { return has(live[n], row) }})
		for row := range setBits(live[n]) {
			ordinals = append(ordinals, s.lex.Ordinal(row))
			rows = append(rows, place{i + n, row})
		}
	}
	var merged []*segment
	if len(ordinals) > 0 {
		seg, err := c.newSegment(func() ([]byte, error) { return lexical.Merge(parts...) }, ordinals, func(k int) ([]float32, flat.Code) {
			vec := c.segments[rows[k].segment].vec
			return vec.Row(rows[k].row), vec.Code(rows[k].row)
		})
		if err != nil {
			return err
		}
		merged = append(merged, seg)
	}
	c.segments = slices.Replace(c.segments, i, j, merged...)
	return nil
}

func countBits(rows []uint64) (n int) {
	for _, w := range rows {
		n += bits.OnesCount64(w)
	}
	return n
}

func valuesOf(cs classes) []*class {
	out := make([]*class, 0, len(cs))
	for _, c := range cs {
		out = append(out, c)
	}
	return out
}
