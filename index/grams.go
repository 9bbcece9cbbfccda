package index

import (
	"math"
	"math/bits"
	"slices"
)

// Grams says how often each gram stands in a text; a gram is given by its hash,
// as index/analyze makes them. The hashes ascend and stand in buckets by their
// upper bits, so that looking for one touches two places of memory. The zero
// Grams is that of an empty text.
type Grams struct {
	starts []uint32 // where each bucket begins in hashes; one more than there are buckets
	hashes []uint32
	counts []uint8        // of each hash; full is looked up in many
	many   map[uint32]int // counts that a byte does not hold
	total  int
}

const (
	full      = math.MaxUint8
	perBucket = 8
)

// NewGrams counts the hashes.
func NewGrams(hashes []uint32) Grams {
	buckets := 1 << bits.Len(uint(len(hashes)/perBucket))
	table := make([]uint32, buckets+1+len(hashes))
	g := Grams{starts: table[: buckets+1 : buckets+1], hashes: table[buckets+1:], total: len(hashes)}
	sortByBucket(hashes, g.starts, g.hashes)
	unique := 0
	g.counts = make([]uint8, len(hashes))
	for b := range buckets {
		bucket := g.hashes[g.starts[b]:g.starts[b+1]]
		g.starts[b] = uint32(unique)
		for i, h := range bucket {
			if i > 0 && h == g.hashes[unique-1] {
				g.again(unique - 1)
				continue
			}
			g.hashes[unique], g.counts[unique] = h, 1
			unique++
		}
	}
	g.starts[buckets] = uint32(unique)
	g.hashes, g.counts = g.hashes[:unique], g.counts[:unique]
	return g
}

// again counts one more of hash i.
func (g *Grams) again(i int) {
	if g.counts[i] < full-1 {
		g.counts[i]++
		return
	}
	if g.many == nil {
		g.many = map[uint32]int{}
	}
	g.many[g.hashes[i]] = max(g.many[g.hashes[i]], full-1) + 1
	g.counts[i] = full
}

// sortByBucket copies the hashes to out in ascending order and sets where the
// buckets begin; starts is zero and has one place more than there are buckets.
func sortByBucket(hashes, starts, out []uint32) {
	shift := shiftFor(starts)
	for _, h := range hashes {
		starts[h>>shift]++
	}
	end := uint32(0)
	for b := range starts { // the last of them counts nothing
		end += starts[b]
		starts[b] = end
	}
	for _, h := range hashes {
		starts[h>>shift]--
		out[starts[h>>shift]] = h
	}
	for b := range len(starts) - 1 {
		slices.Sort(out[starts[b]:starts[b+1]])
	}
}

// shiftFor returns by how much a hash is shifted to be the number of its bucket.
func shiftFor(starts []uint32) int { return 33 - bits.Len(uint(len(starts)-1)) }

// Len returns how many grams the text has, repetitions counted.
func (g Grams) Len() int { return g.total }

// Size returns the bytes that g takes, about.
func (g Grams) Size() int { return 4*(len(g.starts)+cap(g.hashes)) + cap(g.counts) + 48*len(g.many) }

// Count returns how often the gram with the hash stands in the text.
func (g Grams) Count(hash uint32) int {
	if len(g.hashes) == 0 {
		return 0
	}
	b := hash >> shiftFor(g.starts)
	for i, h := range g.hashes[g.starts[b]:g.starts[b+1]] {
		if h >= hash {
			if h > hash {
				return 0
			}
			return g.count(int(g.starts[b])+i, hash)
		}
	}
	return 0
}

func (g Grams) count(i int, hash uint32) int {
	if n := g.counts[i]; n < full {
		return int(n)
	}
	return g.many[hash]
}
