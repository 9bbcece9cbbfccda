package flat_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"iter"
	"math"
	"math/big"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"ken/index/embedded/blocks"
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

func sumOf(ordinals []uint32) uint32 {
	var b []byte
	for _, o := range ordinals {
		b = binary.LittleEndian.AppendUint32(b, o)
	}
	return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli))
}

func file(t interface{ Fatal(...any) }, rows [][]float32) []byte {
	var data bytes.Buffer
	err := flat.Encode(&data, "model-hash", len(rows[0]), ordinals(len(rows)), func(i int) []float32 { return rows[i] })
	if err != nil {
		t.Fatal(err)
	}
	return data.Bytes()
}

func TestEncodeReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := genRows().Draw(t, "rows")
		data := file(t, rows)
		shifted := append(make([]byte, 1, len(data)+1), data...)[1:] // not where floats may stand
		for _, data := range [][]byte{data, shifted} {
			f, err := flat.Open(data)
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
			}
			if want := sumOf(ordinals(len(rows))); f.OrdinalsSum() != want {
				t.Fatalf("checksum of ordinals %x, want %x", f.OrdinalsSum(), want)
			}
		}
	})
}

// No estimate is off by more than it says from the true product, computed here
// with as many digits as it takes, and the grades are those of the set rows.
func TestEstimateWithinItsSlack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := genRows().Draw(t, "rows")
		for _, row := range rows {
			normalize(row)
		}
		f, err := flat.Open(file(t, rows))
		if err != nil {
			t.Fatal(err)
		}
		q := flat.NewQuery(rows[0])
		all := make([]uint32, len(rows))
		for i := range rows {
			all[i] = uint32(i)
		}
		products, sums, grades := make([]float64, len(rows)), make([]int32, len(rows)), make(flat.Grades, len(rows))
		flat.Dots(rows[0], rows, products)
		most := f.Fine(q, all, sums, grades)
		for i, row := range rows {
			estimated, slack := f.Estimate(q, all[i], sums[i])
			if got := productOf(grades[i]); math.Abs(got-estimated) > flat.GradeStep || slack > most {
				t.Fatalf("row %d is %v and may be off by %v; graded %v, at most %v", i, estimated, slack, got, most)
			}
			want := exact(rows[0], row)
			if math.Abs(estimated-want) > slack {
				t.Fatalf("row %d is %v, estimated %v, allowed %v", i, want, estimated, slack)
			}
			if products[i] != flat.Dot(rows[0], row) || math.Abs(products[i]-want) > 1e-13 {
				t.Fatalf("row %d is %v, want %v and %v", i, products[i], flat.Dot(rows[0], row), want)
			}
		}
		some, fine := rapid.SliceOfDistinct(rapid.SampledFrom(all), rapid.ID[uint32]).Draw(t, "some"), sums
		slices.Sort(some)
		sums, grades = make([]int32, len(some)), make(flat.Grades, len(some))
		f.Coarse(q, some, sums, grades)
		for i, row := range some {
			want := exact(rows[0], rows[row])
			off := 8.5*float64(f.Code(int(row)).Scale)*math.Sqrt(float64(f.Dim())) + .05
			if got := productOf(grades[i]); math.Abs(got-want) > off {
				t.Fatalf("row %d is %v, graded %v, allowed %v", row, want, got, off)
			}
		}
		f.Refine(q, some, sums)
		for i, row := range some {
			if sums[i] != fine[row] {
				t.Fatalf("row %d is refined to %d, want %d", row, sums[i], fine[row])
			}
		}
	})
}

// productOf is the product in the middle of those that have the grade.
func productOf(grade uint16) float64 { return (float64(grade) - 32768) / 16384 }

// The code of a vector does not depend on what else is in the file.
func TestCodeIsOfTheVectorAlone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := genRows().Draw(t, "rows")
		f, err := flat.Open(file(t, rows))
		if err != nil {
			t.Fatal(err)
		}
		for i, row := range rows {
			if got, want := f.Code(i), flat.EncodeVector(row); !reflect.DeepEqual(got, want) {
				t.Fatalf("row %d has the code %+v, alone %+v", i, got, want)
			}
		}
	})
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
	for name, encode := range map[string]func() error{
		"dimension 0":                 func() error { return flat.Encode(io.Discard, "", 0, nil, row) },
		"ordinals that do not ascend": func() error { return flat.Encode(io.Discard, "", 2, []uint32{4, 4}, row) },
		"a row of another dimension":  func() error { return flat.Encode(io.Discard, "", 3, []uint32{4}, row) },
	} {
		if err := encode(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// told is what a file says when all of it is asked, each part checked before.
func told(f *flat.File) (out []any, err error) {
	rows := make([]uint32, f.Len())
	for i := range rows {
		rows[i] = uint32(i)
	}
	query := make([]float32, f.Dim())
	query[0] = 1
	q := flat.NewQuery(query)
	sums, grades := make([]int32, f.Len()), make(flat.Grades, f.Len())
	for _, step := range []struct {
		check func(iter.Seq[uint32]) error
		read  func()
	}{
		{f.CheckCoarse, func() { f.Coarse(q, rows, sums, grades) }},
		{f.CheckRefine, func() { f.Refine(q, rows, sums) }},
		{f.CheckFine, func() { out = append(out, f.Fine(q, rows, sums, grades)) }},
		{f.CheckRows, func() {
			for i, row := range rows {
				product, slack := f.Estimate(q, row, sums[i])
				out = append(out, product, slack, slices.Clone(f.Row(i)), flat.Dot(query, f.Row(i)))
			}
		}},
	} {
		if err := step.check(slices.Values(rows)); err != nil {
			return nil, err
		}
		step.read()
		out = append(out, slices.Clone(sums), slices.Clone(grades))
	}
	return append(out, f.ModelHash(), f.OrdinalsSum()), nil
}

// Every truncation is an error when the file is opened; every flipped bit is then
// an error, or when it is used, or harmless.
func TestDamageIsFound(t *testing.T) {
	var many [][]float32
	for i := range 300 {
		many = append(many, make([]float32, 70))
		many[i][i%70] = 1
	}
	for name, data := range map[string][]byte{"small": file(t, [][]float32{{1, 0, 0}, {0, 1, 0}}), "of many blocks": file(t, many)} {
		t.Run(name, func(t *testing.T) {
			sound, err := flat.Open(data)
			if err != nil {
				t.Fatal(err)
			}
			want, err := told(sound)
			if err != nil {
				t.Fatal(err)
			}
			step := max(1, len(data)/1500)
			for n := 0; n < len(data); n += step {
				if _, err := flat.Open(data[:n]); !errors.Is(err, flat.ErrCorrupt) {
					t.Errorf("cut at %d: %v", n, err)
				}
				damaged := slices.Clone(data)
				damaged[n] ^= 1 << (n % 8)
				f, err := flat.Open(damaged)
				if err == nil {
					var got []any
					if got, err = told(f); err == nil && !reflect.DeepEqual(got, want) {
						t.Errorf("byte %d flipped: another answer", n)
					}
					if all := f.CheckAll(t.Context(), nil); !errors.Is(all, flat.ErrCorrupt) {
						t.Errorf("byte %d flipped: the whole is said to be sound: %v", n, all)
					}
				}
				if err != nil && !errors.Is(err, flat.ErrCorrupt) {
					t.Errorf("byte %d flipped: %v", n, err)
				}
			}
			if _, err := flat.Open(append(slices.Clone(data), 0)); !errors.Is(err, flat.ErrCorrupt) {
				t.Errorf("a byte too many: %v", err)
			}
		})
	}
}

func FuzzOpen(f *testing.F) {
	f.Add(file(f, [][]float32{{1, 0, 0}, {0, 1, 0}}))
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := flat.Open(data)
		if err == nil {
			_, err = told(v)
		}
		if err != nil && !errors.Is(err, flat.ErrCorrupt) {
			t.Errorf("error %v does not wrap ErrCorrupt", err)
		}
	})
}

// FuzzBehindChecksums damages a file and seals it anew: what a checksum cannot tell
// must be an error or harmless, and never a crash.
func FuzzBehindChecksums(f *testing.F) {
	sealed, err := blocks.Open(file(f, [][]float32{{1, 0, 0}, {0, 1, 0}, {.6, .8, 0}}), nil)
	if err != nil {
		f.Fatal(err)
	}
	sound := sealed.Body()
	for at := range sound {
		f.Add(at, []byte{0xff, 0xff, 0xff, 0x7f}) // of a float32, not a number
		f.Add(at, []byte{sound[at] ^ 1})
		f.Add(at, []byte{})
	}
	f.Fuzz(func(t *testing.T, at int, with []byte) {
		if at < 0 || at > len(sound) {
			return
		}
		body := append(slices.Clone(sound[:at]), with...)
		if len(with) > 0 && len(body) < len(sound) { // else it is cut
			body = append(body, sound[len(body):]...)
		}
		v, err := flat.Open(blocks.Seal(body))
		if err == nil {
			_, err = told(v)
		}
		if err != nil && !errors.Is(err, flat.ErrCorrupt) {
			t.Errorf("error %v does not wrap ErrCorrupt", err)
		}
	})
}

func ExampleOpen() {
	rows := [][]float32{{1, 0}, {.6, .8}}
	var data bytes.Buffer
	err := flat.Encode(&data, "model", 2, []uint32{40, 41}, func(i int) []float32 { return rows[i] })
	if err != nil {
		fmt.Println(err)
		return
	}
	f, err := flat.Open(data.Bytes())
	if err != nil {
		fmt.Println(err)
		return
	}
	products := make([]float64, 2)
	flat.Dots([]float32{0, 1}, [][]float32{f.Row(0), f.Row(1)}, products)
	fmt.Printf("%.3f\n", products)
	// Output: [0.000 0.800]
}
