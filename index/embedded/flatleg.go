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

func (l flatLeg) candidates(ctx context.Context, v *view, unit []float32, rows [][]uint64, k int, out []near) ([]near, error) {
	q, n := flat.NewQuery(unit), 0
	for _, r := range rows {
		n += countBits(r)
	}
	c := comparison{segments: v.state.segments, query: q, rows: rows, total: n, room: &v.state.kept.grades}
	if n <= l.exact {
		return c.estimateAll(ctx, out)
	}
	found, err := c.bestGrades(ctx, budget(n, k), out)
	if err != nil {
		return found, err
	}
	return likely(found, shortlist(k)), nil
}

// comparison is a query and the rows that it is compared with.
type comparison struct {
	segments []*segment
	query    *flat.Query
	rows     [][]uint64
	total    int // set rows
	room     *sync.Pool
}

// estimateAll estimates every row, so closely that the best are certain to be known.
func (c *comparison) estimateAll(ctx context.Context, out []near) ([]near, error) {
	out = slices.Grow(out, c.total)
	var e estimates
	for i, s := range c.segments {
		if err := ctx.Err(); err != nil {
			return out, err
		}
		for w, word := range c.rows[i] {
			for ; word != 0; word &= word - 1 {
				e.rows[e.n] = uint32(w*64 + bits.TrailingZeros64(word))
				if e.n++; e.n == len(e.rows) {
					out = e.estimate(s, c.query, i, out)
				}
			}
		}
		out = e.estimate(s, c.query, i, out)
	}
	return out, nil
}

// estimates are rows of one segment that are estimated together.
type estimates struct {
	rows             [512]uint32
	sums             [512]int32
	products, slacks [512]float64
	n                int
}

func (e *estimates) estimate(s *segment, q *flat.Query, segment int, out []near) []near {
	s.vec.Estimate(q, e.rows[:e.n], e.products[:], e.slacks[:])
	for i, row := range e.rows[:e.n] {
		out = append(out, near{place{segment, int(row)}, e.products[i], e.slacks[i]})
	}
	e.n = 0
	return out
}

// refine is estimate from sums that are known, of rows for which nothing is certain.
func (e *estimates) refine(s *segment, q *flat.Query, segment int, out []near) []near {
	s.vec.Refine(q, e.rows[:e.n], e.sums[:e.n], e.products[:])
	for i, row := range e.rows[:e.n] {
		out = append(out, near{place{segment, int(row)}, e.products[i], math.Inf(1)})
	}
	e.n = 0
	return out
}

// likely returns those with the n best estimates and those that equal the last.
func likely(all []near, n int) []near {
	if len(all) <= n {
		return all
	}
	floor := kth(all, n)
	return slices.DeleteFunc(all, func(x near) bool { return x.product < floor })
}

// budget is how many of n rows go on from half of their codes to all. Vectors of
// mean cosine .8 without structure, at which codes are at their worst, need it: of
// 100,000 rows 4,000 held .996 to 1 of the best ten.
func budget(n, k int) int { return max(20*k, 25*int(math.Sqrt(float64(n)))) }

// shortlist is how many go on to their numbers.
func shortlist(k int) int { return k + max(k, 100) }

// bestGrades appends the estimates of the rows with the n best grades, and of all
// whose grade is that of the last of them.
func (c *comparison) bestGrades(ctx context.Context, n int, out []near) ([]near, error) {
	w, _ := c.room.Get().(*gradeWork)
	if w == nil {
		w = &gradeWork{}
	}
	defer c.room.Put(w)
	w.parts = split(c.rows, c.total, w.parts)
	parts, grades, best := w.parts, w.gradesOf(c.total), slices.Grow(w.best[:0], c.total/64+2)[:c.total/64+2]
	w.best = best
	inParallel(parts, func(p *part) { p.grade(c, grades) })
	if err := ctx.Err(); err != nil {
		return out, err
	}
	grades.AtLeast(grades.Nth(n, best), best)
	inParallel(parts, func(p *part) { p.refine(c, grades, best) })
	for _, p := range parts {
		out = append(out, p.found...)
	}
	return out, ctx.Err()
}

// gradeWork is memory that searches by vector use one after the other.
type gradeWork struct {
	grades flat.Grades
	best   []uint64
	parts  []part
}

func (w *gradeWork) gradesOf(n int) flat.Grades {
	if len(w.grades.Grades) < n {
		w.grades = flat.NewGrades(n)
	}
	return flat.Grades{Grades: w.grades.Grades[:n], Sums: w.grades.Sums[:n]}
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

// split cuts the rows into a part for each processor, as equal as words allow. It
// uses the memory of old parts.
func split(rows [][]uint64, total int, old []part) []part {
	n := runtime.GOMAXPROCS(0)
	out := slices.Grow(old[:0], n)[:n]
	for i := range out {
		out[i] = part{spans: out[i].spans[:0], found: out[i].found[:0]}
	}
	out = out[:1]
	at := 0
	for i, r := range rows {
		from, begin := 0, at
		for w, word := range r {
			at += bits.OnesCount64(word)
			if at >= total*len(out)/n && len(out) < n {
				out[len(out)-1].spans = append(out[len(out)-1].spans, span{i, from, w + 1, begin})
				out = out[:len(out)+1]
				from, begin = w+1, at
			}
		}
		out[len(out)-1].spans = append(out[len(out)-1].spans, span{i, from, len(r), begin})
	}
	return out
}

func (p *part) grade(c *comparison, grades flat.Grades) {
	for _, s := range p.spans {
		c.segments[s.segment].vec.Coarse(c.query, c.rows[s.segment], s.from, s.to, grades.Tail(s.at))
	}
}

// refine estimates the rows that are the best; best has a bit for each set row.
func (p *part) refine(c *comparison, grades flat.Grades, best []uint64) {
	var e estimates
	for _, s := range p.spans {
		at, vec := s.at, c.segments[s.segment]
		for w, word := range c.rows[s.segment][s.from:s.to] {
			n := bits.OnesCount64(word)
			for chosen := bitsAt(best, at, n); chosen != 0; chosen &= chosen - 1 {
				i := bits.TrailingZeros64(chosen)
				e.rows[e.n] = uint32((s.from+w)*64 + nthBit(word, i))
				e.sums[e.n] = grades.Sums[at+i]
				if e.n++; e.n == len(e.rows) {
					p.found = e.refine(vec, c.query, s.segment, p.found)
				}
			}
			at += n
		}
		p.found = e.refine(vec, c.query, s.segment, p.found)
	}
}

// bitsAt returns n bits from place at on; there is a word more than they need.
func bitsAt(set []uint64, at, n int) uint64 {
	word := set[at/64] >> (at % 64)
	if at%64 > 0 {
		word |= set[at/64+1] << (64 - at%64)
	}
	return word & (1<<n - 1)
}

// nthBit returns the place of the bit of the word that has n set bits below it.
func nthBit(word uint64, n int) int {
	if word != math.MaxUint64 {
		for range n {
			word &= word - 1
		}
		return bits.TrailingZeros64(word)
	}
	return n
}

// kth returns the kth highest estimate, k at most the number of items, with a heap
// of k that has the lowest at its root.
func kth(all []near, k int) float64 {
	heap := make([]float64, k)
	for i := range heap {
		heap[i] = all[i].product
	}
	slices.Sort(heap) // a sorted slice is a heap
	for i := range all[k:] {
		if x := all[k+i].product; x > heap[0] {
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
