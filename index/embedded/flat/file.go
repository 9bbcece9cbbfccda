package flat

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"iter"
	"math"
	"runtime"
	"unsafe"

	"ken/index/embedded/blocks"
)

// ErrCorrupt is wrapped by every error about bytes that are not a sound file.
var ErrCorrupt = errors.New("corrupt vector file")

const (
	magic      = "kenvec\x00\x03" // the last byte is the version
	headerSize = len(magic) + 4*4
	alignment  = 64
	maxDim     = 1 << 15 // no sum of a code overflows
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Encode writes the file of the rows, which row gives: dim numbers each, in ascending
// order of the ordinals.
func Encode(to io.Writer, modelHash string, dim int, ordinals []uint32, row func(i int) []float32) error {
	if err := checkDim(dim); err != nil {
		return err
	}
	codes := make([]Code, len(ordinals))
	var e Encoder
	for i := range codes {
		r := row(i)
		if len(r) != dim {
			return fmt.Errorf("encode vectors: row %d has %d dimensions, want %d", i, len(r), dim)
		}
		codes[i] = e.Encode(r)
	}
	return EncodeWith(to, modelHash, dim, ordinals, func(i int) ([]float32, Code) { return row(i), codes[i] })
}

// EncodeWith is [Encode] of rows whose codes are known, as in a merge. It asks for
// each row several times, once for each part of the file, and holds none of them.
func EncodeWith(to io.Writer, modelHash string, dim int, ordinals []uint32, row func(i int) ([]float32, Code)) error {
	if err := checkDim(dim); err != nil {
		return err
	}
	sum, err := sumOf(ordinals)
	if err != nil {
		return err
	}
	l := layoutOf(len(modelHash), len(ordinals), dim)
	w := blocks.NewWriter(to)
	_, _ = w.Write(appendHeader(nil, modelHash, uint32(dim), uint32(len(ordinals)), uint32(len(modelHash)), sum)) // Close tells the errors
	var number [4]byte
	each := func(begin int, put func(r []float32, c Code)) {
		w.Pad(begin)
		for i := 0; i < len(ordinals) && err == nil; i++ {
			r, c := row(i)
			if len(r) != dim {
				err = fmt.Errorf("encode vectors: row %d has %d dimensions, want %d", i, len(r), dim)
				return
			}
			put(r, c)
			if i%rowsAtOnce == 0 {
				runtime.Gosched()
			}
		}
	}
	float := func(x float32) {
		binary.LittleEndian.PutUint32(number[:], math.Float32bits(x))
		_, _ = w.Write(number[:])
	}
	each(l.scales, func(_ []float32, c Code) { float(c.Scale) })
	each(l.errors, func(_ []float32, c Code) { float(c.Error) })
	each(l.high, func(_ []float32, c Code) { _, _ = w.Write(c.High) })
	each(l.low, func(_ []float32, c Code) { _, _ = w.Write(c.Low) })
	each(l.floats, func(r []float32, _ Code) { _, _ = w.Write(bytesOf(r)) })
	return errors.Join(err, w.Close())
}

func checkDim(dim int) error {
	if dim < 1 || dim > maxDim {
		return fmt.Errorf("encode vectors: dimension %d, want 1 to %d", dim, maxDim)
	}
	return nil
}

// sumOf returns the checksum that stands for the ordinals.
func sumOf(ordinals []uint32) (sum uint32, err error) {
	var b [4]byte
	for i, o := range ordinals {
		if i > 0 && o <= ordinals[i-1] {
			return 0, fmt.Errorf("encode vectors: ordinal %d after %d: ordinals must ascend", o, ordinals[i-1])
		}
		binary.LittleEndian.PutUint32(b[:], o)
		sum = crc32.Update(sum, castagnoli, b[:])
	}
	return sum, nil
}

// rowsAtOnce is how many rows are written before searches get their turn.
const rowsAtOnce = 128

// layout says where the parts of a file begin; all are aligned.
type layout struct{ scales, errors, high, low, floats, end int }

func layoutOf(hash, rows, dim int) layout {
	var l layout
	l.scales = align(headerSize + hash)
	l.errors = align(l.scales + rows*4)
	l.high = align(l.errors + rows*4)
	l.low = align(l.high + rows*planeSize(dim))
	l.floats = align(l.low + rows*planeSize(dim))
	l.end = l.floats + rows*dim*4
	return l
}

func align(n int) int { return (n + alignment - 1) / alignment * alignment }

// bytesOf returns the numbers as they are stored.
func bytesOf(row []float32) []byte {
	if littleEndian() {
		return unsafe.Slice((*byte)(unsafe.Pointer(&row[0])), len(row)*4)
	}
	out := make([]byte, 0, len(row)*4)
	for _, x := range row {
		out = binary.LittleEndian.AppendUint32(out, math.Float32bits(x))
	}
	return out
}

func littleEndian() bool { return binary.NativeEndian.Uint16([]byte{1, 0}) == 1 }

func appendHeader(out []byte, modelHash string, fields ...uint32) []byte {
	out = append(out, magic...)
	for _, n := range fields {
		out = binary.LittleEndian.AppendUint32(out, n)
	}
	return append(out, modelHash...)
}

// File reads a file of vectors. It may be used by several goroutines. It refers
// to the bytes it was opened on, which must stay as they are.
//
// What [Open] does not read is checked by the methods whose names begin with Check,
// which must come before those that read it.
type File struct {
	file   *blocks.File
	at     layout
	model  string
	dim    int
	rows   int
	sum    uint32
	scales []float32
	errors []float32
	plane  int // bytes of half a code
	high   []byte
	low    []byte
	floats []float32
}

// Open reads the header of a file. Damage is an error that wraps [ErrCorrupt], here
// or where the damaged bytes are used.
func Open(data []byte) (*File, error) { return OpenMapped(data, nil) }

// OpenMapped is [Open] of bytes that may have to be read from a disk when they are
// used: fetch is told which those will be soon, see [blocks.Open].
func OpenMapped(data []byte, fetch func(from, to int)) (*File, error) {
	file, err := blocks.Open(data, fetch)
	if err != nil {
		return nil, corrupt(err)
	}
	body := file.Body()
	if len(body) < headerSize || string(body[:len(magic)]) != magic {
		return nil, fmt.Errorf("%w: not a vector file of this version", ErrCorrupt)
	}
	field := func(i int) uint32 { return binary.LittleEndian.Uint32(body[len(magic)+4*i:]) }
	dim, rows, hash := uint64(field(0)), uint64(field(1)), uint64(field(2))
	if dim < 1 || dim > maxDim || hash > uint64(len(body)) || rows > uint64(len(body)) {
		return nil, fmt.Errorf("%w: %d rows of %d dimensions in %d bytes", ErrCorrupt, rows, dim, len(body))
	}
	l := layoutOf(int(hash), int(rows), int(dim))
	if l.end != len(body) {
		return nil, fmt.Errorf("%w: %d rows of %d dimensions in %d bytes", ErrCorrupt, rows, dim, len(body))
	}
	if err := file.Check(0, headerSize+int(hash)); err != nil {
		return nil, corrupt(err)
	}
	f := &File{file: file, at: l, model: string(body[headerSize:][:hash]), dim: int(dim), rows: int(rows), sum: field(3)}
	f.plane = planeSize(f.dim)
	f.scales, f.errors = floats(body[l.scales:l.scales+f.rows*4]), floats(body[l.errors:l.errors+f.rows*4])
	f.high, f.low = body[l.high:l.low], body[l.low:l.floats]
	f.floats = floats(body[l.floats:])
	return f, nil
}

// corrupt says of a damaged file that it is one of vectors.
func corrupt(err error) error {
	if errors.Is(err, blocks.ErrDamaged) {
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return err
}

// Whole reports whether everything was checked.
func (f *File) Whole() bool { return f.file.Whole() }

// CheckAll checks everything; see [blocks.File.CheckAll].
func (f *File) CheckAll(ctx context.Context, pause func(context.Context)) error {
	return corrupt(f.file.CheckAll(ctx, pause))
}

// CheckCoarse checks what [File.Coarse] reads.
func (f *File) CheckCoarse(rows iter.Seq[uint32]) error {
	err := f.file.CheckRows(f.at.scales, 4, rows)
	if err == nil {
		err = f.file.CheckRows(f.at.high, f.plane, rows)
	}
	return corrupt(err)
}

// CheckFine checks what [File.Fine] and, of the same rows, [File.Estimate] read.
func (f *File) CheckFine(rows iter.Seq[uint32]) error {
	err := f.CheckCoarse(rows)
	if err == nil {
		err = f.file.CheckRows(f.at.errors, 4, rows)
	}
	if err == nil {
		err = f.file.CheckRows(f.at.low, f.plane, rows)
	}
	return corrupt(err)
}

// CheckRefine checks what [File.Refine] reads.
func (f *File) CheckRefine(rows iter.Seq[uint32]) error {
	err := f.file.CheckRows(f.at.scales, 4, rows)
	if err == nil {
		err = f.file.CheckRows(f.at.low, f.plane, rows)
	}
	return corrupt(err)
}

// CheckRows checks what [File.Row] returns.
func (f *File) CheckRows(rows iter.Seq[uint32]) error {
	return corrupt(f.file.CheckRows(f.at.floats, f.dim*4, rows))
}

// FetchRows asks for it.
func (f *File) FetchRows(rows iter.Seq[uint32]) { f.file.FetchRows(f.at.floats, f.dim*4, rows) }

// floats reads the bytes as numbers, in place where the machine allows it.
func floats(data []byte) []float32 {
	if len(data) == 0 {
		return nil
	}
	first := unsafe.Pointer(unsafe.SliceData(data))
	if littleEndian() && uintptr(first)%unsafe.Alignof(float32(0)) == 0 {
		return unsafe.Slice((*float32)(first), len(data)/4)
	}
	out := make([]float32, len(data)/4)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[i*4:]))
	}
	return out
}

// ModelHash returns the hash of the model that made the vectors.
func (f *File) ModelHash() string { return f.model }

// Dim returns the number of dimensions.
func (f *File) Dim() int { return f.dim }

// Len returns the number of rows.
func (f *File) Len() int { return f.rows }

// OrdinalsSum returns the CRC-32C of the ordinals of the rows, little endian, one
// after the other.
func (f *File) OrdinalsSum() uint32 { return f.sum }

// Row returns row i, which must not be changed and lives as long as the file's bytes.
func (f *File) Row(i int) []float32 { return f.floats[i*f.dim : (i+1)*f.dim : (i+1)*f.dim] }
