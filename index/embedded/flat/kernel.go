package flat

// The functions of this file are what the assembly is tested against. Both count
// in whole numbers, or round in the same places.

// nibblesGo sets each of out to the dot product of the query and the four-bit
// numbers of a row of the plane, rows that ascend; see [Code] for where they stand. To it comes 16
// times what was there, if keep is -1 and not 0.
func nibblesGo(q *Query, plane []byte, rows []uint32, out []int32, keep int32) {
	size := len(q.parts) / 2
	for i, n := range rows {
		row := plane[int(n)*size:][:size]
		var sum int32
		for at := 0; at+block <= len(row); at += block {
			lower, upper := q.parts[2*at:][:block], q.parts[2*at+block:][:block]
			for j, b := range row[at:][:block] {
				sum += int32(lower[j])*int32(b&15) + int32(upper[j])*int32(b>>4)
			}
		}
		out[i] = 16*(out[i]&keep) + sum
	}
}

// gradesGo sets each of out to the grade of a row with the scale and the sum; see gradeOf.
func gradesGo(scales []float32, sums []int32, out []uint16, query float64, shift int64) {
	for i, sum := range sums {
		out[i] = gradeOf(scales[i], sum, query, shift)
	}
}

// atLeastGo sets bit i of out if grade i is at least least, and clears it if not.
func atLeastGo(grades []uint16, least uint16, out []uint64) {
	for w := range (len(grades) + 63) / 64 {
		var word uint64
		for i, g := range grades[w*64 : min(len(grades), w*64+64)] {
			if g >= least {
				word |= 1 << i
			}
		}
		out[w] = word
	}
}

// wideParts puts the parts of a query into the order in which the assembly reads
// two blocks at once: the lower halves of both, then the upper.
func wideParts(parts []int8) []int8 {
	out := make([]int8, 0, len(parts))
	for ; len(parts) >= 2*perBlock; parts = parts[2*perBlock:] {
		for _, at := range [...]int{0, 2 * block, block, 3 * block} {
			out = append(out, parts[at:at+block]...)
		}
	}
	return append(out, parts...)
}
