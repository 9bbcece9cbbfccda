package blocks

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"iter"
	"math/bits"
	"sync/atomic"
)

// ErrDamaged is wrapped by every error about bytes that are not those that were sealed.
var ErrDamaged = errors.New("damaged file")

const (
	// Size is how many bytes a checksum covers.
	Size = 4096

	magic      = "kenblk\x00\x01" // the last byte is the version
	sumSize    = 4
	footerSize = 8 + sumSize + len(magic)
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// SealedSize returns how large a body becomes when it is sealed.
func SealedSize(body int) int { return body + blocksOf(body)*sumSize + footerSize }

func blocksOf(body int) int { return (body + Size - 1) / Size }

// Seal appends table and footer to the body.
func Seal(body []byte) []byte {
	return appendFooter(appendSums(body, body), len(body), uint64(len(body)))
}

// File is a sealed body. It may be used by several goroutines. It refers to the
// bytes it was opened on, which must stay as they are.
type File struct {
	body  []byte
	table []byte
	sound []atomic.Uint64 // a bit per block that was checked
	whole atomic.Bool     // all were
	asked []atomic.Uint64 // a bit per block that was fetched
	fetch func(from, to int)
}

// Open checks footer and table. Where fetch is not nil, it is told of bytes
// [from, to) that will be read soon; it should not wait for them.
func Open(data []byte, fetch func(from, to int)) (*File, error) {
	if fetch == nil {
		fetch = func(int, int) {}
	}
	fetch(0, min(Size, len(data)))
	fetch(max(0, len(data)-len(data)/Size*sumSize-Size), len(data)) // the table, and a little more
	end := len(data) - footerSize
	if end < 0 || string(data[len(data)-len(magic):]) != magic {
		return nil, fmt.Errorf("%w: it does not end as a sealed file", ErrDamaged)
	}
	n := binary.LittleEndian.Uint64(data[end:])
	if n > uint64(end) || SealedSize(int(n)) != len(data) {
		return nil, fmt.Errorf("%w: %d bytes cannot hold a body of %d", ErrDamaged, len(data), n)
	}
	if crc32.Checksum(data[n:end+8], castagnoli) != binary.LittleEndian.Uint32(data[end+8:]) {
		return nil, fmt.Errorf("%w: checksum of the table", ErrDamaged)
	}
	words := (blocksOf(int(n)) + 63) / 64
	return &File{body: data[:n:n], table: data[n:end], sound: make([]atomic.Uint64, words), asked: make([]atomic.Uint64, words), fetch: fetch}, nil
}

// Body returns the body, which is not checked yet; see [File.Check].
func (f *File) Body() []byte { return f.body }

// Whole reports whether all of the body was found sound.
func (f *File) Whole() bool { return f.whole.Load() }

// Fetch says that bytes [from, to) of the body will be read soon. What was said before
// is not said again: to ask the system costs as much as reading 16 KiB.
func (f *File) Fetch(from, to int) {
	if from >= to {
		return
	}
	first, last := from/Size, (to-1)/Size
	for first <= last && f.isAsked(first) {
		first++
	}
	for first <= last && f.isAsked(last) {
		last--
	}
	if first > last {
		return
	}
	f.fetch(first*Size, min(last*Size+Size, len(f.body)))
	for b := first; b <= last; b++ {
		f.asked[b/64].Or(1 << (b % 64))
	}
}

func (f *File) isAsked(b int) bool { return f.asked[b/64].Load()>>(b%64)&1 != 0 }

// Check returns an error that wraps [ErrDamaged] unless bytes [from, to) of the
// body, which must lie in it, are those that were sealed.
func (f *File) Check(from, to int) error {
	if f.whole.Load() || from >= to {
		return nil
	}
	for b := from / Size; b <= (to-1)/Size; b++ {
		if err := f.check(b); err != nil {
			return err
		}
	}
	return nil
}

func (f *File) isSound(b int) bool { return f.sound[b/64].Load()>>(b%64)&1 != 0 }

func (f *File) check(b int) error {
	if f.isSound(b) {
		return nil
	}
	from, to := b*Size, min(b*Size+Size, len(f.body))
	if crc32.Checksum(f.body[from:to], castagnoli) != binary.LittleEndian.Uint32(f.table[b*sumSize:]) {
		return fmt.Errorf("%w: checksum of bytes %d to %d", ErrDamaged, from, to-1)
	}
	f.sound[b/64].Or(1 << (b % 64))
	return nil
}

// CheckRows checks rows of size bytes each that stand one after the other from base
// on. All that is missing is asked for before the first of it is waited for.
func (f *File) CheckRows(base, size int, rows iter.Seq[uint32]) error {
	if f.whole.Load() {
		return nil
	}
	f.FetchRows(base, size, rows)
	last := -1 // block that the row before ends in
	for row := range rows {
		from, to := base+int(row)*size, base+int(row)*size+size
		if from/Size == last && (to-1)/Size == last {
			continue
		}
		if err := f.Check(from, to); err != nil {
			return err
		}
		last = (to - 1) / Size
	}
	return nil
}

// FetchRows asks for what [File.CheckRows] checks.
func (f *File) FetchRows(base, size int, rows iter.Seq[uint32]) {
	if f.whole.Load() {
		return
	}
	w, last := wanted{file: f}, -1
	for row := range rows {
		from, to := base+int(row)*size, base+int(row)*size+size
		if (to-1)/Size != last { // else it is in the block that the row before ends in
			w.add(from, to)
			last = (to - 1) / Size
		}
	}
	w.end()
}

// CheckSet is [File.CheckRows] of the rows whose bit is set in words [from, to). It
// may check what lies between two rows of a word too.
func (f *File) CheckSet(base, size int, rows []uint64, from, to int) error {
	if f.whole.Load() {
		return nil
	}
	f.FetchSet(base, size, rows, from, to)
	for w := from; w < to; w++ {
		if rows[w] == 0 {
			continue
		}
		if err := f.Check(span(base, size, w, rows[w])); err != nil {
			return err
		}
	}
	return nil
}

// FetchSet asks for what [File.CheckSet] checks.
func (f *File) FetchSet(base, size int, rows []uint64, from, to int) {
	if f.whole.Load() {
		return
	}
	want := wanted{file: f}
	for w := from; w < to; w++ {
		if rows[w] != 0 {
			want.add(span(base, size, w, rows[w]))
		}
	}
	want.end()
}

// span returns from where to where the rows of word w lie.
func span(base, size, w int, word uint64) (from, to int) {
	first, last := w*64+bits.TrailingZeros64(word), w*64+63-bits.LeadingZeros64(word)
	return base + first*size, base + (last+1)*size
}

// wanted fetches bytes that were not checked yet, those that are near together in one go.
type wanted struct {
	file     *File
	from, to int
}

// near is up to how many bytes between two that are wanted are read along: disk and
// processor read them in the time of a request.
const near = 32 << 10

func (w *wanted) add(from, to int) {
	if w.file.isAsked(from/Size) && w.file.isAsked((to-1)/Size) {
		return
	}
	if from < w.from || from > w.to+near || to-w.from > piece {
		w.end()
		w.from, w.to = from, to
	}
	w.to = max(w.to, to)
}

func (w *wanted) end() {
	if w.from < w.to {
		w.file.Fetch(w.from, w.to)
	}
	w.from, w.to = 0, 0
}

// piece is how many bytes CheckAll looks at between two looks at its context.
const piece = 1 << 20

// CheckAll checks the whole body, a piece after the other. Before each it calls
// pause, unless that is nil; the next piece is fetched meanwhile.
func (f *File) CheckAll(ctx context.Context, pause func(context.Context)) error {
	for from := 0; from < len(f.body) && !f.whole.Load(); from += piece {
		to := min(from+piece, len(f.body))
		f.fetch(from, to)
		if pause != nil {
			pause(ctx)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := f.Check(from, to); err != nil {
			return err
		}
	}
	f.whole.Store(true)
	return nil
}
