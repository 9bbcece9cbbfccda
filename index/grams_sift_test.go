package index

import (
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// The machine leaves the hashes that plain Go leaves.
func TestSift(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		some := rapid.SampledFrom([]uint32{0, 1, 1 << 16, 1<<16 + 1, 1 << 31, 1<<32 - 1})
		hashes := rapid.SliceOfN(rapid.OneOf(some, rapid.Uint32()), 0, 100).Draw(t, "hashes")
		var sieve gramSieve
		for _, h := range rapid.SliceOf(rapid.OneOf(some, rapid.Uint32())).Draw(t, "set") {
			sieve[h>>21] |= 1 << (h >> 16 & 31)
		}
		for i, h := range hashes {
			if i%3 == 0 {
				sieve[h>>21] |= 1 << (h >> 16 & 31)
			}
		}
		got, want := make([]uint32, len(hashes)), make([]uint32, len(hashes))
		got, want = got[:sift(hashes, &sieve, got)], want[:siftGo(hashes, &sieve, want)]
		if !slices.Equal(got, want) || len(want) < len(hashes)/3 {
			t.Fatalf("%v are left, want %v", got, want)
		}
	})
}

// BenchmarkCount counts the grams of a query of four words in 2,000 texts of a
// hundred, each of which has one of the words now and then.
func BenchmarkCount(b *testing.B) {
	r, asked, texts := rand.New(rand.NewPCG(1, 2)), NewGramTable(16), make([]Grams, 2000)
	query := make([]uint32, 16)
	for i := range query {
		query[i] = r.Uint32()
		asked.Number(query[i])
	}
	for i := range texts {
		hashes := make([]uint32, 520)
		for j := range hashes {
			if hashes[j] = r.Uint32(); r.IntN(50) == 0 {
				hashes[j] = query[r.IntN(16)]
			}
		}
		texts[i] = NewGrams(hashes)
	}
	counts, i := make([]int32, 16), 0
	for b.Loop() {
		i++
		asked.Count(texts[i%len(texts)], counts)
	}
}
