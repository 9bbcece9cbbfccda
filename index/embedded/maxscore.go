package embedded

import (
	"cmp"
	"context"
	"math"
	"runtime"
	"slices"
	"sync/atomic"

	"ken/index"
	"ken/internal/rejoin"
)

// window is how many readable rows are scored together.
const window = 4096

// margin covers the rounding of sums that are made in another order than scores.
const margin = 1 + 1e-9

// weightedList is the lists of one form of a term with the term's weight.
type weightedList struct {
	*lists
	weight  float64 // of the term, times idf
	most    float64 // that the form adds to any score
	at, end int     // places in the list of the segment being scored: of the window
}

// bestTexts returns the best k chunks. A score is the sum of its parts in the
// order of the query. Chunks that cannot be among the best are not scored: once k
// are found, the lists whose greatest parts together stay below the least of them
// are only looked into for chunks that other lists have (MaxScore: Turtle and
// Flood, "Query Evaluation: Strategies and Optimizations", 1995).
func (v *view) bestTexts(ctx context.Context, q index.TextQuery, k int) ([]index.Hit, error) {
	rows, err := v.passing(ctx, q.Filter)
	if err != nil {
		return nil, err
	}
	terms, err := v.weightedLists(ctx, q)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(terms, func(t *weightedList) bool { return !(t.weight > leastWeight) }) && ordinary(q.BM25) {
		return v.searchWindows(ctx, terms, rows, k)
	}
	return v.scoreAll(ctx, terms, rows, k)
}

// Parts are above zero, as the windows need, with ordinary parameters and weights.
const leastWeight = 1e-100

func ordinary(p index.BM25) bool {
	return p.Title > leastWeight && p.K1 >= 0 && p.K1 < 1/leastWeight && p.B >= 0 && p.B <= 1
}

// weightedLists returns the lists of all forms in the order of the query.
func (v *view) weightedLists(ctx context.Context, q index.TextQuery) ([]*weightedList, error) {
	var out []*weightedList
	field := v.fields(q.BM25)
	v.expect(ctx, q, field)
	for _, t := range q.Terms {
		if err := checkForms(t); err != nil {
			return nil, err
		}
		df, first := 0, len(out)
		for _, f := range t.Forms {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			l, err := v.listsOf(ctx, f, &field)
			if err != nil {
				return nil, err
			}
			if df += l.df; l.df > 0 {
				out = append(out, &weightedList{lists: l})
			}
		}
		for _, l := range out[first:] {
			l.weight = float64(t.Weight * field.idf(df))
			for _, s := range l.segments {
				l.most = max(l.most, float64(l.weight*s.most))
			}
		}
	}
	return out, nil
}

// expect asks for the postings of all terms in segments that were not read yet, so
// that the disk has them ready one after the other, and reads them on all processors:
// the first searches after an open have the most to read. listsOf then finds them
// among those that are kept; it tells errors.
func (v *view) expect(ctx context.Context, q index.TextQuery, field bm25f) {
	cold := slices.DeleteFunc(slices.Clone(v.state.segments), func(s *segment) bool { return s.lex.Whole() })
	if len(cold) == 0 {
		return
	}
	for _, rest := range []bool{false, true} {
		for _, s := range cold {
			for _, t := range q.Terms {
				for _, f := range t.Forms {
					s.lex.Expect(f.Language, f.Text, rest)
				}
			}
		}
	}
	var next atomic.Int64
	var workers rejoin.Group
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			own := field
			for i := int(next.Add(1)) - 1; i < len(q.Terms); i = int(next.Add(1)) - 1 {
				for _, f := range q.Terms[i].Forms {
					_, _ = v.listsOf(ctx, f, &own)
				}
			}
		})
	}
	workers.Wait()
}

// scoreAll scores every chunk that has a term, whatever the weights.
func (v *view) scoreAll(ctx context.Context, terms []*weightedList, rows [][]uint64, k int) ([]index.Hit, error) {
	acc := v.state.accumulator()
	defer v.state.recycle(acc)
	for _, t := range terms {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		for i, l := range t.segments {
			for n, rank := range l.ranks {
				acc.add(i, int(rank), float64(t.weight*l.parts[n]))
			}
		}
	}
	best := top{k: k, segments: v.state.segments}
	for i := range v.state.segments {
		for _, rank := range acc.touched[i] {
			if score := acc.scores[i][rank]; best.admits(score) {
				if row := v.readable.ranks[i].row(rank, 0); rows == nil || has(rows[i], row) {
					best.push(i, row, score)
				}
			}
		}
	}
	return best.sorted(), nil
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
	number   int // of the segment
	last     int // row that was offered; ranks only grow
	ranks    *ranking
	rows     []uint64        // that pass the filter; nil: all do
	terms    []*weightedList // in the order of the query
	byMost   []*weightedList // the least first
	best     *top
	sums     [window]float64
	elsewise float64 // what the lists that are only looked into can add
}

func (v *view) searchWindows(ctx context.Context, terms []*weightedList, rows [][]uint64, k int) ([]index.Hit, error) {
	w, _ := v.state.kept.windows.Get().(*windows)
	if w == nil {
		w = &windows{}
	}
	defer v.state.kept.windows.Put(w)
	w.terms, w.best = terms, &top{k: k, segments: v.state.segments}
	w.byMost = slices.Clone(terms)
	slices.SortFunc(w.byMost, func(a, b *weightedList) int { return cmp.Compare(a.most, b.most) })
	for i := range v.state.segments {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		w.number, w.last, w.rows, w.ranks = i, 0, rowsIn(rows, i), &v.readable.ranks[i]
		for _, t := range terms {
			t.end = 0
		}
		for from := 0; from < w.ranks.len(); from += window {
			w.search(from, min(from+window, w.ranks.len()))
		}
	}
	return w.best.sorted(), nil
}

// split returns how many of byMost together cannot lift a chunk to the best.
func (w *windows) split() int {
	w.elsewise = 0
	if !w.best.full() {
		return 0
	}
	least := w.best.least()
	for i, t := range w.byMost {
		if sum := w.elsewise + t.most; sum*margin < least {
			w.elsewise = sum
			continue
		}
		return i
	}
	return len(w.byMost)
}

// search hands the chunks of ranks [from, to) that can be among the best to best.
func (w *windows) search(from, to int) {
	for _, t := range w.terms {
		t.at = t.end
		t.end = seek(t.segments[w.number].ranks, t.at, uint32(to))
	}
	few := w.split()
	if few == len(w.byMost) {
		return
	}
	if few > 0 && w.prune(from, to, few) {
		return
	}
	w.sum(w.terms, from, to)
	least := w.least()
	for i, score := range w.sums[:to-from] {
		if score >= least {
			w.push(uint32(from+i), score)
			least = w.least()
		}
	}
}

// Looking for a chunk in a list costs as much as reading that many of its postings.
const lookInto = 4

// postings returns how many postings of the lists are in the window.
func postings(lists []*weightedList) (n int) {
	for _, t := range lists {
		n += t.end - t.at
	}
	return n
}

// sum sets sums to those of the lists over the window, each added in their order.
func (w *windows) sum(lists []*weightedList, from, to int) {
	clear(w.sums[:to-from])
	for _, t := range lists {
		l := &t.segments[w.number]
		parts := l.parts[t.at:t.end]
		for i, rank := range l.ranks[t.at:t.end] {
			w.sums[(int(rank)-from)%window] += float64(t.weight * parts[i])
		}
	}
}

// least is the score that a chunk needs to be kept; parts are above zero.
func (w *windows) least() float64 {
	if !w.best.full() {
		return math.SmallestNonzeroFloat64
	}
	return max(math.SmallestNonzeroFloat64, w.best.least())
}

// prune reads the lists that matter, in any order, and scores the chunks that they
// and what the few others can add lift to the best. It reports false, and did
// nothing, where reading all lists costs less.
func (w *windows) prune(from, to, few int) bool {
	rest := postings(w.byMost[:few])
	if rest <= postings(w.byMost[few:]) {
		return false
	}
	w.sum(w.byMost[few:], from, to)
	need := func() float64 { return max(math.SmallestNonzeroFloat64, w.least()/margin-w.elsewise) }
	least, candidates := need(), 0
	for _, sum := range w.sums[:to-from] {
		if sum >= least {
			candidates++
		}
	}
	if candidates*len(w.terms)*lookInto > rest {
		return false
	}
	for i, sum := range w.sums[:to-from] {
		if sum >= least {
			rank := uint32(from + i)
			if score := w.score(rank); w.best.admits(score) {
				w.push(rank, score)
				least = need()
			}
		}
	}
	return true
}

// score adds up the parts of a chunk in the order of the query.
func (w *windows) score(rank uint32) (score float64) {
	for _, t := range w.terms {
		l := &t.segments[w.number]
		t.at = seek(l.ranks, t.at, rank)
		if t.at < len(l.ranks) && l.ranks[t.at] == rank {
			score += float64(t.weight * l.parts[t.at])
		}
	}
	return score
}

// push hands a chunk that passes the filter to best.
func (w *windows) push(rank uint32, score float64) {
	w.last = w.ranks.row(rank, w.last)
	if w.rows == nil || has(w.rows, w.last) {
		w.best.push(w.number, w.last, score)
	}
}

// seek returns the first place from i on whose row is at least row: first in
// steps that double, then by halves.
func seek(rows []uint32, i int, row uint32) int {
	if i >= len(rows) || rows[i] >= row {
		return i
	}
	step := 1
	for i+step < len(rows) && rows[i+step] < row {
		i += step
		step *= 2
	}
	low, high := i+1, min(i+step, len(rows))
	for low < high {
		if middle := int(uint(low+high) / 2); rows[middle] < row {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low
}
