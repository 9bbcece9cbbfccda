package blocks

import (
	"encoding/binary"
	"hash/crc32"
	"io"
)

// Writer seals a body that comes in pieces, so that it need not be in memory as a
// whole. The first error stays: it is what Close returns.
type Writer struct {
	to    io.Writer
	next  []byte // not written yet; it begins with a block
	table []byte
	size  uint64 // of the body before next
	err   error
}

// gathered is how many bytes are written at once: few enough to stay in the fast
// memory of a processor from where they are copied to where they are written.
const gathered = 64 * Size

// NewWriter returns a writer to a file without content.
func NewWriter(to io.Writer) *Writer { return &Writer{to: to, next: make([]byte, 0, gathered)} }

// Write appends to the body.
func (w *Writer) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 && w.err == nil {
		m := min(gathered-len(w.next), len(p))
		w.next, p = append(w.next, p[:m]...), p[m:]
		if len(w.next) == gathered {
			w.flush()
		}
	}
	return n - len(p), w.err
}

// Pad appends zeros until the body has a size. A body that has more stays as it is.
func (w *Writer) Pad(size int) {
	var zeros [64]byte
	for missing := size - w.Len(); missing > 0 && w.err == nil; missing = size - w.Len() {
		_, _ = w.Write(zeros[:min(missing, len(zeros))]) // Close tells the error
	}
}

// Len returns the size of the body so far.
func (w *Writer) Len() int { return int(w.size) + len(w.next) }

// flush writes what was gathered.
func (w *Writer) flush() {
	w.table = appendSums(w.table, w.next)
	w.size += uint64(len(w.next))
	_, w.err = w.to.Write(w.next)
	w.next = w.next[:0]
}

// Close writes the rest, table and footer.
func (w *Writer) Close() error {
	if w.err == nil {
		w.flush()
	}
	if w.err == nil {
		_, w.err = w.to.Write(appendFooter(w.table, 0, w.size))
	}
	return w.err
}

// appendSums appends the checksums of the blocks of a body, or of a part of one
// that begins with a block.
func appendSums(table, body []byte) []byte {
	for at := 0; at < len(body); at += Size {
		table = binary.LittleEndian.AppendUint32(table, crc32.Checksum(body[at:min(at+Size, len(body))], castagnoli))
	}
	return table
}

// appendFooter appends the footer to a table, which begins at from.
func appendFooter(out []byte, from int, body uint64) []byte {
	out = binary.LittleEndian.AppendUint64(out, body)
	out = binary.LittleEndian.AppendUint32(out, crc32.Checksum(out[from:], castagnoli))
	return append(out, magic...)
}
