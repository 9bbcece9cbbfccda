package embedded

import "math/bits"

// ranking numbers the readable rows of a segment from 0 on, in their order, so
// that sums over them need room for what is readable and no more.
type ranking struct {
	rows   []uint64 // a bit per row
	before []uint32 // set bits before each word; one more than there are words
	steps  *steps
}

func newRanking(rows []uint64) ranking {
	r := ranking{rows: rows, before: make([]uint32, len(rows)+1), steps: &steps{}}
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
	word, at := r.rows[w], 0
	n := int(rank - r.before[w]) // bits to leave out
	for _, half := range [...]int{32, 16, 8} {
		if below := bits.OnesCount64(word & (1<<half - 1)); n >= below {
			n, at, word = n-below, at+half, word>>half
		}
	}
	for range n {
		word &= word - 1
	}
	return w*64 + at + bits.TrailingZeros64(word)
}

// seek returns the first place from i on whose number is at least n: first in
// steps that double, then by halves.
func seek(numbers []uint32, i int, n uint32) int {
	if i >= len(numbers) || numbers[i] >= n {
		return i
	}
	step := 1
	for i+step < len(numbers) && numbers[i+step] < n {
		i += step
		step *= 2
	}
	low, high := i+1, min(i+step, len(numbers))
	for low < high {
		if middle := int(uint(low+high) / 2); numbers[middle] < n {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low
}
