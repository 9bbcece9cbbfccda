package embed_test

import (
	"errors"
	"math"
	"testing"

	"pgregory.net/rapid"

	"ken/embed"
)

func TestCheck(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, test := range []struct {
		name string
		vs   []embed.Vector
		ok   bool
	}{
		{"two unit vectors", []embed.Vector{{1, 0}, {0, 1}}, true},
		{"any length but zero", []embed.Vector{{1e-20, 0}, {1e19, -5}}, true},
		{"too few", []embed.Vector{{1, 0}}, false},
		{"too many", []embed.Vector{{1, 0}, {1, 0}, {1, 0}}, false},
		{"none", nil, false},
		{"too short", []embed.Vector{{1, 0}, {1}}, false},
		{"too long", []embed.Vector{{1, 0}, {1, 0, 0}}, false},
		{"nil vector", []embed.Vector{{1, 0}, nil}, false},
		{"zero", []embed.Vector{{1, 0}, {0, 0}}, false},
		{"NaN", []embed.Vector{{1, 0}, {nan, 0}}, false},
		{"infinite", []embed.Vector{{1, 0}, {0, inf}}, false},
		{"both infinities", []embed.Vector{{1, 0}, {-inf, inf}}, false},
	} {
		err := embed.Check(test.vs, 2, 2)
		if (err == nil) != test.ok || err != nil && !errors.Is(err, embed.ErrVector) {
			t.Errorf("%s: error %v", test.name, err)
		}
	}
}

func TestNormalizeMakesUnitLengthAndKeepsDirection(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := embed.Vector(rapid.SliceOfN(rapid.Float32Range(-1e15, 1e15), 1, 20).Draw(t, "v"))
		before := append(embed.Vector(nil), v...)
		if embed.Check([]embed.Vector{v}, 1, len(v)) != nil || squares(v) < 1e-30 {
			t.Skip("no direction")
		}
		embed.Normalize(v)
		if got := squares(v); math.Abs(got-1) > 1e-5 {
			t.Fatalf("squared length %v after Normalize", got)
		}
		for i := range v {
			if v[i]*before[i] < 0 {
				t.Fatalf("component %d changed its sign", i)
			}
		}
	})
}

func TestNormalizeTakesTheSmallestAndLargestNumbers(t *testing.T) {
	for _, x := range []float32{math.SmallestNonzeroFloat32, math.MaxFloat32} {
		v := embed.Vector{x, x}
		embed.Normalize(v)
		if got := squares(v); math.Abs(got-1) > 1e-5 {
			t.Errorf("squared length %v for components of %g", got, x)
		}
	}
}

func TestNormalizeLeavesZero(t *testing.T) {
	v := embed.Vector{0, 0}
	embed.Normalize(v)
	if v[0] != 0 || v[1] != 0 {
		t.Errorf("zero became %v", v)
	}
	embed.Normalize(nil)
}

// squares returns the squared length.
func squares(v embed.Vector) (sum float64) {
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	return sum
}
