package index

import "math/bits"

// Grams is the grams of a text in their order; a gram is given by its hash, as
// index/analyze makes them. The zero Grams is that of an empty text.
type Grams struct{ hashes []uint32 }

// NewGrams keeps the hashes, which nobody may change any more.
func NewGrams(hashes []uint32) Grams { return Grams{hashes} }

// Len returns how many grams the text has, repetitions counted.
func (g Grams) Len() int { return len(g.hashes) }

// Size returns the bytes that g takes, about.
func (g Grams) Size() int { return 4 * cap(g.hashes) }

// GramTable numbers grams, those of a query, to count them in many texts. Texts are
// read from beginning to end, and the table stays in the nearest memory: that is
// faster than to look a query's grams up in a table of each text.
type GramTable struct {
	some  gramSieve  // nearly all that are asked for have none
	slots []gramSlot // a power of two, most of them empty
	shift int
	n     int32
	left  []uint32 // room for Count
}

// gramSieve has a bit for the upper half of each hash that is in a table.
type gramSieve [1 << 11]uint32

type gramSlot struct {
	hash   uint32
	number int32 // and 1; 0 is an empty slot
}

// NewGramTable returns a table with room for so many different grams.
func NewGramTable(n int) *GramTable {
	size := bits.Len(uint(4*n + 63))
	return &GramTable{slots: make([]gramSlot, 1<<size), shift: 32 - size}
}

// slot returns the place of the gram, or the empty one where it would be.
func (t *GramTable) slot(hash uint32) *gramSlot {
	slots := t.slots
	for at := hash >> t.shift; ; at++ {
		s := &slots[int(at)&(len(slots)-1)]
		if s.hash == hash || s.number == 0 {
			return s
		}
	}
}

// Number returns the number of the gram, which it gets if it has none: from 0 on.
func (t *GramTable) Number(hash uint32) int {
	s := t.slot(hash)
	if s.number == 0 {
		t.n++
		*s = gramSlot{hash, t.n}
		t.some[hash>>21] |= 1 << (hash >> 16 & 31)
	}
	return int(s.number) - 1
}

// Count adds to counts, which has a place for each number, how often the grams
// stand in the text. Nobody else may count with the table meanwhile.
func (t *GramTable) Count(g Grams, counts []int32) {
	if len(t.left) < len(g.hashes) {
		t.left = make([]uint32, len(g.hashes))
	}
	for _, h := range t.left[:sift(g.hashes, &t.some, t.left)] {
		if s := t.slot(h); s.number != 0 {
			counts[s.number-1]++
		}
	}
}

// siftGo puts the hashes whose bit is set to the beginning of out, in their order, and
// returns how many. What is behind them in out is overwritten.
func siftGo(hashes []uint32, sieve *gramSieve, out []uint32) (n int) {
	for _, h := range hashes {
		if sieve[h>>21]>>(h>>16&31)&1 != 0 {
			out[n] = h
			n++
		}
	}
	return n
}
