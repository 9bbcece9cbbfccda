package embedded

import (
	"context"
	"math"

	"ken/embed"
	"ken/index"
)

// place is where a chunk stands: a row of a segment of the state.
type place struct{ segment, row int }

// vectorLeg proposes candidates; scores are always computed here, from our own
// files. A leg belongs to one state.
type vectorLeg interface {
	// candidates returns distinct places among rows that hold the best k, of
	// equal ones all. It may return more. The query has unit length. A leg that
	// misses some of the best decides by the vectors of rows alone, not by where
	// they stand, so that the hits are a function of what may be read.
	candidates(ctx context.Context, v *view, unit []float32, rows [][]uint64, k int) ([]place, error)
	// follow returns the leg of the state that has these segments and classes.
	follow(ctx context.Context, segments []*segment, cs classes) (vectorLeg, error)
}

func newVectorLeg(name string) vectorLeg {
	if name == "chromem" {
		return chromemLeg{}
	}
	return flatLeg{exact: exactRows}
}

// bestVectors takes the candidates of the leg and computes their scores exactly.
func (v *view) bestVectors(ctx context.Context, q embed.Vector, rows [][]uint64, k int) ([]index.Hit, error) {
	places, err := v.state.leg.candidates(ctx, v, unit(q), rows, k)
	if err != nil {
		return nil, err
	}
	best := top{k: k}
	for len(places) > 0 {
		n := sameSegment(places)
		v.state.segments[places[0].segment].score(q, places[:n], &best)
		places = places[n:]
	}
	return best.sorted(), nil
}

// sameSegment returns how many of the first places stand in one segment.
func sameSegment(places []place) int {
	n := 1
	for n < len(places) && places[n].segment == places[0].segment {
		n++
	}
	return n
}

// score hands the exact scores of rows of the segment to best.
func (s *segment) score(q embed.Vector, places []place, best *top) {
	rows, scores := make([]int, len(places)), make([]float64, len(places))
	for i, p := range places {
		rows[i] = p.row
	}
	s.vec.DotRows(q, rows, scores)
	for i, row := range rows {
		if best.admits(scores[i]) {
			best.push(s.hit(row, scores[i]))
		}
	}
}

// unit returns q scaled to unit length.
func unit(q embed.Vector) []float32 {
	var sum float64
	for _, x := range q {
		sum += float64(float64(x) * float64(x))
	}
	out := make([]float32, len(q))
	for i, x := range q {
		out[i] = float32(float64(x) / math.Sqrt(sum))
	}
	return out
}

// unitTolerance is how far the length of a stored vector may be from 1.
const unitTolerance = 1e-3
