//go:build !amd64

package flat

func nibbles(query []int8, plane []byte, out []int32) { nibblesGo(query, plane, out) }
