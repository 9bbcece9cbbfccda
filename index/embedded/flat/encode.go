package flat

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
	"sync"
	"unsafe"
)

// EncodeVector returns the code of the vector.
func EncodeVector(v []float32) Code { return new(Encoder).Encode(v) }

// Encoder is memory that codes are made in, one after the other.
type Encoder struct {
	rotated []float32
	numbers []int8
	planes  []byte // of codes to come
}

const (
	slab        = 64 // codes that share an allocation
	zeroLevels  = 0x8080808080808080
	lowerHalves = 0x0f0f0f0f0f0f0f0f
)

// Encode returns the code of the vector.
func (e *Encoder) Encode(v []float32) Code {
	n := planeSize(len(v))
	if len(e.planes) < 2*n {
		e.planes = make([]byte, slab*2*n)
	}
	c := Code{High: e.planes[:n:n], Low: e.planes[n : 2*n : 2*n]}
	e.planes = e.planes[2*n:]
	e.rotated = rotate(v, e.rotated)
	c.Scale = greatest(e.rotated) / levels
	if c.Scale == 0 {
		return c
	}
	e.numbers = slices.Grow(e.numbers[:0], 2*n)[:2*n]
	for i := range e.numbers[len(v):] {
		e.numbers[len(v)+i] = -zeroLevel // stands as 0
	}
	c.Error = math.Nextafter32(float32(round(e.rotated, float64(c.Scale), e.numbers[:len(v)])), 2)
	all := unsafe.Slice((*byte)(unsafe.Pointer(&e.numbers[0])), len(e.numbers))
	for at := 0; at < n; at += 8 {
		i := at/block*perBlock + at%block
		lower, upper := binary.LittleEndian.Uint64(all[i:])^zeroLevels, binary.LittleEndian.Uint64(all[i+block:])^zeroLevels
		binary.LittleEndian.PutUint64(c.High[at:], lower>>4&lowerHalves|upper&^lowerHalves)
		binary.LittleEndian.PutUint64(c.Low[at:], lower&lowerHalves|upper<<4&^lowerHalves)
	}
	return c
}

// round divides by scale and rounds to numbers, of which there are at least as many;
// rest is at least the length of what is lost.
func round(v []float32, scale float64, numbers []int8) (rest float64) {
	lost := roundAll(v, scale, numbers)
	return math.Sqrt((lost[0]+lost[1])+(lost[2]+lost[3])) * (1 + 1e-9)
}

// rotate spreads what is in few dimensions over all, so that no number is much
// greater than the others. It is fixed, keeps lengths and angles, and computes in
// one order, so it gives the same bits everywhere. A Walsh-Hadamard transform takes
// a power of two of numbers: it is applied to as many at the beginning, then at the
// end, and both again with other signs. It uses the memory of out.
func rotate(v, out []float32) []float32 {
	out = append(out[:0], v...)
	n := 1 << (bits.Len(uint(len(v))) - 1)
	scale := float32(1 / math.Sqrt(float64(n)))
	all := signs()
	for turn := range all {
		flip(out, all[turn][:])
		mix(out[:n], scale)
		if n < len(out) {
			mix(out[len(out)-n:], scale)
		}
	}
	return out
}

// signs are the sign bits that are changed before each transform: a fixed sequence
// (SplitMix64).
var signs = sync.OnceValue(func() *[2][maxDim]uint32 {
	var out [2][maxDim]uint32
	for turn := range out {
		for i := range out[turn] {
			z := (uint64(turn)<<32 + uint64(i) + 1) * 0x9e3779b97f4a7c15
			z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
			z = (z ^ z>>27) * 0x94d049bb133111eb
			out[turn][i] = uint32(z>>63) << 31
		}
	}
	return &out
})

// The functions that follow are what the assembly is tested against: both round in
// the same places, and sum in the same order.

func greatestGo(v []float32) float32 {
	var most float32
	for _, x := range v {
		most = max(most, float32(math.Abs(float64(x))))
	}
	return most
}

func flipGo(v []float32, signs []uint32) {
	for i := range v {
		v[i] = math.Float32frombits(math.Float32bits(v[i]) ^ signs[i])
	}
}

// mixGo is a Walsh-Hadamard transform of a power of two of numbers.
func mixGo(v []float32, scale float32) {
	for half := 1; half < len(v); half *= 2 {
		for at := 0; at < len(v); at += 2 * half {
			a := v[at : at+half]
			b := v[at+half:][:len(a)]
			for i, x := range a {
				y := b[i]
				a[i], b[i] = x+y, x-y
			}
		}
	}
	for i := range v {
		v[i] = float32(v[i] * scale)
	}
}

// roundGo adds the squares of what is lost, every fourth to the same sum.
func roundGo(v []float32, scale float64, numbers []int8, lost *[4]float64) {
	for i, x := range v {
		n := max(-levels, min(levels, math.RoundToEven(float64(x)/scale)))
		numbers[i] = int8(n)
		d := float64(x) - float64(n*scale)
		lost[i%4] += float64(d * d)
	}
}
