//go:build !amd64 && !arm64

package flat

func nibbles(q *Query, plane []byte, rows []uint32, out []int32, keep int32) {
	nibblesGo(q, plane, rows, out, keep)
}

func grades(scales []float32, sums []int32, out []uint16, query float64, shift int64) {
	gradesGo(scales, sums, out, query, shift)
}

func atLeast(grades []uint16, least uint16, out []uint64) { atLeastGo(grades, least, out) }

func dots([]float32, [][]float32, []float64) int { return 0 }
