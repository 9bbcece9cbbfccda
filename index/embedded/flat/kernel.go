package flat

// nibblesGo sets each of out to the dot product of the query and the four-bit
// numbers of a row; see [Code] for where they stand. It is what the assembly is
// tested against; both count in whole numbers.
func nibblesGo(query []int8, plane []byte, out []int32) {
	size := len(query) / 2
	for i := range out {
		row := plane[i*size:][:size]
		var sum int32
		for at := 0; at+block <= len(row); at += block {
			lower, upper := query[2*at:][:block], query[2*at+block:][:block]
			for j, b := range row[at:][:block] {
				sum += int32(lower[j])*int32(b&15) + int32(upper[j])*int32(b>>4)
			}
		}
		out[i] = sum
	}
}
