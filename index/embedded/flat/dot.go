package flat

import "math/bits"

// Scan calls visit with the dot product, in float32, of the query and each row
// whose bit is set in rows. The query has the file's dimension.
func (f *File) Scan(query []float32, rows []uint64, visit func(row int, product float32)) {
	for w, word := range rows {
		for ; word != 0; word &= word - 1 {
			i := w*64 + bits.TrailingZeros64(word)
			visit(i, product(query, f.Row(i)))
		}
	}
}

// product adds in eight lanes, so that an addition need not wait for the one before.
func product(a, b []float32) float32 {
	var s0, s1, s2, s3, s4, s5, s6, s7 float32
	for len(a) >= 8 && len(b) >= 8 {
		s0 += a[0] * b[0]
		s1 += a[1] * b[1]
		s2 += a[2] * b[2]
		s3 += a[3] * b[3]
		s4 += a[4] * b[4]
		s5 += a[5] * b[5]
		s6 += a[6] * b[6]
		s7 += a[7] * b[7]
		a, b = a[8:], b[8:]
	}
	for i := range min(len(a), len(b)) {
		s0 += a[i] * b[i]
	}
	return ((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7))
}

// Slack bounds the error of a float32 dot product of two vectors of unit length
// and dim dimensions, in whatever order it was added up: n·u / (1 - n·u) with
// u = 2^-24 (Higham, "Accuracy and Stability of Numerical Algorithms", section
// 3.1), doubled for vectors whose length is off by rounding.
func Slack(dim int) float64 {
	const u = 1.0 / (1 << 24)
	n := float64(dim+4) * u
	return 2 * n / (1 - n)
}

// Dot returns the dot product in float64, added from the first dimension to the
// last. Each product is exact: two float32 have 48 bits of it together.
func Dot(a, b []float32) float64 {
	var sum float64
	for i := range min(len(a), len(b)) {
		sum += float64(float64(a[i]) * float64(b[i]))
	}
	return sum
}
