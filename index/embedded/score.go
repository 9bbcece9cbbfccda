package embedded

import (
	"fmt"
	"slices"

	"ken/index"
	"ken/internal/steady"
)

// checkForms refuses a term that could match a chunk twice.
func checkForms(t index.Term) error {
	for i, f := range t.Forms {
		if slices.ContainsFunc(t.Forms[:i], func(other index.Form) bool { return other.Language == f.Language }) {
			return fmt.Errorf("a term has two forms in language %q", f.Language)
		}
	}
	return nil
}

// bm25f holds the parameters and the statistics of the readable chunks. The
// conversions to float64 after each product keep compilers from fusing it with
// an addition, which would give other last bits on other machines.
type bm25f struct {
	index.BM25
	chunks      float64
	title, body float64 // average lengths
	known       []float64
}

func (v *view) fields(p index.BM25) bm25f {
	n := float64(v.readable.chunks)
	return bm25f{BM25: p, chunks: n, title: float64(v.readable.title) / n, body: float64(v.readable.body) / n}
}

func (b *bm25f) idf(df int) float64 {
	return steady.Log(1 + (b.chunks-float64(df)+.5)/(float64(df)+.5))
}

// saturated returns tf·(K1+1) / (tf+K1) with the weighted, normalised tf of a term
// that stands so often in fields of such lengths.
func (b *bm25f) saturated(title, body, titleLength, bodyLength uint32) float64 {
	tf := float64(b.Title*b.normalised(title, titleLength, b.title)) + b.normalised(body, bodyLength, b.body)
	if tf == 0 {
		return 0
	}
	return float64(tf*(b.K1+1)) / (tf + b.K1)
}

func (b *bm25f) normalised(tf, length uint32, average float64) float64 {
	if tf == 0 {
		return 0
	}
	return float64(tf) / (1 - b.B + float64(b.B*float64(length))/average)
}

// accumulator sums scores per row of each segment.
type accumulator struct {
	scores  [][]float64
	seen    [][]uint64
	touched [][]uint32 // rows with a score
}

func (st *state) accumulator() *accumulator {
	if a, ok := st.scratch.Get().(*accumulator); ok {
		return a
	}
	n := len(st.segments)
	a := &accumulator{scores: make([][]float64, n), seen: make([][]uint64, n), touched: make([][]uint32, n)}
	for i, s := range st.segments {
		a.scores[i], a.seen[i] = make([]float64, s.Chunks), make([]uint64, (s.Chunks+63)/64)
	}
	return a
}

// recycle clears what was touched and keeps the memory for the next search.
func (st *state) recycle(a *accumulator) {
	for i, rows := range a.touched {
		for _, row := range rows {
			a.scores[i][row], a.seen[i][row/64] = 0, 0
		}
		a.touched[i] = rows[:0]
	}
	st.scratch.Put(a)
}

func (a *accumulator) add(segment, row int, score float64) {
	if !has(a.seen[segment], row) {
		a.seen[segment][row/64] |= 1 << (row % 64)
		a.touched[segment] = append(a.touched[segment], uint32(row))
	}
	a.scores[segment][row] += score
}

func has(rows []uint64, row int) bool { return rows[row/64]>>(row%64)&1 != 0 }
