package embedded

import "math/bits"

// ranking numbers the readable rows of a segment from 0 on, in their order, so
// that sums over them need room for what is readable and no more.
type ranking struct {
	rows   []uint64 // a bit per row
	before []uint32 // set bits before each word; one more than there are words
}

func newRanking(rows []uint64) ranking {
	r := ranking{rows: rows, before: make([]uint32, len(rows)+1)}
	for w, word := range rows {
		r.before[w+1] = r.before[w] + uint32(bits.OnesCount64(word))
	}
	return r
}

func rankAll(rows [][]uint64) []ranking {
	out := make([]ranking, len(rows))
	for i := range rows {
		out[i] = newRanking(rows[i])
	}
	return out
}

func (r *ranking) len() int { return int(r.before[len(r.rows)]) }

// rank returns the number of a row that is set.
func (r *ranking) rank(row uint32) uint32 {
	w := row / 64
	return r.before[w] + uint32(bits.OnesCount64(r.rows[w]&(1<<(row%64)-1)))
}

// row returns the row with the rank, which is not before row from.
func (r *ranking) row(rank uint32, from int) int {
	w := seek(r.before, from/64, rank+1) - 1
	word := r.rows[w]
	for range rank - r.before[w] {
		word &= word - 1
	}
	return w*64 + bits.TrailingZeros64(word)
}
