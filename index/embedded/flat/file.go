package flat

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"sort"
	"unsafe"
)

// ErrCorrupt is wrapped by every error about bytes that are not a sound file.
var ErrCorrupt = errors.New("corrupt vector file")

const (
	magic      = "kenvec\x00\x01" // the last byte is the version
	headerSize = len(magic) + 5*4
	alignment  = 64
	maxDim     = 1 << 16
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Encode returns the file of the rows, which row gives one after the other:
// dim numbers each, in ascending order of the ordinals.
func Encode(modelHash string, dim int, ordinals []uint32, row func(i int) []float32) ([]byte, error) {
	if dim < 1 || dim > maxDim {
		return nil, fmt.Errorf("encode vectors: dimension %d, want 1 to %d", dim, maxDim)
	}
	start := rowsAt(len(modelHash), len(ordinals))
	out := make([]byte, headerSize, start+len(ordinals)*dim*4)
	out = append(out, modelHash...)
	for i, o := range ordinals {
		if i > 0 && o <= ordinals[i-1] {
			return nil, fmt.Errorf("encode vectors: ordinal %d after %d: ordinals must ascend", o, ordinals[i-1])
		}
		out = binary.LittleEndian.AppendUint32(out, o)
	}
	out = out[:start]
	for i := range ordinals {
		r := row(i)
		if len(r) != dim {
			return nil, fmt.Errorf("encode vectors: row %d has %d dimensions, want %d", i, len(r), dim)
		}
		for _, x := range r {
			out = binary.LittleEndian.AppendUint32(out, math.Float32bits(x))
		}
	}
	putHeader(out, dim, len(ordinals), len(modelHash))
	return out, nil
}

func putHeader(out []byte, dim, rows, hash int) {
	at := copy(out, magic)
	for _, n := range []uint32{uint32(dim), uint32(rows), uint32(hash), crc32.Checksum(out[headerSize:], castagnoli)} {
		binary.LittleEndian.PutUint32(out[at:], n)
		at += 4
	}
	binary.LittleEndian.PutUint32(out[at:], crc32.Checksum(out[:at], castagnoli))
}

// rowsAt returns where the rows begin.
func rowsAt(hash, rows int) int {
	return (headerSize + hash + rows*4 + alignment - 1) / alignment * alignment
}

// File reads a file of vectors. It may be used by several goroutines. It refers
// to the bytes it was opened on, which must stay as they are.
type File struct {
	model    string
	dim      int
	rows     int
	ordinals []byte
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
	start := rowsAt(int(hash), int(rows))
	if uint64(start)+rows*dim*4 != uint64(len(data)) {
		return nil, fmt.Errorf("%w: %d rows of %d dimensions in %d bytes", ErrCorrupt, rows, dim, len(data))
	}
	if crc32.Checksum(data[headerSize:], castagnoli) != field(3) {
		return nil, fmt.Errorf("%w: checksum of the rows", ErrCorrupt)
	}
	names := data[headerSize:]
	f := &File{model: string(names[:hash]), dim: int(dim), rows: int(rows), ordinals: names[hash : hash+rows*4]}
	f.floats = floats(data[start:])
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
	little := binary.NativeEndian.Uint16([]byte{1, 0}) == 1
	if little && uintptr(first)%unsafe.Alignof(float32(0)) == 0 {
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
