package embedded

import (
	"context"
	"errors"
	"math"
	"math/bits"
	"runtime"
	"slices"
	"sync"

	"ken/index/embedded/flat"
	"ken/internal/rejoin"
	"ken/internal/steady"
)

// exactRows is up to how many rows every one is compared so closely that none of
// the best can be missed.
const exactRows = 20_000

// scoredRows is up to how many rows are scored as they are: looking at their codes
// first would cost more.
const scoredRows = 128

// flatLeg compares the query with every row that may be read: up to exact rows by
// their codes and the bounds on them, which loses nothing; beyond that by half of
// the codes first. Which of the two, how many go on, and which those are
// depends on the vectors of these rows, the query and k alone.
type flatLeg struct{ exact int }

func (l flatLeg) follow(context.Context, []*segment, classes) (vectorLeg, error) { return l, nil }

func (l flatLeg) candidates(ctx context.Context, v *view, unit []float32, rows [][]uint64, k int, out []near) ([]near, error) {
	n := 0
	for _, r := range rows {
		n += countBits(r)
	}
	if n <= min(l.exact, scoredRows) {
		return everyRow(rows, out), nil
	}
	c := comparison{segments: v.state.segments, query: flat.NewQuery(unit), rows: rows, total: n, room: &v.state.kept.grades}
	if n <= l.exact {
		return c.certain(ctx, k, out)
	}
	found, err := c.likely(ctx, k, len(unit), out)
	if err != nil {
		return found, err
	}
	return shortlist(found, k), nil
}

// everyRow appends the set rows, of which nothing is known.
func everyRow(rows [][]uint64, out []near) []near {
	for i, r := range rows {
		for row := range setBits(r) {
			out = append(out, near{place{i, row}, 0, math.Inf(1)})
		}
	}
	return out
}

// comparison is a query and the rows that it is compared with.
type comparison struct {
	segments []*segment
	query    *flat.Query
	rows     [][]uint64
	total    int // set rows
	room     *sync.Pool
	fine     bool // whole codes are compared
}

// certain appends the estimates of all rows that can be among the best k, and of some
// more. The worst of the k with the best grades is at least its grade less the
// slack; what its own slack does not lift to that can be left out.
func (c *comparison) certain(ctx context.Context, k int, out []near) ([]near, error) {
	c.fine = true
	return c.narrow(ctx, k, out, func(parts []part) float64 {
		var slack float64
		for i := range parts {
			slack = max(slack, parts[i].slack)
		}
		return 2*slack + 2*flat.GradeStep
	})
}

// likely appends the estimates of the rows whose grade is near that of the kth best.
func (c *comparison) likely(ctx context.Context, k, dim int, out []near) ([]near, error) {
	return c.narrow(ctx, k, out, func([]part) float64 { return nearBy(dim) })
}

// nearBy is how much lower than that of the kth best a grade from half of a code may
// be. What rounding to sixteen numbers does to the product of a unit vector with a
// rotated one is as good as random: its deviation is 16 / √12 of a step, and a step
// the greatest of dim numbers, √(2 ln dim) deviations of 1 / √dim, over 127. Within
// four and a half of these deviations stood all of the best ten; see docs/adr/0012.
func nearBy(dim int) float64 {
	d := float64(max(dim, 2))
	return 4.5 * 16 / math.Sqrt(12) / levels * math.Sqrt(2*steady.Log(d)/d)
}

const levels = 127 // of a code to either side of zero

// shortlist returns those with the best estimates, 2·k or a few more, and those that
// equal the last: they go on to their numbers.
func shortlist(all []near, k int) []near {
	n := k + max(k, 100)
	if len(all) <= n {
		return all
	}
	floor := kth(all, n)
	return slices.DeleteFunc(all, func(x near) bool { return x.product < floor })
}

// narrow grades all rows and appends the estimates of those that are no more than
// below, or a little more, under the kth best grade.
func (c *comparison) narrow(ctx context.Context, k int, out []near, below func([]part) float64) ([]near, error) {
	w, _ := c.room.Get().(*gradeWork)
	if w == nil {
		w = &gradeWork{}
	}
	defer c.room.Put(w)
	w.parts = split(c.rows, c.total, w.parts)
	parts, grades, best := w.parts, w.gradesOf(c.total), slices.Grow(w.best[:0], c.total/64+2)[:c.total/64+2]
	w.best = best
	if err := inParallel(parts, func(p *part) error { return p.grade(c, grades) }); err != nil {
		return out, err
	}
	if err := ctx.Err(); err != nil {
		return out, err
	}
	grades.AtLeast(flat.Lower(grades.Nth(min(k, c.total), best), below(parts)), best)
	if err := inParallel(parts, func(p *part) error { return p.estimate(c, grades, best) }); err != nil {
		return out, err
	}
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

func inParallel(parts []part, f func(*part) error) error {
	var workers rejoin.Group
	for i := range parts[1:] {
		workers.Go(func() { parts[i+1].err = f(&parts[i+1]) })
	}
	err := f(&parts[0])
	workers.Wait()
	for i := range parts[1:] {
		err = errors.Join(err, parts[i+1].err)
	}
	return err
}

// part is a range of the rows, in words, that one goroutine grades.
type part struct {
	spans []span
	slack float64 // the greatest of Fine
	found []near  // what was estimated
	err   error
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

func (p *part) grade(c *comparison, grades flat.Grades) error {
	p.slack = 0
	for _, s := range p.spans {
		vec, rows, out := c.segments[s.segment].vec, c.rows[s.segment], grades.Tail(s.at)
		if c.fine {
			if err := vec.CheckFine(rows, s.from, s.to); err != nil {
				return err
			}
			p.slack = max(p.slack, vec.Fine(c.query, rows, s.from, s.to, out))
			continue
		}
		if err := vec.CheckCoarse(rows, s.from, s.to); err != nil {
			return err
		}
		vec.Coarse(c.query, rows, s.from, s.to, out)
	}
	return nil
}

// estimate finds the estimates of the rows that are the best; best has a bit for
// each set row.
func (p *part) estimate(c *comparison, grades flat.Grades, best []uint64) (err error) {
	var e estimates
	for _, s := range p.spans {
		at := s.at
		for w, word := range c.rows[s.segment][s.from:s.to] {
			n := bits.OnesCount64(word)
			for i, chosen := at, bitsAt(best, at, n); chosen != 0; i, chosen, word = i+1, chosen>>1, word&(word-1) {
				if chosen&1 == 0 {
					continue
				}
				e.rows[e.n] = uint32((s.from+w)*64 + bits.TrailingZeros64(word))
				e.sums[e.n] = grades.Sums[i]
				if e.n++; e.n == len(e.rows) {
					if p.found, err = e.append(c, s.segment, p.found); err != nil {
						return err
					}
				}
			}
			at += n
		}
		if p.found, err = e.append(c, s.segment, p.found); err != nil {
			return err
		}
	}
	return nil
}

// estimates are rows of one segment that are estimated together.
type estimates struct {
	rows             [256]uint32
	sums             [256]int32
	products, slacks [256]float64
	n                int
}

// append appends the estimates; from half of the codes nothing is certain.
func (e *estimates) append(c *comparison, segment int, out []near) ([]near, error) {
	vec, rows, sums := c.segments[segment].vec, e.rows[:e.n], e.sums[:e.n]
	if c.fine {
		vec.Estimate(c.query, rows, sums, e.products[:], e.slacks[:])
	} else {
		if err := vec.CheckRefine(slices.Values(rows)); err != nil {
			return out, err
		}
		vec.Refine(c.query, rows, sums, e.products[:])
	}
	for i, row := range rows {
		n := near{place{segment, int(row)}, e.products[i], math.Inf(1)}
		if c.fine {
			n.slack = e.slacks[i]
		}
		out = append(out, n)
	}
	e.n = 0
	return out, nil
}

// bitsAt returns n bits from place at on; there is a word more than they need.
func bitsAt(set []uint64, at, n int) uint64 {
	word := set[at/64] >> (at % 64)
	if at%64 > 0 {
		word |= set[at/64+1] << (64 - at%64)
	}
	return word & (1<<n - 1)
}

// kth returns the kth highest estimate, k at most the number of items. Each round
// keeps what is above one of them, or what is below.
func kth(all []near, k int) float64 {
	left := make([]float64, len(all))
	for i := range all {
		left[i] = all[i].product
	}
	for {
		a, b, c := left[0], left[len(left)/2], left[len(left)-1]
		pivot := max(min(a, b), min(max(a, b), c)) // the middle of three
		above, equal := 0, 0
		for _, x := range left {
			if x > pivot {
				above++
			} else if x == pivot {
				equal++
			}
		}
		switch {
		case k <= above:
			left = slices.DeleteFunc(left, func(x float64) bool { return x <= pivot })
		case k <= above+equal:
			return pivot
		default:
			k -= above + equal
			left = slices.DeleteFunc(left, func(x float64) bool { return x >= pivot })
		}
	}
}
