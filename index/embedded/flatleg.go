package embedded

import (
	"context"
	"errors"
	"iter"
	"math"
	"math/bits"
	"runtime"
	"slices"

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
// their codes and the bounds on them, which loses nothing; beyond that by half of the
// codes first. Which of the two, how many go on, and which those are
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
	c, _ := v.state.kept.comparisons.Get().(*comparison)
	if c == nil {
		c = &comparison{}
	}
	defer v.state.kept.comparisons.Put(c)
	c.begin(v.state.segments, flat.NewQuery(unit), rows, n)
	defer c.end()
	if n <= l.exact {
		return c.certain(ctx, k, out)
	}
	return c.likely(ctx, k, len(unit), out)
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

// comparison is a query and the rows that can be among the best of those that it is
// compared with. Searches use its memory one after the other.
type comparison struct {
	segments []*segment
	query    *flat.Query
	rows     []uint32 // ascending, those of the first segment first
	ends     []int    // of each segment's rows
	sums     []int32  // of each row, by the step before
	grades   flat.Grades
	best     []uint64 // a bit for each row
}

// begin lists the rows, of which n bits are set.
func (c *comparison) begin(segments []*segment, q *flat.Query, rows [][]uint64, n int) {
	c.segments, c.query = segments, q
	c.rows, c.sums = slices.Grow(c.rows[:0], n)[:n], slices.Grow(c.sums[:0], n)[:n]
	c.grades, c.best = slices.Grow(c.grades[:0], n)[:n], slices.Grow(c.best[:0], n/64+1)[:n/64+1]
	c.ends = c.ends[:0]
	at := 0
	for _, r := range rows {
		at += setRows(r, c.rows[at:])
		c.ends = append(c.ends, at)
	}
}

// end lets go of what others need no longer.
func (c *comparison) end() { c.segments, c.query = nil, nil }

// setRows sets out to the rows whose bit is set and returns how many they are.
func setRows(rows []uint64, out []uint32) (n int) {
	for w, word := range rows {
		first := uint32(w * 64)
		if word == math.MaxUint64 {
			for i := range out[n:][:64] {
				out[n+i] = first + uint32(i)
			}
			n += 64
			continue
		}
		for ; word != 0; word &= word - 1 {
			out[n] = first + uint32(bits.TrailingZeros64(word))
			n++
		}
	}
	return n
}

// certain appends the estimates of all rows that can be among the best k, and of some
// more. The worst of the k with the best grades is at least its grade less the
// slack; what its own slack does not lift to that can be left out.
func (c *comparison) certain(ctx context.Context, k int, out []near) ([]near, error) {
	slack, err := c.whole(ctx)
	if err != nil {
		return out, err
	}
	c.keep(flat.Lower(c.nth(k), 2*slack+2*flat.GradeStep))
	return c.estimates(out, func(f *flat.File, i int) (product, slack float64) {
		return f.Estimate(c.query, c.rows[i], c.sums[i])
	}), nil
}

// likely appends the estimates of rows that are likely to be among the best k: it reads
// half of the codes, and the rest of those that are near the best.
func (c *comparison) likely(ctx context.Context, k, dim int, out []near) ([]near, error) {
	err := c.each(ctx, runtime.GOMAXPROCS(0), (*flat.File).CheckCoarse, func(f *flat.File, from, to int) {
		f.Coarse(c.query, c.rows[from:to], c.sums[from:to], c.grades[from:to])
	})
	if err != nil {
		return out, err
	}
	// Of many rows, those with the best grades have them by luck too: how good the kth
	// best is, a closer look at a few says.
	few := c.first(2 * max(k, 50))
	if _, err := few.whole(ctx); err != nil {
		return out, err
	}
	c.keep(flat.Lower(few.nth(k), nearByHalves(dim)))
	err = c.each(ctx, 1, (*flat.File).CheckRefine, func(f *flat.File, from, to int) {
		f.Refine(c.query, c.rows[from:to], c.sums[from:to])
	})
	if err != nil {
		return out, err
	}
	begin := len(out)
	out = c.estimates(out, func(f *flat.File, i int) (product, slack float64) {
		product, _ = f.Estimate(c.query, c.rows[i], c.sums[i])
		return product, math.Inf(1) // what was left out may be better
	})
	floor := leastOf(out[begin:], k) - float64(nearByWhole(dim))
	left := slices.DeleteFunc(out[begin:], func(x near) bool { return x.product < floor })
	return out[:begin+len(left)], nil
}

// whole grades the rows by whole codes and returns the greatest slack.
func (c *comparison) whole(ctx context.Context) (slack float64, err error) {
	err = c.each(ctx, 1, (*flat.File).CheckFine, func(f *flat.File, from, to int) {
		slack = max(slack, f.Fine(c.query, c.rows[from:to], c.sums[from:to], c.grades[from:to]))
	})
	return slack, err
}

// How many deviations of what rounding does to a product it may lie below that of the
// kth best: within them stood all of the best; see docs/adr/0012.
const (
	withinHalves = 4
	withinWhole  = 4
)

// nearByWhole is how much lower than the kth best an estimate may be. What rounding does
// to the product of a unit vector with a rotated one is as good as random: its deviation
// is 1 / √12 of a step, and a step the greatest of dim numbers, √(2 ln dim) deviations of
// 1 / √dim, over 127. The query is rounded too.
func nearByWhole(dim int) float64 { return withinWhole * math.Sqrt(2./12) * step(dim) }

// nearByHalves is the same of half of a code, which has a sixteenth of the numbers.
func nearByHalves(dim int) float64 { return withinHalves * 16 / math.Sqrt(12) * step(dim) }

func step(dim int) float64 {
	d := float64(max(dim, 2))
	return math.Sqrt(2*steady.Log(d)/d) / levels
}

const levels = 127 // of a code to either side of zero

// nth returns the nth best grade, or the worst if there are fewer.
func (c *comparison) nth(n int) uint16 { return c.grades.Nth(min(n, len(c.grades)), c.best) }

// keep leaves the rows of at least the grade.
func (c *comparison) keep(least uint16) { c.moveTo(c, least) }

// first returns the n rows with the best grades, and those that equal the last.
func (c *comparison) first(n int) *comparison {
	out := &comparison{segments: c.segments, query: c.query, ends: slices.Clone(c.ends)}
	c.moveTo(out, c.nth(n))
	out.best = make([]uint64, len(out.rows)/64+1)
	return out
}

// moveTo sets the rows of out, which may be c, to those of at least the grade.
func (c *comparison) moveTo(out *comparison, least uint16) {
	c.grades.AtLeast(least, c.best)
	rows, sums, segment := out.rows[:0], out.sums[:0], 0
	ends := func(before int) { // of the segments whose rows stand before that place
		for ; segment < len(c.ends) && c.ends[segment] <= before; segment++ {
			out.ends[segment] = len(rows)
		}
	}
	for w, word := range c.best[:(len(c.rows)+63)/64] {
		for ; word != 0; word &= word - 1 {
			i := w*64 + bits.TrailingZeros64(word)
			ends(i)
			rows, sums = append(rows, c.rows[i]), append(sums, c.sums[i])
		}
	}
	ends(len(c.rows))
	out.rows, out.sums = rows, sums
	out.grades = slices.Grow(out.grades[:0], len(rows))[:len(rows)]
}

// alone is up to how many rows one goroutine looks at sooner than two.
const alone = 8192

// each checks ranges of the rows, each of one segment, and hands them to read, to so
// many goroutines.
func (c *comparison) each(ctx context.Context, workers int, check func(*flat.File, iter.Seq[uint32]) error, read func(f *flat.File, from, to int)) error {
	workers = max(1, min(workers, len(c.rows)/alone))
	errs := make([]error, workers)
	part := func(n int) {
		from, end := n*len(c.rows)/workers, (n+1)*len(c.rows)/workers
		for i, s := range c.segments {
			to := min(end, c.ends[i])
			if from >= to {
				continue
			}
			if errs[n] = check(s.vec, slices.Values(c.rows[from:to])); errs[n] != nil {
				return
			}
			read(s.vec, from, to)
			from = to
		}
	}
	var others rejoin.Group
	for n := 1; n < workers; n++ {
		others.Go(func() { part(n) })
	}
	func() {
		defer others.Wait() // also if it panics: what they write in is used again
		part(0)
	}()
	return errors.Join(append(errs, ctx.Err())...)
}

// estimates appends the rows with their estimates.
func (c *comparison) estimates(out []near, of func(f *flat.File, i int) (product, slack float64)) []near {
	out = slices.Grow(out, len(c.rows))
	i := 0
	for segment, end := range c.ends {
		for f := c.segments[segment].vec; i < end; i++ {
			product, slack := of(f, i)
			out = append(out, near{place{segment, int(c.rows[i])}, product, slack})
		}
	}
	return out
}
