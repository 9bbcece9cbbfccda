package flat_test

import (
	"fmt"
	"hash/fnv"
	"io"
	"math"
	"math/rand/v2"
	"testing"

	"ken/index/embedded/flat"
)

// Every machine writes the same files and reads the same out of them, to the bit.
// The checksums change with the format or the arithmetic, never with the machine.
func TestSameOnEveryMachine(t *testing.T) {
	for dim, want := range map[int]uint64{
		1: 0x7265b66fd14eb412, 7: 0x42ae71c0f8d52535, 64: 0xf7094a1450f63ee4,
		100: 0xf0d11ffcc37e5e09, 384: 0x33949d2f2b3d12f7, 1000: 0x2fa9624d5c4504,
	} {
		r, sum := rand.New(rand.NewPCG(uint64(dim), 9)), fnv.New64a()
		rows := make([][]float32, 150)
		for i := range rows {
			rows[i] = unit(r, dim)
		}
		data := file(t, rows)
		sum.Write(data)
		f, err := flat.Open(data)
		if err != nil {
			t.Fatal(err)
		}
		for range 5 {
			writeAnswers(sum, f, unit(r, dim), rows)
		}
		if got := sum.Sum64(); got != want {
			t.Errorf("%d dimensions: the checksum is %#x, want %#x", dim, got, want)
		}
	}
}

// writeAnswers writes all that the file says of a query.
func writeAnswers(w io.Writer, f *flat.File, query []float32, rows [][]float32) {
	q, n := flat.NewQuery(query), len(rows)
	room, list := make([]uint64, n/64+2), make([]uint32, n)
	for i := range list {
		list[i] = uint32(i)
	}
	sums, grades, products, slacks := make([]int32, n), make(flat.Grades, n), make([]float64, n), make([]float64, n)
	estimate := func() {
		for i, row := range list {
			products[i], slacks[i] = f.Estimate(q, row, sums[i])
		}
	}
	f.Coarse(q, list, sums, grades)
	fmt.Fprintln(w, struct{ grades, sums any }{grades, sums}, grades.Nth(10, room))
	f.Refine(q, list, sums)
	estimate()
	fmt.Fprintf(w, "%x %x\n", sums, products)
	fmt.Fprintf(w, "%x\n", f.Fine(q, list, sums, grades))
	estimate()
	fmt.Fprintf(w, "%v %x %x\n", struct{ grades, sums any }{grades, sums}, products, slacks)
	flat.Dots(query, rows, products)
	fmt.Fprintf(w, "%x\n", products)
}

func unit(r *rand.Rand, dim int) []float32 {
	v := make([]float32, dim)
	for i := range v {
		v[i] = float32(r.Float64() - .5)
	}
	length := math.Sqrt(flat.Dot(v, v))
	for i := range v {
		v[i] = float32(float64(v[i]) / length)
	}
	return v
}
