package index_test

import (
	"testing"

	"pgregory.net/rapid"

	"ken/index"
)

func TestGramsCount(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		// Few distinct hashes, at both ends and close together, so that they repeat and share buckets.
		some := rapid.SampledFrom([]uint32{0, 1, 2, 1 << 20, 1<<20 + 1, 1 << 31, 1<<32 - 2, 1<<32 - 1})
		hashes := rapid.SliceOfN(rapid.OneOf(some, rapid.Uint32()), 0, 3000).Draw(t, "hashes")
		want := map[uint32]int{}
		for _, h := range hashes {
			want[h]++
		}
		g := index.NewGrams(hashes)
		if g.Len() != len(hashes) {
			t.Fatalf("%d grams, want %d", g.Len(), len(hashes))
		}
		for _, h := range append(hashes, rapid.SliceOf(rapid.Uint32()).Draw(t, "others")...) {
			if g.Count(h) != want[h] {
				t.Fatalf("gram %d stands %d times, want %d", h, g.Count(h), want[h])
			}
		}
	})
}

// TestGramsCountMany goes past what a byte counts.
func TestGramsCountMany(t *testing.T) {
	for _, n := range []int{253, 254, 255, 256, 257, 70_000} {
		hashes := make([]uint32, n, n+1)
		for i := range hashes {
			hashes[i] = 7
		}
		g := index.NewGrams(append(hashes, 8))
		if g.Count(7) != n || g.Count(8) != 1 || g.Count(9) != 0 {
			t.Errorf("%d times counts as %d; 8 stands %d times, 9 %d", n, g.Count(7), g.Count(8), g.Count(9))
		}
	}
	if (index.Grams{}).Count(7) != 0 {
		t.Error("an empty text has grams")
	}
}
