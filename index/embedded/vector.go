package embedded

import (
	"cmp"
	"context"
	"math"
	"slices"

	"ken/embed"
	"ken/index"
	"ken/index/embedded/flat"
)

// place is where a chunk stands: a row of a segment of the state.
type place struct{ segment, row int }

// vectorLeg proposes candidates; scores are always computed here, from our own
// files, so every leg gives the same hits. A leg belongs to one state.
type vectorLeg interface {
	// candidates returns distinct places among rows that hold the best k, of
	// equal ones all. It may return more. The query has unit length.
	candidates(ctx context.Context, v *view, unit []float32, rows [][]uint64, k int) ([]place, error)
	// follow returns the leg of the state that has these segments and classes.
	follow(ctx context.Context, segments []*segment, cs classes) (vectorLeg, error)
}

func newVectorLeg(name string) vectorLeg {
	if name == "chromem" {
		return chromemLeg{}
	}
	return flatLeg{}
}

// bestVectors takes the candidates of the leg and computes their scores exactly.
func (v *view) bestVectors(ctx context.Context, q embed.Vector, rows [][]uint64, k int) ([]index.Hit, error) {
	places, err := v.state.leg.candidates(ctx, v, unit(q), rows, k)
	if err != nil {
		return nil, err
	}
	best := top{k: k}
	for _, p := range places {
		s := v.state.segments[p.segment]
		if score := flat.Dot(q, s.vec.Row(p.row)); best.admits(score) {
			best.push(index.Hit{ID: index.ChunkID(s.vec.Ordinal(p.row)), Score: score, Key: s.lex.Key(p.row)})
		}
	}
	return best.sorted(), nil
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

// flatLeg compares the query with every readable row.
type flatLeg struct{}

func (l flatLeg) follow(context.Context, []*segment, classes) (vectorLeg, error) { return l, nil }

func (flatLeg) candidates(ctx context.Context, v *view, unit []float32, rows [][]uint64, k int) ([]place, error) {
	var all []near
	for i, s := range v.state.segments {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		s.vec.Scan(unit, rows[i], func(row int, product float32) {
			all = append(all, near{place{i, row}, product})
		})
	}
	return atLeastKth(all, k, flat.Slack(len(unit))), nil
}

// near is a place and its approximate score.
type near struct {
	place
	product float32
}

// atLeastKth returns the places whose score can be among the best k, given that
// every score is off by at most slack.
func atLeastKth(all []near, k int, slack float64) []place {
	floor := math.Inf(-1)
	if len(all) > k {
		floor = float64(kth(all, k)) - 2*slack
	}
	var out []place
	for _, n := range all {
		if float64(n.product) >= floor {
			out = append(out, n.place)
		}
	}
	return out
}

// kth returns the kth highest score, k at most the number of scores, with a heap
// of k that has the lowest at its root.
func kth(all []near, k int) float32 {
	heap := make([]float32, k)
	for i := range heap {
		heap[i] = all[i].product
	}
	slices.SortFunc(heap, cmp.Compare[float32]) // a sorted slice is a heap
	for _, n := range all[k:] {
		if n.product > heap[0] {
			heap[0] = n.product
			sinkLowest(heap)
		}
	}
	return heap[0]
}

func sinkLowest(heap []float32) {
	for i := 0; ; {
		least := i
		for _, child := range [2]int{2*i + 1, 2*i + 2} {
			if child < len(heap) && heap[child] < heap[least] {
				least = child
			}
		}
		if least == i {
			return
		}
		heap[i], heap[least] = heap[least], heap[i]
		i = least
	}
}
