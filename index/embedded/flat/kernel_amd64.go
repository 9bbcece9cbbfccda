package flat

import "golang.org/x/sys/cpu"

//go:noescape
func nibblesAVX2(query *int8, plane *byte, blocks int, rows *uint32, n int, out *int32, keep int32)

//go:noescape
func nibblesVNNI(query *int8, plane *byte, blocks int, rows *uint32, n int, out *int32, keep int32)

// What the machine can run.
var (
	hasAVX2 = cpu.X86.HasAVX2
	hasVNNI = hasAVX2 && cpu.X86.HasAVX512F && cpu.X86.HasAVX512VL && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512VNNI
)

// canEncode is whether it runs the kernels of rotate_amd64.s, canScan those of
// kernel_amd64.s that have the same name on every machine.
func canEncode() bool { return hasAVX2 }
func canScan() bool   { return hasVNNI }

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
		last, sums := four(rest, out[fours:len(rows)])
		nibblesVNNI(&q.wide[0], &plane[0], size/block, &last[0], 4, &sums[0], keep)
		copy(out[fours:len(rows)], sums[:])
	}
}
