package flat_test

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/bits"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"ken/index/embedded/flat"
)

func genRows() *rapid.Generator[[][]float32] {
	return rapid.Custom(func(t *rapid.T) [][]float32 {
		dim := rapid.IntRange(1, 33).Draw(t, "dim")
		return rapid.SliceOfN(rapid.SliceOfN(rapid.Float32Range(-1, 1), dim, dim), 1, 70).Draw(t, "rows")
	})
}

func ordinals(n int) []uint32 {
	out := make([]uint32, n)
	for i := range out {
		out[i] = uint32(i*3 + 5)
	}
	return out
}

func file(t interface{ Fatal(...any) }, rows [][]float32) []byte {
	data, err := flat.Encode("model-hash", len(rows[0]), ordinals(len(rows)), func(i int) []float32 { return rows[i] })
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestEncodeReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := genRows().Draw(t, "rows")
		data := file(t, rows)
		shifted := append(make([]byte, 1, len(data)+1), data...)[1:] // not where floats may stand
		for _, bytes := range [][]byte{data, shifted} {
			f, err := flat.Open(bytes)
			if err != nil {
				t.Fatal(err)
			}
			if f.ModelHash() != "model-hash" || f.Dim() != len(rows[0]) || f.Len() != len(rows) {
				t.Fatalf("header %q %d %d", f.ModelHash(), f.Dim(), f.Len())
			}
			for i, row := range rows {
				if !slices.Equal(f.Row(i), row) {
					t.Fatalf("row %d is %v, want %v", i, f.Row(i), row)
				}
				if at, ok := f.Find(uint32(i*3 + 5)); !ok || at != i {
					t.Fatalf("ordinal of row %d found at %d", i, at)
				}
			}
			if _, ok := f.Find(6); ok {
				t.Fatal("found an ordinal that is not there")
			}
		}
	})
}

// Scan visits the rows that are set, and no product is off by more than Slack
// from the true one, computed here with as many digits as it takes.
func TestScanWithinSlack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := genRows().Draw(t, "rows")
		for _, row := range rows {
			normalize(row)
		}
		f, err := flat.Open(file(t, rows))
		if err != nil {
			t.Fatal(err)
		}
		set := rapid.SliceOfN(rapid.Uint64(), 2, 2).Draw(t, "set")
		set[0] &= ones(min(len(rows), 64))
		set[1] &= ones(max(len(rows)-64, 0))
		visited := 0
		f.Scan(rows[0], set, func(row int, product float32) {
			visited++
			if set[row/64]>>(row%64)&1 == 0 {
				t.Fatalf("row %d is not set", row)
			}
			want := exact(rows[0], rows[row])
			if d := math.Abs(float64(product) - want); d > flat.Slack(f.Dim()) {
				t.Fatalf("row %d is off by %v, allowed %v", row, d, flat.Slack(f.Dim()))
			}
			if d := math.Abs(flat.Dot(rows[0], rows[row]) - want); d > 1e-13 {
				t.Fatalf("Dot of row %d is off by %v", row, d)
			}
		})
		if want := bits.OnesCount64(set[0]) + bits.OnesCount64(set[1]); visited != want {
			t.Fatalf("%d rows visited, want %d", visited, want)
		}
	})
}

func ones(n int) uint64 {
	if n == 64 {
		return math.MaxUint64
	}
	return 1<<n - 1
}

func normalize(v []float32) {
	if exact(v, v) == 0 {
		v[0] = 1
	}
	length := math.Sqrt(exact(v, v))
	for i := range v {
		v[i] = float32(float64(v[i]) / length)
	}
}

func exact(a, b []float32) float64 {
	sum := new(big.Float).SetPrec(600)
	for i := range a {
		x, y := new(big.Float).SetPrec(600).SetFloat64(float64(a[i])), big.NewFloat(float64(b[i]))
		sum.Add(sum, x.Mul(x, y))
	}
	out, _ := sum.Float64()
	return out
}

func TestEncodeRefuses(t *testing.T) {
	row := func(int) []float32 { return []float32{1, 2} }
	for name, encode := range map[string]func() ([]byte, error){
		"dimension 0":                 func() ([]byte, error) { return flat.Encode("", 0, nil, row) },
		"ordinals that do not ascend": func() ([]byte, error) { return flat.Encode("", 2, []uint32{4, 4}, row) },
		"a row of another dimension":  func() ([]byte, error) { return flat.Encode("", 3, []uint32{4}, row) },
	} {
		if _, err := encode(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// Every truncation and every flipped bit is an error when the file is opened.
func TestDamageIsFound(t *testing.T) {
	data := file(t, [][]float32{{1, 0, 0}, {0, 1, 0}})
	for n := range data {
		if _, err := flat.Open(data[:n]); !errors.Is(err, flat.ErrCorrupt) {
			t.Errorf("cut at %d: %v", n, err)
		}
		for bit := range 8 {
			damaged := slices.Clone(data)
			damaged[n] ^= 1 << bit
			if _, err := flat.Open(damaged); !errors.Is(err, flat.ErrCorrupt) {
				t.Errorf("bit %d of byte %d flipped: %v", bit, n, err)
			}
		}
	}
}

func FuzzOpen(f *testing.F) {
	f.Add(file(f, [][]float32{{1, 0, 0}, {0, 1, 0}}))
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := flat.Open(data)
		if err != nil {
			if !errors.Is(err, flat.ErrCorrupt) {
				t.Errorf("error %v does not wrap ErrCorrupt", err)
			}
			return
		}
		for i := range v.Len() {
			_ = flat.Dot(v.Row(i), v.Row(i))
		}
	})
}

func ExampleOpen() {
	rows := [][]float32{{1, 0}, {.6, .8}}
	data, err := flat.Encode("model", 2, []uint32{40, 41}, func(i int) []float32 { return rows[i] })
	if err != nil {
		fmt.Println(err)
		return
	}
	f, err := flat.Open(data)
	if err != nil {
		fmt.Println(err)
		return
	}
	f.Scan([]float32{0, 1}, []uint64{0b11}, func(row int, product float32) {
		fmt.Println(f.Ordinal(row), product)
	})
	// Output:
	// 40 0
	// 41 0.8
}
