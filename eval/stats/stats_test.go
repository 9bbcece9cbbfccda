package stats_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"ken/eval/stats"
)

// Of n differences of one sign, 2 of 2^n ways are as extreme.
func TestRandomisationByHand(t *testing.T) {
	for name, c := range map[string]struct {
		differences []float64
		want        float64
	}{
		"nothing":            {nil, 1},
		"all equal":          {[]float64{0, 0, 0}, 1},
		"one":                {[]float64{.5}, 1},
		"five one way":       {[]float64{.1, .1, .1, .1, .1}, 2. / 32},
		"zeros do not count": {[]float64{.1, 0, .1, 0, .1, 0, .1, .1}, 2. / 32},
		// |sum| >= 4 of 1, 2, 3, 4 with the signs + + - +: 4 is reached by sums
		// 10, 8, 6, 4, 4 and their negatives: 10 of 16.
		"mixed": {[]float64{1, 2, -3, 4}, 10. / 16},
	} {
		if got := stats.Randomisation(c.differences, 1); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%s: p = %v, want %v", name, got, c.want)
		}
	}
}

// Sampled signs agree with all signs: 20 differences of which 15 are up have
// the p-value of the sign test, 2 * P(X >= 15) = .041389.
func TestRandomisationSampled(t *testing.T) {
	var d []float64
	for i := range 20 {
		d = append(d, 1)
		if i < 5 {
			d[i] = -1
		}
	}
	if p := stats.Randomisation(d, stats.Seed); math.Abs(p-.041389) > .008 {
		t.Errorf("p = %v, want about .0414", p)
	}
	if stats.Randomisation(d, 7) != stats.Randomisation(d, 7) {
		t.Error("the same seed gave another p-value")
	}
}

// Where there is no difference, p is below .05 in about one case of twenty.
func TestRandomisationKeepsItsLevel(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	low := 0
	for range 200 {
		d := make([]float64, 30)
		for i := range d {
			d[i] = random.NormFloat64()
		}
		if stats.Randomisation(d, stats.Seed) < .05 {
			low++
		}
	}
	if low < 2 || low > 22 {
		t.Errorf("%d of 200 below .05, want about 10", low)
	}
}

func TestHolm(t *testing.T) {
	// .01*4, then .02*3, then .03*2 raised to .06, then .04*1 raised to .06.
	got := stats.Holm([]float64{.04, .01, .03, .02})
	for i, want := range []float64{.06, .04, .06, .06} {
		if math.Abs(got[i]-want) > 1e-12 {
			t.Errorf("corrected %v", got)
		}
	}
	if got := stats.Holm([]float64{.6, .9}); got[0] != 1 || got[1] != 1 {
		t.Errorf("corrected %v, want at most 1", got)
	}
}

func TestHolmProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ps := rapid.SliceOf(rapid.Float64Range(0, 1)).Draw(t, "p")
		got := stats.Holm(ps)
		for i := range ps {
			if got[i] < ps[i] || got[i] > 1 {
				t.Fatalf("%v became %v", ps, got)
			}
			for j := range ps {
				if ps[i] < ps[j] && got[i] > got[j] {
					t.Fatalf("%v became %v: the order changed", ps, got)
				}
			}
		}
	})
}

// The interval of a mean of n values in {0, 1} is about mean +- 1.96 sqrt(p(1-p)/n).
func TestBootstrap(t *testing.T) {
	values := append(slices.Repeat([]float64{1}, 60), slices.Repeat([]float64{0}, 40)...)
	got, wide := stats.Bootstrap(values, stats.Seed), 1.96*math.Sqrt(.6*.4/100)
	if math.Abs(got.Low-(.6-wide)) > .02 || math.Abs(got.High-(.6+wide)) > .02 {
		t.Errorf("interval %+v, want .6 +- %.3f", got, wide)
	}
	if same := stats.Bootstrap([]float64{.5, .5}, 1); same.Low != .5 || same.High != .5 {
		t.Errorf("interval of equal values %+v", same)
	}
	if none := stats.Bootstrap(nil, 1); none != (stats.Interval{}) {
		t.Errorf("interval of nothing %+v", none)
	}
}

func ExampleRandomisation() {
	before := []float64{.9, .8, .7, .9, .8, .9}
	after := []float64{.6, .5, .7, .5, .4, .6}
	differences := make([]float64, len(before))
	for i := range before {
		differences[i] = after[i] - before[i]
	}
	fmt.Printf("%.4f %.4f\n", stats.Mean(differences), stats.Randomisation(differences, stats.Seed))
	// Output: -0.2833 0.0625
}
