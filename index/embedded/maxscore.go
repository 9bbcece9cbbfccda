package embedded

import (
	"cmp"
	"context"
	"math"
	"slices"

	"ken/index"
)

// window is how many rows are scored together.
const window = 4096

// margin covers the rounding of sums that are made in another order than scores.
const margin = 1 + 1e-9

// weightedList is the lists of one form of a term with the term's weight.
type weightedList struct {
	*lists
	weight float64 // of the term, times idf
	most   float64 // that the form adds to any score
	at     int     // in the list of the segment being scored
}

// bestTexts returns the best k chunks. A score is the sum of its parts in the
// order of the query. Chunks that cannot be among the best are not scored: once k
// are found, the lists whose greatest parts together stay below the least of them
// are only looked into for chunks that other lists have (MaxScore: Turtle and
// Flood, "Query Evaluation: Strategies and Optimizations", 1995).
func (v *view) bestTexts(ctx context.Context, q index.TextQuery, k int) ([]index.Hit, error) {
	rows, err := v.filtered(q.Filter)
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
	for _, t := range q.Terms {
		if err := checkForms(t); err != nil {
			return nil, err
		}
		df, first := 0, len(out)
		for _, f := range t.Forms {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			l, err := v.listsOf(f, &field)
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

// scoreAll scores every chunk that has a term, whatever the weights.
func (v *view) scoreAll(ctx context.Context, terms []*weightedList, rows [][]uint64, k int) ([]index.Hit, error) {
	acc := v.state.accumulator()
	defer v.state.recycle(acc)
	for _, t := range terms {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		for i, l := range t.segments {
			for n, row := range l.rows {
				acc.add(i, int(row), float64(t.weight*l.parts[n]))
			}
		}
	}
	best := top{k: k}
	for i, s := range v.state.segments {
		for _, row := range acc.touched[i] {
			if score := acc.scores[i][row]; has(rows[i], int(row)) && best.admits(score) {
				best.push(index.Hit{ID: index.ChunkID(s.lex.Ordinal(int(row))), Score: score, Key: s.lex.Key(int(row))})
			}
		}
	}
	return best.sorted(), nil
}

// windows goes through the rows of one segment, a window at a time.
type windows struct {
	segment  *segment
	number   int
	rows     []uint64
	terms    []*weightedList // in the order of the query
	byMost   []*weightedList // the least first
	best     *top
	sums     [window]float64 // of the lists that are read whole, in any order
	elsewise float64         // what the other lists can add
}

func (v *view) searchWindows(ctx context.Context, terms []*weightedList, rows [][]uint64, k int) ([]index.Hit, error) {
	w, _ := v.state.windows.Get().(*windows)
	if w == nil {
		w = &windows{}
	}
	defer v.state.windows.Put(w)
	w.terms, w.best = terms, &top{k: k}
	w.byMost = slices.Clone(terms)
	slices.SortFunc(w.byMost, func(a, b *weightedList) int { return cmp.Compare(a.most, b.most) })
	for i, s := range v.state.segments {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		w.segment, w.number, w.rows = s, i, rows[i]
		for _, t := range terms {
			t.at = 0
		}
		for from := 0; from < s.Chunks; from += window {
			w.search(from, w.split())
		}
	}
	return w.best.sorted(), nil
}

// split returns how many of byMost together cannot lift a chunk to the best.
func (w *windows) split() int {
	w.elsewise = 0
	if len(w.best.hits) < w.best.k {
		return 0
	}
	least := w.best.hits[0].Score
	for i, t := range w.byMost {
		if sum := w.elsewise + t.most; sum*margin < least {
			w.elsewise = sum
			continue
		}
		return i
	}
	return len(w.byMost)
}

// search hands the chunks of rows [from, from+window) that can be among the best
// to best. The first few of byMost are only looked into.
func (w *windows) search(from, few int) {
	if few == len(w.byMost) {
		return
	}
	end := uint32(min(from+window, w.segment.Chunks))
	clear(w.sums[:])
	for _, t := range w.byMost[few:] {
		l := t.segments[w.number]
		i := t.at
		if few > 0 { // lists that are looked into are not moved on
			i = seek(l.rows, i, uint32(from))
		}
		for ; i < len(l.rows) && l.rows[i] < end; i++ {
			w.sums[int(l.rows[i])-from] += float64(t.weight * l.parts[i])
		}
	}
	least := math.SmallestNonzeroFloat64
	if len(w.best.hits) == w.best.k {
		least = max(least, w.best.hits[0].Score/margin-w.elsewise)
	}
	for i, sum := range w.sums[:int(end)-from] {
		if sum >= least && has(w.rows, from+i) {
			w.offer(uint32(from + i))
			if len(w.best.hits) == w.best.k {
				least = max(least, w.best.hits[0].Score/margin-w.elsewise)
			}
		}
	}
	for _, t := range w.terms {
		t.at = seek(t.segments[w.number].rows, t.at, end)
	}
}

// offer scores a row and hands it to best.
func (w *windows) offer(row uint32) {
	var score float64
	for _, t := range w.terms {
		l := t.segments[w.number]
		t.at = seek(l.rows, t.at, row)
		if t.at < len(l.rows) && l.rows[t.at] == row {
			score += float64(t.weight * l.parts[t.at])
		}
	}
	if w.best.admits(score) {
		lex := w.segment.lex
		w.best.push(index.Hit{ID: index.ChunkID(lex.Ordinal(int(row))), Score: score, Key: lex.Key(int(row))})
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
