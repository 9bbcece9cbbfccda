package flat

import "math"

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

// Grades are dot products in steps of 1/16384, from -2 on.
type Grades []uint16

// Coarse grades rows, which ascend, by half of each code; the sums are for [File.Refine].
func (f *File) Coarse(q *Query, rows []uint32, sums []int32, out Grades) {
	f.each(rows, sums, out, func(some []uint32, sums []int32, out Grades, numbers []float32) {
		nibbles(q, f.high, some, sums, 0)
		grades(pick(f.scales, some, numbers), sums, out, q.scale, gradeShift*q.sum)
	})
}

// Fine is Coarse with whole codes; the sums are for [File.Estimate], of which it
// returns the greatest slack.
func (f *File) Fine(q *Query, rows []uint32, sums []int32, out Grades) (slack float64) {
	var most uint32 // numbers that are not negative are in the order of their bits
	f.each(rows, sums, out, func(some []uint32, sums []int32, out Grades, numbers []float32) {
		nibbles(q, f.high, some, sums, 0)
		nibbles(q, f.low, some, sums, -1)
		for _, row := range some {
			most = max(most, math.Float32bits(f.errors[row]))
		}
		grades(pick(f.scales, some, numbers), sums, out, q.scale/16, 32*zeroLevel*q.sum)
	})
	return q.slack(math.Float32frombits(most))
}

// listed is how many rows are handed to the kernels together: what one leaves for the
// next stays near.
const listed = 1024

// each hands the rows to do, some at a time, with what belongs to them and room for as
// many numbers.
func (f *File) each(rows []uint32, sums []int32, out Grades, do func([]uint32, []int32, Grades, []float32)) {
	var numbers [listed]float32
	for n := 0; len(rows) > 0; rows, sums, out = rows[n:], sums[n:], out[n:] {
		n = min(len(rows), listed)
		do(rows[:n], sums[:n], out[:n], numbers[:])
	}
}

// pick returns the numbers of the rows, in room if they do not stand together.
func pick(numbers []float32, rows []uint32, room []float32) []float32 {
	if n := len(rows); n > 0 && int(rows[n-1]-rows[0]) == n-1 {
		return numbers[rows[0]:][:n]
	}
	room = room[:len(rows)]
	for i, row := range rows {
		room[i] = numbers[row]
	}
	return room
}

// gradeOf returns the product of scales and a sum, of which shift / 32 is taken, as a
// grade. The product lies from -2 to 2.
func gradeOf(scale float32, sum int32, query float64, shift int64) uint16 {
	return GradeOf(float64(query*float64(scale)) * float64(32*int64(sum)-shift) / 2)
}

// GradeOf returns the grade of a product from -2 to 2.
func GradeOf(product float64) uint16 {
	return uint16(max(0, min(math.MaxUint16, int(product*16384)+32768)))
}

// Least returns a number that no product of the grade, or of a higher one, is below.
func Least(grade uint16) float64 {
	if grade == 0 {
		return math.Inf(-1)
	}
	return (float64(grade) - 32769) * GradeStep
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
func (g Grades) AtLeast(least uint16, out []uint64) { atLeast(g, least, out) }

// Estimate returns the dot product with a row of which Fine or Refine found the sum, and
// how far it may be from the true one, given that the row has at most unit length and a
// thousandth. It is computed from whole numbers, so it is the same on every machine.
func (f *File) Estimate(q *Query, row uint32, sum int32) (product, slack float64) {
	return f.product(q, row, sum), q.slack(f.errors[row])
}

// Refine makes the sums that Coarse found those of Fine.
func (f *File) Refine(q *Query, rows []uint32, sums []int32) { nibbles(q, f.low, rows, sums, -1) }

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
