package flat

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// What the machine does with a vector is what plain Go does, bit by bit.
func TestEncodingEqualsPlainGo(t *testing.T) {
	numbers := rapid.OneOf(rapid.Float32Range(-1, 1), rapid.SampledFrom([]float32{0, 1, -1, 1e-30, .5 / levels, 1.5 / levels}))
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 200).Draw(t, "dimensions")
		v := rapid.SliceOfN(numbers, n, n).Draw(t, "vector")
		power, scale := 1<<rapid.IntRange(0, 7).Draw(t, "power"), rapid.Float32Range(.01, 1).Draw(t, "scale")
		mixed, plain := rapid.SliceOfN(numbers, power, power).Draw(t, "mixed"), []float32{}
		plain = append(plain, mixed...)
		mix(mixed, scale)
		mixGo(plain, scale)
		if !sameBits(mixed, plain) {
			t.Fatalf("mix %v, want %v", mixed, plain)
		}
		flipped := slices.Clone(v)
		flip(flipped, signs()[1][:])
		plain = append(plain[:0], v...)
		flipGo(plain, signs()[1][:])
		if !sameBits(flipped, plain) {
			t.Fatalf("flip %v, want %v", flipped, plain)
		}
		if got, want := greatest(v), greatestGo(v); got != want {
			t.Fatalf("greatest %v, want %v", got, want)
		}
		got, want, lost := make([]int8, n), make([]int8, n), [4]float64{}
		step := float64(scale) / levels
		all := roundAll(v, step, got)
		roundGo(v, step, want, &lost)
		if !slices.Equal(got, want) || all != lost {
			t.Fatalf("round %v and %v, want %v and %v", got, all, want, lost)
		}
	})
}

// Halves go to the even number, and what is beyond the last level to that.
func TestRoundingOfHalves(t *testing.T) {
	var v []float32
	for x := float32(-levels) - 3; x <= levels+3; x += .5 {
		v = append(v, x)
	}
	got, want, lost := make([]int8, len(v)), make([]int8, len(v)), [4]float64{}
	all := roundAll(v, 1, got)
	roundGo(v, 1, want, &lost)
	if !slices.Equal(got, want) || all != lost {
		t.Errorf("round %v and %v, want %v and %v", got, all, want, lost)
	}
}

// The greatest is found in every place, whatever its sign.
func TestGreatestIsFound(t *testing.T) {
	for i := range 37 {
		v := make([]float32, 37)
		for j := range v {
			v[j] = float32(j%3) - 1
		}
		v[i] = 2
		if got := greatest(v); got != 2 {
			t.Errorf("place %d: greatest %v", i, got)
		}
		if v[i] = -2; greatest(v) != 2 {
			t.Errorf("place %d, negative: greatest %v", i, greatest(v))
		}
	}
}

func sameBits(a, b []float32) bool {
	return slices.EqualFunc(a, b, func(x, y float32) bool { return math.Float32bits(x) == math.Float32bits(y) })
}

// A code holds the rounded numbers where [Code] says that they stand.
func TestCodeHoldsNumbers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 300).Draw(t, "dimensions")
		var e Encoder
		for range 2 { // the second time in used memory
			v := rapid.SliceOfN(rapid.Float32Range(-1, 1), n, n).Draw(t, "vector")
			v[0] = 1
			c := e.Encode(v)
			want := make([]int8, 2*len(c.High))
			for i := range want {
				want[i] = -zeroLevel
			}
			if rest := round(rotate(v, nil), float64(c.Scale), want); float64(c.Error) < rest {
				t.Fatalf("error %v is less than %v", c.Error, rest)
			}
			for i, number := range want {
				at, shift := i/perBlock*block+i%block, i%perBlock/block*4
				if u := c.High[at]>>shift&15<<4 | c.Low[at]>>shift&15; int(u)-zeroLevel != int(number) {
					t.Fatalf("dimension %d of %d is %d, want %d", i, n, int(u)-zeroLevel, number)
				}
			}
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	v := make([]float32, 384)
	for i := range v {
		v[i] = float32(math.Sin(float64(i)))
	}
	var e Encoder
	b.ReportAllocs()
	for b.Loop() {
		e.Encode(v)
	}
}
