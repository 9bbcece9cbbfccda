//go:build !amd64

package index

func sift(hashes []uint32, sieve *gramSieve, out []uint32) int { return siftGo(hashes, sieve, out) }
