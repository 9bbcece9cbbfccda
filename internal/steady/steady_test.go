package steady

import (
	"encoding/binary"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"testing"
)

func TestLog(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for i := range 200_000 {
		x := []float64{1 + r.Float64(), 1 + 1e6*r.Float64(), r.Float64(), 1 + 1e-6*r.Float64(), math.Float64frombits(r.Uint64() >> 1)}[i%5]
		got, want := Log(x), math.Log(x)
		if !(x >= 0x1p-1022 && x <= math.MaxFloat64) { // the library is off below, on amd64
			continue
		}
		if ulp := math.Nextafter(math.Abs(want), math.Inf(1)) - math.Abs(want); math.Abs(got-want) > 4*ulp {
			t.Fatalf("Log(%v) is %v, want %v, %v units off", x, got, want, (got-want)/ulp)
		}
	}
	for _, x := range []float64{0, 1, math.Inf(1), -1, math.NaN(), math.MaxFloat64} {
		if got, want := Log(x), math.Log(x); math.Abs(got-want) > 1e-13 || math.IsNaN(got) != math.IsNaN(want) || math.IsInf(got, 0) != math.IsInf(want, 0) {
			t.Errorf("Log(%v) is %v, want %v", x, got, want)
		}
	}
}

// The bits are those of every machine. They change with the formula and nothing else.
func TestLogHasTheSameBits(t *testing.T) {
	r, sum := rand.New(rand.NewPCG(7, 8)), fnv.New64a()
	for range 100_000 {
		binary.Write(sum, binary.LittleEndian, Log(1+float64(1000*r.Float64())))
	}
	if got := sum.Sum64(); got != 0x55f1edfa3c0e3b8d {
		t.Errorf("the logarithms have the checksum %#x", got)
	}
}
