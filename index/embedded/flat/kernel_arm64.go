package flat

import "golang.org/x/sys/cpu"

//go:noescape
func nibblesNEON(query *int8, plane *byte, blocks int, rows *uint32, n int, out *int32, keep int32)

//go:noescape
func nibblesSDOT(query *int8, plane *byte, blocks int, rows *uint32, n int, out *int32, keep int32)

// hasSDOT is whether the machine has dot products of bytes. NEON they all have.
var hasSDOT = cpu.ARM64.HasASIMDDP

func canEncode() bool { return true }
func canScan() bool   { return true }

func nibbles(q *Query, plane []byte, rows []uint32, out []int32, keep int32) {
	if len(rows) == 0 {
		return
	}
	_, size := out[len(rows)-1], len(q.parts)/2
	_ = plane[(int(rows[len(rows)-1])+1)*size-1] // rows ascend
	fours := len(rows) &^ 3
	if fours > 0 {
		nibblesOfFours(q, plane, rows[:fours], out, keep)
	}
	if rest := rows[fours:]; len(rest) > 0 {
		last, sums := four(rest, out[fours:len(rows)])
		nibblesOfFours(q, plane, last[:], sums[:], keep)
		copy(out[fours:len(rows)], sums[:])
	}
}

func nibblesOfFours(q *Query, plane []byte, rows []uint32, out []int32, keep int32) {
	blocks := len(q.parts) / perBlock
	if hasSDOT {
		nibblesSDOT(&q.parts[0], &plane[0], blocks, &rows[0], len(rows), &out[0], keep)
	} else {
		nibblesNEON(&q.parts[0], &plane[0], blocks, &rows[0], len(rows), &out[0], keep)
	}
}
