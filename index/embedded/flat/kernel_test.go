package flat

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// queryOf makes a query of these parts.
func queryOf(parts []int8) *Query {
	q := &Query{parts: parts, wide: wideParts(parts), scale: 1.0 / 1024}
	for _, p := range parts {
		q.sum += int64(p)
	}
	return q
}

// The kernels of the machine give what plain Go gives.
func TestKernelEqualsPlainGo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		blocks, rows := rapid.IntRange(1, 9).Draw(t, "blocks"), rapid.IntRange(1, 5).Draw(t, "rows")
		q := queryOf(rapid.SliceOfN(rapid.Int8Range(-levels, levels), blocks*perBlock, blocks*perBlock).Draw(t, "query"))
		plane := rapid.SliceOfN(rapid.Byte(), blocks*block*rows, blocks*block*rows).Draw(t, "plane")
		list := rapid.SliceOfN(rapid.Uint32Range(0, uint32(rows-1)), 0, 40).Draw(t, "list")
		slices.Sort(list)
		got, want := make([]int32, len(list)), make([]int32, len(list))
		keep := rapid.SampledFrom([]int32{0, -1}).Draw(t, "keep")
		for i := range got {
			got[i] = rapid.Int32Range(-1e6, 1e6).Draw(t, "before")
			want[i] = got[i]
		}
		nibbles(q, plane, list, got, keep)
		nibblesGo(q, plane, list, want, keep)
		if !slices.Equal(got, want) {
			t.Fatalf("rows %v: sums %v, want %v", list, got, want)
		}
		scales := rapid.SliceOfN(rapid.Float32Range(0, .01), len(list), len(list)).Draw(t, "scales")
		grade, wantGrade := make([]uint16, len(list)), make([]uint16, len(list))
		grades(scales, got, grade, q.scale, gradeShift*q.sum)
		gradesGo(scales, got, wantGrade, q.scale, gradeShift*q.sum)
		if !slices.Equal(grade, wantGrade) {
			t.Fatalf("grades %v, want %v", grade, wantGrade)
		}
	})
}

// Grades are compared, counted and chosen as a sort has them.
func TestNthGrade(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		some := rapid.SampledFrom([]uint16{0, 1, 32768, 40000, 40001, 65534, 65535})
		g := Grades(rapid.SliceOfN(rapid.OneOf(some, rapid.Uint16(), rapid.Uint16Range(33000, 33100)), 1, 3000).Draw(t, "grades"))
		n := rapid.IntRange(1, len(g)).Draw(t, "n")
		room, want := make([]uint64, len(g)/64+1), make([]uint64, len(g)/64+1)
		sorted := slices.Sorted(slices.Values(g))
		nth := g.Nth(n, room)
		if nth != sorted[len(sorted)-n] {
			t.Fatalf("the grade in place %d is %d, want %d", n, nth, sorted[len(sorted)-n])
		}
		g.AtLeast(nth, room)
		atLeastGo(g, nth, want)
		if words := (len(g) + 63) / 64; !slices.Equal(room[:words], want[:words]) {
			t.Fatalf("at least %d: %x, want %x", nth, room, want)
		}
	})
}

// Each bit is that of its own grade.
func TestAtLeastEqualsPlainGo(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, n := range []int{1, 63, 64, 65, 128, 1000} {
		g := make(Grades, n)
		for i := range g {
			g[i] = uint16(32768 + r.IntN(5) - 2)
		}
		for _, least := range []uint16{0, 1, 32766, 32767, 32768, 32769, 32770, 32771, 65535} {
			got, want := make([]uint64, (n+63)/64), make([]uint64, (n+63)/64)
			g.AtLeast(least, got)
			atLeastGo(g, least, want)
			if !slices.Equal(got, want) {
				t.Errorf("%d grades at least %d: %x, want %x", n, least, got, want)
			}
		}
	}
}

// Of many grades a sample says where to look.
func TestNthOfManyGrades(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for name, grade := range map[string]func(i int) uint16{
		"random":     func(int) uint16 { return uint16(r.Uint32()) },
		"normal":     func(int) uint16 { return uint16(32768 + 400*r.NormFloat64()) },
		"equal":      func(int) uint16 { return 7 },
		"zero":       func(int) uint16 { return 0 },
		"ascending":  func(i int) uint16 { return uint16(i / 3) },
		"few at end": func(i int) uint16 { return uint16(max(0, i-19_990)) },
	} {
		g := make(Grades, 20_000)
		for i := range g {
			g[i] = grade(i)
		}
		sorted := slices.Sorted(slices.Values(g))
		for _, n := range []int{1, 2, 10, 200, 5000, 19_999, 20_000} {
			if got := g.Nth(n, make([]uint64, len(g)/64+1)); got != sorted[len(sorted)-n] {
				t.Errorf("%s: the grade in place %d is %d, want %d", name, n, got, sorted[len(sorted)-n])
			}
		}
	}
}

// Dot products are those of one addition after the other, to the bit.
func TestDotsEqualDot(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dim, n := rapid.IntRange(1, 200).Draw(t, "dim"), rapid.IntRange(0, 40).Draw(t, "rows")
		vector := rapid.SliceOfN(rapid.OneOf(rapid.Float32Range(-1, 1), rapid.Float32()), dim, dim)
		query, rows, out := vector.Draw(t, "query"), make([][]float32, n), make([]float64, n)
		for i := range rows {
			rows[i] = vector.Draw(t, "row")
		}
		Dots(query, rows, out)
		for i, row := range rows {
			if math.Float64bits(out[i]) != math.Float64bits(Dot(query, row)) {
				t.Fatalf("row %d of %d: %v, want %v", i, n, out[i], Dot(query, row))
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
		nibbles(queryOf(query), plane, []uint32{0}, sum[:], 0)
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
		if got, want := Dot(rotate(a, nil), rotate(b, nil)), Dot(a, b); math.Abs(got-want) > 1e-5*float64(dim) {
			t.Fatalf("product %v became %v", want, got)
		}
	})
}
