package index

import "golang.org/x/sys/cpu"

//go:noescape
func siftAVX512(hashes *uint32, n int, sieve *gramSieve, out *uint32) int

// sift is siftGo; out has room for all.
func sift(hashes []uint32, sieve *gramSieve, out []uint32) (n int) {
	many := len(hashes) &^ 15
	if !cpu.X86.HasAVX512F || many == 0 {
		return siftGo(hashes, sieve, out)
	}
	_ = out[len(hashes)-1]
	n = siftAVX512(&hashes[0], many, sieve, &out[0])
	return n + siftGo(hashes[many:], sieve, out[n:])
}
