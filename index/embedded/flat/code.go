package flat

import (
	"math"
	"math/bits"
)

// Code is what a file holds of a vector besides its numbers: a byte per dimension,
// to find candidates with. It depends on the vector and nothing else.
//
// The vector is rotated, divided by Scale and rounded to whole numbers from -127 to
// 127; 128 more than that is a byte. Its upper four bits stand in High and its lower
// in Low, so that a scan may read half of them. A block of 32 bytes holds 64
// dimensions: the first 32 in the lower halves of the bytes, the others in the upper.
type Code struct {
	High, Low []byte
	Scale     float32
	Error     float32 // at least the length of the rotated vector minus Scale · numbers
}

const (
	levels    = 127
	zeroLevel = 128 // the byte of the number 0
	block     = 32  // bytes
	perBlock  = 64  // dimensions
)

// planeSize is how many bytes half a code takes.
func planeSize(dim int) int { return (dim + perBlock - 1) / perBlock * block }

// Query is a vector of unit length in the form that codes are compared with.
type Query struct {
	parts []int8 // the rotated vector divided by scale, rounded
	wide  []int8 // the same in the order of wideParts
	sum   int64  // of parts
	scale float64
	error float64 // at least the length of the rotated vector minus scale · parts
}

// NewQuery returns the query of the vector.
func NewQuery(unit []float32) *Query {
	rotated := rotate(unit, nil)
	q := &Query{parts: make([]int8, planeSize(len(unit))*2), scale: float64(greatest(rotated)) / levels}
	if q.scale == 0 {
		q.wide = q.parts
		return q
	}
	q.error = round(rotated, q.scale, q.parts)
	for _, n := range q.parts {
		q.sum += int64(n)
	}
	q.wide = wideParts(q.parts)
	return q
}

// Grades is what [File.Coarse] found out about rows, in their order.
type Grades struct {
	Grades []uint16 // higher for higher dot products, in steps of 1/16384
	Sums   []int32  // for Refine
}

// NewGrades returns room for n rows.
func NewGrades(n int) Grades { return Grades{make([]uint16, n), make([]int32, n)} }

// Tail returns the room from row i on.
func (g Grades) Tail(i int) Grades { return Grades{g.Grades[i:], g.Sums[i:]} }

// Coarse grades the rows [64·from, 64·to) whose bit is set. It reads half of each code.
func (f *File) Coarse(q *Query, rows []uint64, from, to int, out Grades) {
	f.each(rows, from, to, out, func(some *rowList, out Grades) {
		nibbles(q, f.high, some.rows[:some.n], out.Sums, 0)
		grades(f.scalesOf(some), out.Sums, out.Grades, q.scale, gradeShift*q.sum)
	})
}

// Fine is Coarse with whole codes. It returns the greatest slack of [File.Estimate].
func (f *File) Fine(q *Query, rows []uint64, from, to int, out Grades) (slack float64) {
	var most uint32 // numbers that are not negative are in the order of their bits
	f.each(rows, from, to, out, func(some *rowList, out Grades) {
		list := some.rows[:some.n]
		nibbles(q, f.high, list, out.Sums, 0)
		nibbles(q, f.low, list, out.Sums, -1)
		for _, row := range list {
			most = max(most, math.Float32bits(f.errors[row]))
		}
		grades(f.scalesOf(some), out.Sums, out.Grades, q.scale/16, 32*zeroLevel*q.sum)
	})
	return q.slack(math.Float32frombits(most))
}

// each hands the set rows to do, some at a time, with the room for them.
func (f *File) each(rows []uint64, from, to int, out Grades, do func(*rowList, Grades)) {
	var some rowList
	for w := from; w < to; out = out.Tail(some.n) {
		some.n = 0
		w = some.fill(rows, w, to)
		do(&some, Grades{out.Grades[:some.n], out.Sums[:some.n]})
	}
}

// rowList is rows that are handed to the kernels together.
type rowList struct {
	rows   [listed]uint32
	scales [listed]float32
	n      int
}

const listed = 1024

// fill lists the set rows of as many words from w on as fit and returns the next word.
func (l *rowList) fill(rows []uint64, w, to int) int {
	for ; w < to && l.n+64 <= listed; w++ {
		word, first := rows[w], uint32(w*64)
		if word == math.MaxUint64 {
			for i := range l.rows[l.n:][:64] {
				l.rows[l.n+i] = first + uint32(i)
			}
			l.n += 64
			continue
		}
		for ; word != 0; word &= word - 1 {
			l.rows[l.n] = first + uint32(bits.TrailingZeros64(word))
			l.n++
		}
	}
	return w
}

// scalesOf returns the scales of the listed rows.
func (f *File) scalesOf(l *rowList) []float32 {
	rows := l.rows[:l.n]
	if n := len(rows); n > 0 && int(rows[n-1]-rows[0]) == n-1 {
		return f.scales[rows[0]:][:n]
	}
	for i, row := range rows {
		l.scales[i] = f.scales[row]
	}
	return l.scales[:l.n]
}

// gradeOf returns the product of scales and a sum, of which shift / 32 is taken, as a
// grade. The product lies from -2 to 2.
func gradeOf(scale float32, sum int32, query float64, shift int64) uint16 {
	twice := float64(query*float64(scale)) * float64(32*int64(sum)-shift) // from -4 to 4
	return uint16(max(0, min(math.MaxUint16, int(twice*8192)+32768)))
}

// gradeShift puts the middle of the sixteen numbers that have the same upper half in
// place of each number: 16 · upper + 7.5 - 128. It is twice what the middle and the
// level of zero make of a part.
const gradeShift = 2*zeroLevel - 15

// GradeStep is more than a product can be from that of its grade.
const GradeStep = 1.0 / 16384

// Lower returns a grade whose products are lower by at least so much.
func Lower(grade uint16, by float64) uint16 {
	return uint16(max(0, int(grade)-int(math.Ceil(by/GradeStep))))
}

// AtLeast sets bit i of out if grade i is at least least, and clears the others;
// out has a bit for each grade.
func (g Grades) AtLeast(least uint16, out []uint64) { atLeast(g.Grades, least, out) }

// Estimate sets products[i] to the dot product with row rows[i], of which Fine found
// the sum, and slacks[i] to how far it may be from the true one, given that the row
// has at most unit length and a thousandth. It is computed from whole numbers, so it
// is the same on every machine.
func (f *File) Estimate(q *Query, rows []uint32, sums []int32, products, slacks []float64) {
	for i, row := range rows {
		products[i], slacks[i] = f.product(q, row, sums[i]), q.slack(f.errors[row])
	}
}

// Refine makes the sums that Coarse found those of Fine, and sets products[i] to the
// product of Estimate.
func (f *File) Refine(q *Query, rows []uint32, sums []int32, products []float64) {
	nibbles(q, f.low, rows, sums, -1)
	for i, row := range rows {
		products[i] = f.product(q, row, sums[i])
	}
}

func (f *File) product(q *Query, row uint32, sum int32) float64 {
	return float64(q.scale*float64(f.scales[row])) * float64(int64(sum)-zeroLevel*q.sum)
}

// slack is how far a product may be off, given what rounding lost of the row.
func (q *Query) slack(lost float32) float64 {
	rest := float64(lost)
	return float64(1.0001*rest) + float64(1.002*q.error) + float64(q.error*rest) + rotationSlack
}

// rotationSlack covers the rounding of query and row in float32: by the two
// rotations, each of at most 64 steps that may move a vector by 2^-24 of its
// length, and of the query to unit length.
const rotationSlack = 1e-5

// Code returns the code of row i; see [File.Row].
func (f *File) Code(i int) Code {
	at, end := i*f.plane, (i+1)*f.plane
	return Code{High: f.high[at:end:end], Low: f.low[at:end:end], Scale: f.scales[i], Error: f.errors[i]}
}
