package embedded

import (
	"context"
	"iter"
	"math"
	"slices"

	"ken/embed"
	"ken/index"
	"ken/index/embedded/flat"
)

// place is where a chunk stands: a row of a segment of the state.
type place struct{ segment, row int }

// near is a candidate: its estimated score, and how far that may be off.
type near struct {
	place
	product, slack float64
}

// vectorLeg proposes candidates; scores are always computed here, from our own
// files. A leg belongs to one state.
type vectorLeg interface {
	// candidates appends distinct places among rows that hold the best k, of
	// equal ones all. It may return more. The query has unit length. A leg that
	// misses some of the best decides by the vectors of rows alone, not by where
	// they stand, so that the hits are a function of what may be read.
	candidates(ctx context.Context, v *view, unit []float32, rows [][]uint64, k int, out []near) ([]near, error)
	// follow returns the leg of the state that has these segments and classes.
	follow(ctx context.Context, segments []*segment, cs classes) (vectorLeg, error)
}

func newVectorLeg(name string) vectorLeg {
	if name == "chromem" {
		return chromemLeg{}
	}
	return flatLeg{exact: exactRows}
}

// bestVectors takes the candidates of the leg and computes scores exactly: of the k
// with the best estimates first, and then of those that can still be among the best.
func (v *view) bestVectors(ctx context.Context, q embed.Vector, rows [][]uint64, k int) ([]index.Hit, error) {
	w, _ := v.state.kept.vectors.Get().(*vectorWork)
	if w == nil {
		w = &vectorWork{}
	}
	defer v.state.kept.vectors.Put(w)
	found, err := v.state.leg.candidates(ctx, v, unit(q), rows, k, w.found[:0])
	w.found = found
	if err != nil {
		return nil, err
	}
	best, first := top{k: k, segments: v.state.segments}, math.Inf(-1)
	if len(found) > k {
		first = leastOf(found, k)
	}
	if err := w.score(v.state.segments, q, &best, func(n *near) bool { return n.product >= first }); err != nil {
		return nil, err
	}
	if len(found) > k {
		floor := best.least()
		err := w.score(v.state.segments, q, &best, func(n *near) bool { return n.product < first && n.product+n.slack >= floor })
		if err != nil {
			return nil, err
		}
	}
	return best.sorted(), nil
}

// vectorWork is memory that searches by vector use one after the other.
type vectorWork struct {
	found   []near
	chosen  []place
	some    []uint32 // of chosen, those of one segment
	vectors [][]float32
	scores  []float64
}

// score hands the exact scores of the candidates that are wanted to best.
func (w *vectorWork) score(segments []*segment, q embed.Vector, best *top, wanted func(*near) bool) error {
	w.chosen, w.vectors = w.chosen[:0], w.vectors[:0]
	for i := range w.found {
		if n := &w.found[i]; wanted(n) {
			w.chosen = append(w.chosen, n.place)
			w.vectors = append(w.vectors, segments[n.segment].vec.Row(n.row))
		}
	}
	if err := w.check(segments); err != nil {
		return err
	}
	w.scores = slices.Grow(w.scores[:0], len(w.chosen))[:len(w.chosen)]
	flat.Dots(q, w.vectors, w.scores)
	for i, p := range w.chosen {
		if best.admits(w.scores[i]) {
			best.push(p.segment, p.row, w.scores[i])
		}
	}
	return nil
}

// check checks what is going to be read of the chosen rows. It asks for all before it
// waits for any.
func (w *vectorWork) check(segments []*segment) error {
	for s, rows := range w.unchecked(segments) {
		s.fetchHits(rows)
	}
	for s, rows := range w.unchecked(segments) {
		if err := s.checkHits(rows); err != nil {
			return err
		}
	}
	return nil
}

// unchecked goes through the segments that are not known to be whole, with the chosen
// rows of each.
func (w *vectorWork) unchecked(segments []*segment) iter.Seq2[*segment, iter.Seq[uint32]] {
	return func(yield func(*segment, iter.Seq[uint32]) bool) {
		for i, s := range segments {
			if s.whole() {
				continue
			}
			w.some = w.some[:0]
			for _, p := range w.chosen {
				if p.segment == i {
					w.some = append(w.some, uint32(p.row))
				}
			}
			if !yield(s, slices.Values(w.some)) {
				return
			}
		}
	}
}

// unit returns q scaled to unit length.
func unit(q embed.Vector) []float32 {
	var sum float64
	for _, x := range q {
		sum += float64(float64(x) * float64(x))
	}
	out, length := make([]float32, len(q)), math.Sqrt(sum)
	for i, x := range q {
		out[i] = float32(float64(x) / length)
	}
	return out
}

// unitTolerance is how far the length of a stored vector may be from 1.
const unitTolerance = 1e-3

// leastOf returns a product that at least n of the candidates reach, if there are as
// many: at most two steps of a grade below that of the nth best.
func leastOf(found []near, n int) float64 {
	if n > len(found) {
		return math.Inf(-1)
	}
	g := make(flat.Grades, len(found))
	for i := range found {
		g[i] = flat.GradeOf(found[i].product)
	}
	return flat.Least(g.Nth(n, make([]uint64, len(found)/64+2)))
}
