package embedded

import (
	"context"
	"math"
	"math/bits"
	"runtime"
	"slices"
	"sync/atomic"

	"ken/index"
	"ken/index/embedded/bounds"
	"ken/index/embedded/flat"
	"ken/internal/rejoin"
)

// margin covers the rounding of sums that are made in another order than scores.
const margin = 1 + 1e-9

// weightedList is the lists of one form of a term with the term's weight.
type weightedList struct {
	*lists
	weight float64     // of the term, times idf
	bounds [256]uint16 // of what the form adds to a score, by step and code; see windows.unit
}

// bestTexts returns the best k chunks. A score is the sum of its parts in the
// order of the query. Chunks that cannot be among the best are not scored: what
// all forms can add to each is summed in small whole numbers first.
func (v *view) bestTexts(ctx context.Context, q index.TextQuery, k int) ([]index.Hit, error) {
	rows, err := v.passing(ctx, q.Filter)
	if err != nil {
		return nil, err
	}
	terms, err := v.weightedLists(ctx, q)
	if err != nil {
		return nil, err
	}
	w, _ := v.state.kept.windows.Get().(*windows)
	if w == nil {
		w = &windows{}
	}
	defer v.state.kept.windows.Put(w)
	return w.searchAll(ctx, v, q.BM25, terms, rows, k)
}

// bounded reports whether parts are above zero and grow with frequencies, as bounds
// need: with ordinary parameters and weights.
func bounded(terms []*weightedList, p index.BM25) bool {
	const least = 1e-100
	return p.Title > least && p.Title < 1/least && p.K1 >= 0 && p.K1 < 1/least && p.B >= 0 && p.B <= 1 &&
		!slices.ContainsFunc(terms, func(t *weightedList) bool { return !(t.weight > least && t.weight < 1/least) })
}

// weightedLists returns the lists of all forms in the order of the query.
func (v *view) weightedLists(ctx context.Context, q index.TextQuery) ([]*weightedList, error) {
	var out []*weightedList
	field := v.fields(q.BM25)
	v.expect(ctx, q)
	for _, t := range q.Terms {
		if err := checkForms(t); err != nil {
			return nil, err
		}
		df, first := 0, len(out)
		for _, f := range t.Forms {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			l, err := v.listsOf(ctx, f)
			if err != nil {
				return nil, err
			}
			if df += l.df; l.df > 0 {
				out = append(out, &weightedList{lists: l})
			}
		}
		for _, l := range out[first:] {
			l.weight = float64(t.Weight * field.idf(df))
		}
	}
	return out, nil
}

// expect asks for the postings of all terms in segments that were not read yet, so
// that the disk has them ready one after the other, and reads them on all processors:
// the first searches after an open have the most to read. listsOf then finds them
// among those that are kept; it tells errors.
func (v *view) expect(ctx context.Context, q index.TextQuery) {
	var cold []int
	for i, s := range v.state.segments {
		if !s.lex.Whole() {
			cold = append(cold, i)
		}
	}
	if len(cold) == 0 {
		return
	}
	var tasks []func()
	for _, rest := range []bool{false, true} {
		for _, i := range cold {
			for _, t := range q.Terms {
				for _, f := range t.Forms {
					v.state.segments[i].lex.Expect(f.Language, f.Text, rest)
				}
			}
		}
	}
	for _, t := range q.Terms {
		for _, f := range t.Forms {
			tasks = append(tasks, func() { _, _ = v.listsOf(ctx, f) })
		}
	}
	for _, i := range cold {
		tasks = append(tasks, func() { _, _ = v.stepsOf(i) })
	}
	var next atomic.Int64
	var workers rejoin.Group
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(tasks); i = int(next.Add(1)) - 1 {
				tasks[i]()
			}
		})
	}
	workers.Wait()
}

// rowsIn returns the rows of a segment that pass the filter, nil if there is none.
func rowsIn(rows [][]uint64, segment int) []uint64 {
	if rows == nil {
		return nil
	}
	return rows[segment]
}

// windows goes through the readable rows of one segment, by rank, a window at a time.
type windows struct {
	parts
	terms   []*weightedList // in the order of the query
	best    *top
	bounded bool    // else all that have a term are scored
	unit    float64 // of bounds: what one is worth in scores

	number int      // of the segment
	rows   []uint64 // that pass the filter; nil: all do
	ranks  *ranking
	steps  []byte
	row    int // of the window's first rank

	// Of the ranks of the window:
	sums       [window]uint16 // of bounds
	set, first [window / 64]uint64
	found      []candidate
	scores     [window]float64
	lengths    [window]struct{ title, body uint32 }
}

// candidate is a chunk that is scored.
type candidate struct{ rank, row uint32 } // rank in the window

// searchAll returns the best k of the readable chunks that pass the filter.
func (w *windows) searchAll(ctx context.Context, v *view, p index.BM25, terms []*weightedList, rows [][]uint64, k int) ([]index.Hit, error) {
	w.terms, w.bounded, w.best = terms, bounded(terms, p), &top{k: k, segments: v.state.segments}
	defer func() { w.terms, w.best, w.rows, w.ranks, w.steps = nil, nil, nil, nil, nil }()
	w.begin(v.fields(p), &v.readable.line.scale)
	w.bound()
	for i := range v.state.segments {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		var err error
		if w.steps, err = v.stepsOf(i); err != nil {
			return nil, err
		}
		w.number, w.row, w.rows, w.ranks = i, 0, rowsIn(rows, i), &v.readable.ranks[i]
		for from := 0; from < w.ranks.len(); from += window {
			w.search(from)
		}
	}
	return w.best.sorted(), nil
}

// bound makes the bounds of the terms: their sums, rounded up, fit 16 bits. Where
// bounds say nothing, each is 1.
func (w *windows) bound() {
	sum := 0.0
	for _, t := range w.terms {
		sum += t.weight
	}
	w.unit = sum * w.limit() * margin / (math.MaxUint16 - min(float64(len(w.terms)), math.MaxUint16/2))
	for _, t := range w.terms {
		for i, part := range w.most {
			switch {
			case i%16 == 0:
				t.bounds[i] = 0
			case w.bounded:
				t.bounds[i] = uint16(max(1, min(math.Ceil(part*t.weight*margin/w.unit), math.MaxUint16)))
			default:
				t.bounds[i] = 1
			}
		}
	}
}

// least is the sum of bounds that a chunk needs to be kept.
func (w *windows) least() uint16 {
	if !w.bounded || !w.best.full() {
		return 1
	}
	return uint16(max(1, min(math.Ceil(w.best.least()/margin/w.unit), math.MaxUint16)))
}

// search hands the chunks of the window that begins at the rank and that can be
// among the best to best. Where too few were found yet, those whose bounds are the
// highest go first.
func (w *windows) search(from int) {
	sums := w.sums[:min(window, aligned(w.ranks.len()-from))]
	if !w.sum(from, sums) {
		return
	}
	w.row = w.ranks.row(uint32(from), w.row)
	if w.rows != nil {
		w.filter(from)
	}
	all, set := flat.Grades(sums), w.set[:len(sums)/64]
	all.AtLeast(w.least(), set)
	if !w.best.full() && count(set) > w.best.k {
		first := w.first[:len(set)]
		all.AtLeast(all.Nth(w.best.k, first), first)
		w.score(from, first)
		all.AtLeast(w.least(), set)
		for i := range set {
			set[i] &^= first[i]
		}
	}
	w.score(from, set)
}

func count(set []uint64) (n int) {
	for _, word := range set {
		n += bits.OnesCount64(word)
	}
	return n
}

// sum adds up the bounds of the terms. It reports whether any stands in the window.
func (w *windows) sum(from int, sums []uint16) (found bool) {
	clear(sums)
	for _, t := range w.terms {
		l := &t.segments[w.number]
		if l.each != nil {
			bounds.Add(sums, l.each[from/2:], w.steps[from:], &t.bounds)
			found = true
			continue
		}
		some := l.in(from)
		for _, p := range some {
			rank := p >> 4
			sums[rank] = bounds.Plus(sums[rank], t.bounds[w.steps[from+int(rank)]|byte(p&15)])
		}
		found = found || len(some) > 0
	}
	return found
}

// filter clears the sums of the chunks that do not pass.
func (w *windows) filter(from int) {
	row := w.row
	for rank := range min(window, w.ranks.len()-from) {
		if w.sums[rank] > 0 {
			if row = w.ranks.row(uint32(from+rank), row); !has(w.rows, row) {
				w.sums[rank] = 0
			}
		}
	}
}

// score hands the chunks of the set to best, with the sums of their parts in the
// order of the query.
func (w *windows) score(from int, set []uint64) {
	w.find(from, set)
	for _, t := range w.terms {
		l := &t.segments[w.number]
		if l.each != nil {
			for _, c := range w.found {
				if code := l.code(from + int(c.rank)); code != 0 {
					w.add(t, from, c.rank, code)
				}
			}
			continue
		}
		for _, p := range l.in(from) {
			if rank := int(p >> 4); has(set, rank) {
				w.add(t, from, uint32(rank), byte(p&15))
			}
		}
	}
	for _, c := range w.found {
		if score := w.scores[c.rank]; w.best.admits(score) {
			w.best.push(w.number, int(c.row), score)
		}
	}
}

// find looks the chunks of the set up.
func (w *windows) find(from int, set []uint64) {
	w.found = w.found[:0]
	row, lex := w.row, w.best.segments[w.number].lex
	for rank := range setBits(set) {
		row = w.ranks.row(uint32(from+rank), row)
		w.found = append(w.found, candidate{uint32(rank), uint32(row)})
		w.scores[rank] = 0
		w.lengths[rank].title, w.lengths[rank].body = lex.Lengths(row)
	}
}

// add adds what a form says in a chunk to its score.
func (w *windows) add(t *weightedList, from int, rank uint32, code byte) {
	n := w.lengths[rank]
	w.scores[rank] += float64(t.weight * w.of(&t.segments[w.number], from+int(rank), code, n.title, n.body))
}
