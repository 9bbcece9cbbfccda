package flat

import (
	"math"
	"math/bits"
	"slices"
)

// Nth returns the nth highest grade, of which there are at least n, at least one.
// Of many grades only those are looked at that are at least what a sample has in
// about that place; which these are changes no result. The bits of room, one for
// each grade and up to 64 more, are overwritten.
func (g Grades) Nth(n int, room []uint64) uint16 {
	const few = 16 << 10
	if len(g) <= few {
		return halve(g, n, room)
	}
	for place := 2 * n; ; place *= 4 {
		if floor := g.sampled(place); floor > 0 {
			if count := g.count(floor, room); count >= n {
				return halve(g.pick(count, room), n, room)
			}
			continue
		}
		return halve(g, n, room)
	}
}

// count returns how many grades are at least floor, and sets their bits in room.
func (g Grades) count(floor uint16, room []uint64) (n int) {
	room = room[:(len(g)+63)/64]
	g.AtLeast(floor, room)
	for _, word := range room {
		n += bits.OnesCount64(word)
	}
	return n
}

// pick returns the n grades whose bits are set.
func (g Grades) pick(n int, set []uint64) []uint16 {
	out := make([]uint16, 0, n)
	for w, word := range set[:(len(g)+63)/64] {
		for ; word != 0; word &= word - 1 {
			out = append(out, g[w*64+bits.TrailingZeros64(word)])
		}
	}
	return out
}

// halve finds the nth highest by halving the range in which it can be.
func halve(grades []uint16, n int, room []uint64) uint16 {
	g := Grades(grades)
	low, high := 0, math.MaxUint16+1 // enough are at least low, too few at least high
	for low+1 < high {
		if middle := (low + high) / 2; g.count(uint16(middle), room) >= n {
			low = middle
		} else {
			high = middle
		}
	}
	return uint16(low)
}

// sampled returns the grade in about the nth place, 0 if all may be needed.
func (g Grades) sampled(n int) uint16 {
	const many = 256
	stride := len(g)/many + 1
	some := make([]uint16, 0, many)
	for i := stride / 2; i < len(g); i += stride {
		some = append(some, g[i])
	}
	slices.Sort(some)
	if place := n/stride + 2; place < len(some) {
		return some[len(some)-1-place]
	}
	return 0
}
