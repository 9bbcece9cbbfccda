package embedded

import (
	"context"
	"math"
	"math/bits"
	"runtime"
	"slices"
	"sync"

	"ken/index/embedded/flat"
)

// exactRows is up to how many rows every one is compared so closely that none of
// the best can be missed.
const exactRows = 20_000

// flatLeg compares the query with every row that may be read: up to exact rows by
// their codes and the bounds on them, which loses nothing; beyond that by half of
// the codes first. Which of the two, how many go on, and which those are
// depends on the vectors of these rows and on k alone.
type flatLeg struct{ exact int }

func (l flatLeg) follow(context.Context, []*segment, classes) (vectorLeg, error) { return l, nil }

func (l flatLeg) candidates(ctx context.Context, v *view, unit []float32, rows [][]uint64, k int) ([]place, error) {
	q, segments := flat.NewQuery(unit), v.state.segments
	n := 0
	for _, r := range rows {
		n += countBits(r)
	}
	if n <= l.exact {
		near, err := estimateAll(ctx, segments, q, rows, n)
		return certain(near, k), err
	}
	near, err := bestGrades(ctx, segments, q, rows, n, budget(n, k))
	if err != nil {
		return nil, err
	}
	return likely(near, shortlist(k)), nil
}

// near is a place, its estimated score, and how far that may be off.
type near struct {
	place
	product, slack float64
}

func estimateAll(ctx context.Context, segments []*segment, q *flat.Query, rows [][]uint64, n int) ([]near, error) {
	out := make([]near, 0, n)
	for i, s := range segments {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		for w, word := range rows[i] {
			for ; word != 0; word &= word - 1 {
				row := w*64 + bits.TrailingZeros64(word)
				product, slack := s.vec.Estimate(q, row)
				out = append(out, near{place{i, row}, product, slack})
			}
		}
	}
	return out, nil
}

// certain returns the places whose score can be among the best k.
func certain(all []near, k int) []place {
	floor := math.Inf(-1)
	if len(all) > k {
		floor = kth(all, k, func(n near) float64 { return n.product - n.slack })
	}
	var out []place
	for _, n := range all {
		if n.product+n.slack >= floor {
			out = append(out, n.place)
		}
	}
	return out
}

// likely returns the places with the n best estimates and those that equal the last.
func likely(all []near, n int) []place {
	floor := math.Inf(-1)
	if len(all) > n {
		floor = kth(all, n, func(n near) float64 { return n.product })
	}
	out := make([]place, 0, n)
	for _, x := range all {
		if x.product >= floor {
			out = append(out, x.place)
		}
	}
	return out
}

// budget is how many of n rows go on from half of their codes to all. Vectors of
// mean cosine .8 without structure, at which codes are at their worst, need it: of
// 100,000 rows 4,000 held .996 to 1 of the best ten.
func budget(n, k int) int { return max(20*k, 25*int(math.Sqrt(float64(n)))) }

// shortlist is how many go on to their numbers.
func shortlist(k int) int { return k + max(k, 100) }

// bestGrades returns the estimates of the rows with the n best grades, and of all
// whose grade is that of the last of them.
func bestGrades(ctx context.Context, segments []*segment, q *flat.Query, rows [][]uint64, total, n int) ([]near, error) {
	parts := split(rows, total)
	grades := flat.NewGrades(total)
	inParallel(parts, func(p *part) { p.grade(segments, q, rows, grades) })
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	least := nthGrade(grades.Grades, n)
	inParallel(parts, func(p *part) { p.refine(segments, q, rows, grades, least) })
	var out []near
	for _, p := range parts {
		out = append(out, p.found...)
	}
	return out, ctx.Err()
}

func inParallel(parts []part, f func(*part)) {
	var workers sync.WaitGroup
	for i := range parts[1:] {
		workers.Go(func() { f(&parts[i+1]) })
	}
	f(&parts[0])
	workers.Wait()
}

// part is a range of the rows, in words, that one goroutine grades.
type part struct {
	spans []span
	found []near // what refine estimated
}

// span is words [from, to) of a segment; at is the number of set rows before them.
type span struct{ segment, from, to, at int }

// split cuts the rows into a part for each processor, as equal as words allow.
func split(rows [][]uint64, total int) []part {
	n := runtime.GOMAXPROCS(0)
	out := make([]part, 1, n)
	at := 0
	for i, r := range rows {
		from, begin := 0, at
		for w, word := range r {
			at += bits.OnesCount64(word)
			if at >= total*len(out)/n && len(out) < n {
				out[len(out)-1].spans = append(out[len(out)-1].spans, span{i, from, w + 1, begin})
				out = append(out, part{})
				from, begin = w+1, at
			}
		}
		out[len(out)-1].spans = append(out[len(out)-1].spans, span{i, from, len(r), begin})
	}
	return out
}

func (p *part) grade(segments []*segment, q *flat.Query, rows [][]uint64, grades flat.Grades) {
	for _, s := range p.spans {
		segments[s.segment].vec.Coarse(q, rows[s.segment], s.from, s.to, grades.Tail(s.at))
	}
}

// refine estimates the rows whose grade is at least least.
func (p *part) refine(segments []*segment, q *flat.Query, rows [][]uint64, grades flat.Grades, least uint16) {
	for _, s := range p.spans {
		at, vec := s.at, segments[s.segment].vec
		for w, word := range rows[s.segment][s.from:s.to] {
			for _, g := range grades.Grades[at : at+bits.OnesCount64(word)] {
				if g >= least {
					row := (s.from+w)*64 + bits.TrailingZeros64(word)
					p.found = append(p.found, near{place: place{s.segment, row}, product: vec.Refine(q, row, grades.Sums[at])})
				}
				at++
				word &= word - 1
			}
		}
	}
}

// nthGrade returns the nth highest of the grades, of which there are at least n.
func nthGrade(grades []uint16, n int) uint16 {
	var counts [1 << 16]uint32
	for _, g := range grades {
		counts[g]++
	}
	for g, left := math.MaxUint16, n; g > 0; g-- {
		if left -= int(counts[g]); left <= 0 {
			return uint16(g)
		}
	}
	return 0
}

// kth returns the kth highest value, k at most the number of items, with a heap
// of k that has the lowest at its root.
func kth(all []near, k int, value func(near) float64) float64 {
	heap := make([]float64, k)
	for i := range heap {
		heap[i] = value(all[i])
	}
	slices.Sort(heap) // a sorted slice is a heap
	for _, n := range all[k:] {
		if x := value(n); x > heap[0] {
			heap[0] = x
			sinkLowest(heap)
		}
	}
	return heap[0]
}

func sinkLowest(heap []float64) {
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
