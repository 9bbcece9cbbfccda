package index_test

import (
	"testing"

	"pgregory.net/rapid"

	"ken/index"
)

func TestGramsCount(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		// Few distinct hashes, at both ends and close together, so that they repeat and share places.
		some := rapid.SampledFrom([]uint32{0, 1, 2, 1 << 20, 1<<20 + 1, 1 << 31, 1<<32 - 2, 1<<32 - 1})
		hashes := rapid.SliceOfN(rapid.OneOf(some, rapid.Uint32()), 0, 300)
		asked, said := hashes.Draw(t, "asked"), hashes.Draw(t, "said")
		table := index.NewGramTable(len(asked))
		numbers := map[uint32]int{}
		for _, h := range asked {
			if _, known := numbers[h]; !known {
				numbers[h] = len(numbers)
			}
			if got := table.Number(h); got != numbers[h] {
				t.Fatalf("gram %d has number %d, want %d", h, got, numbers[h])
			}
		}
		got, want := make([]int32, len(numbers)), make([]int32, len(numbers))
		for _, h := range said {
			if n, ok := numbers[h]; ok {
				want[n]++
			}
		}
		g := index.NewGrams(said)
		table.Count(g, got)
		for n := range want {
			if got[n] != want[n] {
				t.Fatalf("gram %d stands %d times, want %d", n, got[n], want[n])
			}
		}
		if g.Len() != len(said) {
			t.Fatalf("%d grams, want %d", g.Len(), len(said))
		}
	})
}

func TestNoGrams(t *testing.T) {
	table := index.NewGramTable(0)
	table.Count(index.NewGrams([]uint32{0, 7}), nil)
	table = index.NewGramTable(1)
	counts := make([]int32, 1)
	table.Number(0)
	table.Count(index.Grams{}, counts)
	if counts[0] != 0 {
		t.Error("an empty text has grams")
	}
	table.Count(index.NewGrams([]uint32{1, 0}), counts)
	if counts[0] != 1 {
		t.Errorf("gram 0 stands %d times, want once", counts[0])
	}
}
