package flat

import "golang.org/x/sys/cpu"

//go:noescape
func nibblesAVX2(query *int8, plane *byte, blocks, rows int, out *int32)

//go:noescape
func nibblesVNNI(query *int8, plane *byte, blocks, rows int, out *int32)

// What the machine can run.
var (
	hasAVX2 = cpu.X86.HasAVX2
	hasVNNI = hasAVX2 && cpu.X86.HasAVX512VL && cpu.X86.HasAVX512VNNI
)

func nibbles(query []int8, plane []byte, out []int32) {
	if !hasAVX2 || len(out) == 0 {
		nibblesGo(query, plane, out)
		return
	}
	_ = plane[len(out)*len(query)/2-1]
	if hasVNNI {
		nibblesVNNI(&query[0], &plane[0], len(query)/perBlock, len(out), &out[0])
		return
	}
	nibblesAVX2(&query[0], &plane[0], len(query)/perBlock, len(out), &out[0])
}
