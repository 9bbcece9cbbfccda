package bounds

// Align is how many chunks [Add] takes at once.
const Align = 64

// Add adds to each sum what the table has for the step and the code of its chunk, at
// most up to 65535; see [Plus]. Steps stand in the upper halves of bytes whose lower halves are
// 0; codes are two to a byte, the lower half first. The number of sums is a multiple
// of Align.
func Add(sums []uint16, codes, steps []byte, table *[256]uint16) {
	n := len(sums) / Align * Align
	if sums, codes, steps = sums[:n], codes[:n/2], steps[:n]; n > 0 {
		add(sums, codes, steps, table)
	}
}

func addGo(sums []uint16, codes, steps []byte, table *[256]uint16) {
	for i, two := range codes {
		s, at := sums[2*i:][:2], steps[2*i:][:2]
		s[0] = Plus(s[0], table[at[0]|two&15])
		s[1] = Plus(s[1], table[at[1]|two>>4])
	}
}

// Plus is the sum, at most 65535.
func Plus(a, b uint16) uint16 {
	if sum := a + b; sum >= a {
		return sum
	}
	return 1<<16 - 1
}
