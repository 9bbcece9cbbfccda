package flat

// Dot returns the dot product in float64, added from the first dimension to the
// last. Each product is exact: two float32 have 48 bits of it together.
func Dot(a, b []float32) float64 {
	var sum float64
	for i := range min(len(a), len(b)) {
		sum += float64(float64(a[i]) * float64(b[i]))
	}
	return sum
}

// Dots sets out[i] to the dot product, as [Dot] computes it, of the query and row i.
// Several sums go on at once, so that an addition need not wait for that of another
// row; each is added up in the same order as alone.
func Dots(query []float32, rows [][]float32, out []float64) {
	n := dots(query, rows, out)
	dotsGo(query, rows[n:], out[n:])
}

func dotsGo(query []float32, rows [][]float32, out []float64) {
	for ; len(rows) >= 4; rows, out = rows[4:], out[4:] {
		n := len(query)
		a, b, c, d := rows[0][:n], rows[1][:n], rows[2][:n], rows[3][:n]
		var s0, s1, s2, s3 float64
		for i, x := range query {
			q := float64(x)
			s0 += float64(q * float64(a[i]))
			s1 += float64(q * float64(b[i]))
			s2 += float64(q * float64(c[i]))
			s3 += float64(q * float64(d[i]))
		}
		out[0], out[1], out[2], out[3] = s0, s1, s2, s3
	}
	for i, row := range rows {
		out[i] = Dot(query, row)
	}
}
