package chromem_test

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/RoaringBitmap/roaring/v2"
	"pgregory.net/rapid"

	"ken/index/embedded/chromem"
)

// Whatever k, filter and ties, the best k are among the candidates.
func TestCandidatesHoldTheBest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const slack = 1e-5
		c, err := chromem.New()
		if err != nil {
			t.Fatal(err)
		}
		most := rapid.IntRange(0, 12).Draw(t, "distinct") // few, so that more tie than one query fetches
		angle := rapid.Map(rapid.IntRange(0, most), func(n int) float64 { return float64(n) / 4 })
		angles := rapid.SliceOfN(angle, 0, 120).Draw(t, "angles")
		for i, a := range angles {
			if err := c.Add(t.Context(), uint32(i), []float32{float32(math.Cos(a)), float32(math.Sin(a))}); err != nil {
				t.Fatal(err)
			}
		}
		modulus := uint32(rapid.IntRange(1, 9).Draw(t, "modulus"))
		keep := func(o uint32) bool { return o%modulus == 0 }
		k := rapid.SampledFrom([]int{1, 2, 10, 1000}).Draw(t, "k")
		got, err := c.Candidates(t.Context(), []float32{1, 0}, k, slack, keep)
		if err != nil {
			t.Fatal(err)
		}
		var want []uint32
		for i := range angles {
			if keep(uint32(i)) {
				want = append(want, uint32(i))
			}
		}
		// The smallest angle is the nearest. All that tie with the kth must be there.
		slices.SortFunc(want, func(a, b uint32) int { return cmp.Compare(angles[a], angles[b]) })
		for i, o := range want {
			if (i < k || angles[o] == angles[want[k-1]]) && !slices.Contains(got, o) {
				t.Fatalf("ordinal %d with angle %v is missing among the best %d: %v", o, angles[o], k, got)
			}
		}
		if slices.ContainsFunc(got, func(o uint32) bool { return !keep(o) }) {
			t.Fatalf("candidates %v hold some that keep refuses", got)
		}
	})
}

// Of a hundred equal vectors any could be the best by key: all are candidates.
func TestCandidatesHoldAllTies(t *testing.T) {
	c, err := chromem.New()
	if err != nil {
		t.Fatal(err)
	}
	for i := range uint32(200) {
		v := []float32{1, 0}
		if i >= 100 {
			v = []float32{0, 1}
		}
		if err := c.Add(t.Context(), i, v); err != nil {
			t.Fatal(err)
		}
	}
	got, err := c.Candidates(t.Context(), []float32{1, 0}, 1, 1e-5, func(uint32) bool { return true })
	if err != nil || len(got) < 100 {
		t.Errorf("%d candidates, want the 100 that tie, %v", len(got), err)
	}
}

func TestMissing(t *testing.T) {
	c, err := chromem.New()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Add(t.Context(), 7, []float32{1, 0}); err != nil {
		t.Fatal(err)
	}
	if got := c.Missing(roaring.BitmapOf(7, 8)).ToArray(); !slices.Equal(got, []uint32{8}) || c.Len() != 1 {
		t.Errorf("missing %v of %d", got, c.Len())
	}
}

// chromem-go answers a cancelled search with a part of the answer.
func TestCancelled(t *testing.T) {
	c, err := chromem.New()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Add(t.Context(), 7, []float32{1, 0}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got, err := c.Candidates(ctx, []float32{1, 0}, 1, 0, func(uint32) bool { return true }); !errors.Is(err, context.Canceled) {
		t.Errorf("candidates %v, error %v", got, err)
	}
}
