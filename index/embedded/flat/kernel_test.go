package flat

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// The kernel of the machine gives what plain Go gives.
func TestKernelEqualsPlainGo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		blocks, rows := rapid.IntRange(1, 9).Draw(t, "blocks"), rapid.IntRange(0, 5).Draw(t, "rows")
		query := rapid.SliceOfN(rapid.Int8Range(-levels, levels), blocks*perBlock, blocks*perBlock).Draw(t, "query")
		plane := rapid.SliceOfN(rapid.Byte(), blocks*block*rows, blocks*block*rows).Draw(t, "plane")
		got, want := make([]int32, rows), make([]int32, rows)
		nibbles(query, plane, got)
		nibblesGo(query, plane, want)
		for i := range want {
			if got[i] != want[i] {
				t.Fatalf("row %d is %d, want %d", i, got[i], want[i])
			}
		}
	})
}

// No sum overflows, however long the vector.
func TestLongestProductFits(t *testing.T) {
	for _, dim := range []int{64, 384, 4096, maxDim} {
		query, plane := make([]int8, 2*planeSize(dim)), make([]byte, planeSize(dim))
		for i := range query {
			query[i] = -levels
		}
		for i := range plane {
			plane[i] = 0xff
		}
		var sum [1]int32
		nibbles(query, plane, sum[:])
		if want := -levels * 15 * int32(len(query)); sum[0] != want {
			t.Errorf("%d dimensions: product %d, want %d", dim, sum[0], want)
		}
	}
}

// A rotation keeps dot products.
func TestRotation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dim := rapid.IntRange(1, 300).Draw(t, "dim")
		vectors := rapid.SliceOfN(rapid.Float32Range(-1, 1), dim, dim)
		a, b := vectors.Draw(t, "a"), vectors.Draw(t, "b")
		if got, want := Dot(rotate(a), rotate(b)), Dot(a, b); math.Abs(got-want) > 1e-5*float64(dim) {
			t.Fatalf("product %v became %v", want, got)
		}
	})
}
