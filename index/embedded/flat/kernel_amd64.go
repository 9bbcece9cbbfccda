package flat

import (
	"unsafe"

	"golang.org/x/sys/cpu"
)

//go:noescape
func nibblesAVX2(query *int8, plane *byte, blocks int, rows *uint32, n int, out *int32, keep int32)

//go:noescape
func nibblesVNNI(query *int8, plane *byte, blocks int, rows *uint32, n int, out *int32, keep int32)

//go:noescape
func gradesAVX512(sums *int32, scales *float32, n int, scale, shift float64, out *uint16)

//go:noescape
func atLeastAVX512(grades *uint16, words int, least uint32, out *uint64)

//go:noescape
func dotsAVX512(query *float64, dims int, rows *[16]*float32, out *[16]float64)

// What the machine can run.
var (
	hasAVX2 = cpu.X86.HasAVX2
	hasVNNI = hasAVX2 && cpu.X86.HasAVX512F && cpu.X86.HasAVX512VL && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512VNNI
)

func nibbles(q *Query, plane []byte, rows []uint32, out []int32, keep int32) {
	if !hasAVX2 || len(rows) == 0 {
		nibblesGo(q, plane, rows, out, keep)
		return
	}
	_, size := out[len(rows)-1], len(q.parts)/2
	_ = plane[(int(rows[len(rows)-1])+1)*size-1] // rows ascend
	if !hasVNNI {
		nibblesAVX2(&q.parts[0], &plane[0], size/block, &rows[0], len(rows), &out[0], keep)
		return
	}
	fours := len(rows) &^ 3
	if fours > 0 {
		nibblesVNNI(&q.wide[0], &plane[0], size/block, &rows[0], fours, &out[0], keep)
	}
	if rest := rows[fours:]; len(rest) > 0 {
		last, sums := [4]uint32{rest[0], rest[0], rest[0], rest[0]}, [4]int32{}
		copy(last[:], rest)
		copy(sums[:], out[fours:len(rows)])
		nibblesVNNI(&q.wide[0], &plane[0], size/block, &last[0], 4, &sums[0], keep)
		copy(out[fours:len(rows)], sums[:])
	}
}

func grades(scales []float32, sums []int32, out []uint16, query float64, shift int64) {
	n := 0
	if hasVNNI && len(sums) >= 8 {
		n = len(sums) &^ 7
		_, _ = scales[n-1], out[n-1]
		gradesAVX512(&sums[0], &scales[0], n, query, float64(shift), &out[0])
	}
	gradesGo(scales[n:], sums[n:], out[n:], query, shift)
}

func atLeast(grades []uint16, least uint16, out []uint64) {
	n := 0
	if hasVNNI && len(grades) >= 64 {
		n = len(grades) / 64
		_ = out[n-1]
		atLeastAVX512(&grades[0], n, uint32(least), &out[0])
	}
	atLeastGo(grades[n*64:], least, out[n:])
}

// dots computes as many rows as it can take together and returns how many.
func dots(query []float32, rows [][]float32, out []float64) (n int) {
	if !hasVNNI || len(rows) < 16 {
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
		dotsAVX512(&wide[0], fours, &at, sums)
		for i, row := range rows[n : n+16] {
			for d := fours; d < len(query); d++ {
				sums[i] += float64(wide[d] * float64(row[d]))
			}
		}
	}
	return n
}
