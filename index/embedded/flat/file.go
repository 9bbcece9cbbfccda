package flat

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"runtime"
	"sort"
	"unsafe"
)

// ErrCorrupt is wrapped by every error about bytes that are not a sound file.
var ErrCorrupt = errors.New("corrupt vector file")

const (
	magic      = "kenvec\x00\x02" // the last byte is the version
	headerSize = len(magic) + 5*4
	alignment  = 64
	scaleSize  = 2 * 4   // of a row: scale and error of its code
	maxDim     = 1 << 15 // no sum of a code overflows
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Encode returns the file of the rows, which row gives one after the other:
// dim numbers each, in ascending order of the ordinals.
func Encode(modelHash string, dim int, ordinals []uint32, row func(i int) []float32) ([]byte, error) {
	return EncodeWith(modelHash, dim, ordinals, func(i int) ([]float32, Code) {
		r := row(i)
		if len(r) != dim {
			return r, Code{}
		}
		return r, EncodeVector(r)
	})
}

// EncodeWith is [Encode] of rows whose codes are known, as in a merge.
func EncodeWith(modelHash string, dim int, ordinals []uint32, row func(i int) ([]float32, Code)) ([]byte, error) {
	if dim < 1 || dim > maxDim {
		return nil, fmt.Errorf("encode vectors: dimension %d, want 1 to %d", dim, maxDim)
	}
	l := layoutOf(len(modelHash), len(ordinals), dim)
	out := make([]byte, l.end)
	at := headerSize + copy(out[headerSize:], modelHash)
	for i, o := range ordinals {
		if i > 0 && o <= ordinals[i-1] {
			return nil, fmt.Errorf("encode vectors: ordinal %d after %d: ordinals must ascend", o, ordinals[i-1])
		}
		binary.LittleEndian.PutUint32(out[at+4*i:], o)
	}
	for i := range ordinals {
		r, c := row(i)
		if len(r) != dim {
			return nil, fmt.Errorf("encode vectors: row %d has %d dimensions, want %d", i, len(r), dim)
		}
		l.put(out, i, dim, r, c)
		if i%rowsAtOnce == 0 {
			runtime.Gosched()
		}
	}
	putHeader(out, dim, len(ordinals), len(modelHash))
	return out, nil
}

// rowsAtOnce is how many rows are written before searches get their turn.
const rowsAtOnce = 128

// layout says where the parts of a file begin; all are aligned.
type layout struct{ scales, errors, high, low, floats, end int }

func layoutOf(hash, rows, dim int) layout {
	var l layout
	l.scales = align(headerSize + hash + rows*4)
	l.errors = align(l.scales + rows*4)
	l.high = align(l.errors + rows*4)
	l.low = align(l.high + rows*planeSize(dim))
	l.floats = align(l.low + rows*planeSize(dim))
	l.end = l.floats + rows*dim*4
	return l
}

func align(n int) int { return (n + alignment - 1) / alignment * alignment }

// put writes row i.
func (l layout) put(out []byte, i, dim int, r []float32, c Code) {
	binary.LittleEndian.PutUint32(out[l.scales+i*4:], math.Float32bits(c.Scale))
	binary.LittleEndian.PutUint32(out[l.errors+i*4:], math.Float32bits(c.Error))
	copy(out[l.high+i*planeSize(dim):], c.High)
	copy(out[l.low+i*planeSize(dim):], c.Low)
	row := out[l.floats+i*dim*4:][:dim*4]
	if littleEndian() {
		copy(row, unsafe.Slice((*byte)(unsafe.Pointer(&r[0])), dim*4))
		return
	}
	for j, x := range r {
		binary.LittleEndian.PutUint32(row[j*4:], math.Float32bits(x))
	}
}

func littleEndian() bool { return binary.NativeEndian.Uint16([]byte{1, 0}) == 1 }

func putHeader(out []byte, dim, rows, hash int) {
	at := copy(out, magic)
	for _, n := range []uint32{uint32(dim), uint32(rows), uint32(hash), crc32.Checksum(out[headerSize:], castagnoli)} {
		binary.LittleEndian.PutUint32(out[at:], n)
		at += 4
	}
	binary.LittleEndian.PutUint32(out[at:], crc32.Checksum(out[:at], castagnoli))
}

// File reads a file of vectors. It may be used by several goroutines. It refers
// to the bytes it was opened on, which must stay as they are.
type File struct {
	model    string
	dim      int
	rows     int
	ordinals []byte
	scales   []float32
	errors   []float32
	plane    int // bytes of half a code
	high     []byte
	low      []byte
	floats   []float32
}

// Open reads a file. Damage is an error that wraps [ErrCorrupt].
func Open(data []byte) (*File, error) {
	if len(data) < headerSize || string(data[:len(magic)]) != magic {
		return nil, fmt.Errorf("%w: not a vector file of this version", ErrCorrupt)
	}
	field := func(i int) uint32 { return binary.LittleEndian.Uint32(data[len(magic)+4*i:]) }
	if crc32.Checksum(data[:headerSize-4], castagnoli) != field(4) {
		return nil, fmt.Errorf("%w: checksum of the header", ErrCorrupt)
	}
	dim, rows, hash := uint64(field(0)), uint64(field(1)), uint64(field(2))
	if dim < 1 || dim > maxDim || hash > uint64(len(data)) || rows > uint64(len(data)) {
		return nil, fmt.Errorf("%w: %d rows of %d dimensions in %d bytes", ErrCorrupt, rows, dim, len(data))
	}
	l := layoutOf(int(hash), int(rows), int(dim))
	if l.end != len(data) {
		return nil, fmt.Errorf("%w: %d rows of %d dimensions in %d bytes", ErrCorrupt, rows, dim, len(data))
	}
	if crc32.Checksum(data[headerSize:], castagnoli) != field(3) {
		return nil, fmt.Errorf("%w: checksum of the rows", ErrCorrupt)
	}
	names := data[headerSize:]
	f := &File{model: string(names[:hash]), dim: int(dim), rows: int(rows), ordinals: names[hash : hash+rows*4]}
	f.plane = planeSize(f.dim)
	f.scales, f.errors = floats(data[l.scales:l.scales+f.rows*4]), floats(data[l.errors:l.errors+f.rows*4])
	f.high, f.low = data[l.high:l.low], data[l.low:l.floats]
	f.floats = floats(data[l.floats:])
	return f, f.check()
}

func (f *File) check() error {
	for i := 1; i < f.rows; i++ {
		if f.Ordinal(i) <= f.Ordinal(i-1) {
			return fmt.Errorf("%w: ordinals do not ascend", ErrCorrupt)
		}
	}
	return nil
}

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

// Ordinal returns the ordinal of row i.
func (f *File) Ordinal(i int) uint32 { return binary.LittleEndian.Uint32(f.ordinals[i*4:]) }

// Find returns the row with the ordinal.
func (f *File) Find(ordinal uint32) (i int, ok bool) {
	i = sort.Search(f.rows, func(i int) bool { return f.Ordinal(i) >= ordinal })
	return i, i < f.rows && f.Ordinal(i) == ordinal
}

// Row returns row i, which must not be changed and lives as long as the file's bytes.
func (f *File) Row(i int) []float32 { return f.floats[i*f.dim : (i+1)*f.dim : (i+1)*f.dim] }
