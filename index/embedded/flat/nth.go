package flat

import (
	"math"
	"math/bits"
	"slices"
)

// Nth returns the nth highest grade, of which there are at least n, at least one.
// It halves the range in which the grade can be, beginning near the one that a
// sample has in that place; how it begins changes no result. The bits of room,
// one for each grade and up to 64 more, are overwritten.
func (g Grades) Nth(n int, room []uint64) uint16 {
	room = room[:(len(g.Grades)+63)/64]
	enough := func(least int) bool {
		g.AtLeast(uint16(least), room)
		count := 0
		for _, word := range room {
			count += bits.OnesCount64(word)
		}
		return count >= n
	}
	low, high, step := 0, math.MaxUint16+1, 16 // enough are at least low, too few at least high
	if guess := g.sampled(n); enough(guess) {
		for low = guess; low+step < high && enough(low+step); step *= 2 {
			low += step
		}
		high = min(high, low+step)
	} else {
		for high = guess; high-step > low && !enough(high-step); step *= 2 {
			high -= step
		}
		low = max(low, high-step)
	}
	for low+1 < high {
		if middle := (low + high) / 2; enough(middle) {
			low = middle
		} else {
			high = middle
		}
	}
	return uint16(low)
}

// sampled returns the grade in the place of the nth of some of the grades.
func (g Grades) sampled(n int) int {
	const many = 1024
	stride := 1 + (len(g.Grades)-1)/many
	var some []uint16
	for i := 0; i < len(g.Grades); i += stride {
		some = append(some, g.Grades[i])
	}
	slices.Sort(some)
	return max(1, int(some[max(0, len(some)-1-n/stride)]))
}
