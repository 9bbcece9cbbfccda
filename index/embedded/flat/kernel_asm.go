//go:build amd64 || arm64

package flat

import "unsafe"

//go:noescape
func gradesSIMD(sums *int32, scales *float32, n int, scale, shift float64, out *uint16)

//go:noescape
func atLeastSIMD(grades *uint16, words int, least uint32, out *uint64)

//go:noescape
func dotsSIMD(query *float64, dims int, rows *[16]*float32, out *[16]float64)

func grades(scales []float32, sums []int32, out []uint16, query float64, shift int64) {
	n := 0
	if canScan() && len(sums) >= 8 {
		n = len(sums) &^ 7
		_, _ = scales[n-1], out[n-1]
		gradesSIMD(&sums[0], &scales[0], n, query, float64(shift), &out[0])
	}
	gradesGo(scales[n:], sums[n:], out[n:], query, shift)
}

func atLeast(grades []uint16, least uint16, out []uint64) {
	n := 0
	if canScan() && len(grades) >= 64 {
		n = len(grades) / 64
		_ = out[n-1]
		atLeastSIMD(&grades[0], n, uint32(least), &out[0])
	}
	atLeastGo(grades[n*64:], least, out[n:])
}

// dots computes as many rows as it can take together and returns how many.
func dots(query []float32, rows [][]float32, out []float64) (n int) {
	if !canScan() || len(rows) < 16 {
		return 0
	}
	wide := make([]float64, len(query)+1)
	for i, x := range query {
		wide[i] = float64(x)
	}
	fours := len(query) &^ 3
	for ; len(rows)-n >= 16; n += 16 {
		var at [16]*float32
		for i, row := range rows[n : n+16] {
			_ = row[:len(query)]
			at[i] = unsafe.SliceData(row)
		}
		sums := (*[16]float64)(out[n:])
		dotsSIMD(&wide[0], fours, &at, sums)
		for i, row := range rows[n : n+16] {
			for d := fours; d < len(query); d++ {
				sums[i] += float64(wide[d] * float64(row[d]))
			}
		}
	}
	return n
}

// four fills up what is left behind the last four rows: up to three of them, and
// what they have so far.
func four(rows []uint32, sums []int32) (filled [4]uint32, before [4]int32) {
	filled = [4]uint32{rows[0], rows[0], rows[0], rows[0]}
	copy(filled[:], rows)
	copy(before[:], sums)
	return filled, before
}
