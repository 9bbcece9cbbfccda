package lexical

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"ken/index/embedded/blocks"
)

// ErrCorrupt is wrapped by every error about bytes that are not a sound segment.
var ErrCorrupt = errors.New("corrupt lexical segment")

const (
	magic        = "kenlex\x00\x02" // the last byte is the version
	headerSize   = len(magic) + 4*4 + int(sectionCount)*8
	columnSize   = 2 + 4 + 4 + 16 + 8 + 4
	maxLanguages = 1 << 16
)

// section names the parts of a file in the order in which they are stored.
type section int

const (
	languages section = iota
	ordinals
	columns
	terms
	postings
	keywords
	matches
	sectionCount
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// header says which chunks a segment holds.
type header struct {
	chunks      int
	first, last uint32 // ordinals
	sum         uint32 // CRC-32C of all ordinals, see [Segment.OrdinalsSum]
}

// dense reports whether no ordinal is missing between the first and the last.
func (h header) dense() bool {
	return h.chunks > 0 && uint64(h.last)-uint64(h.first)+1 == uint64(h.chunks)
}

// headerOf returns the header of a segment of these ordinals, 4 bytes each.
func headerOf(ordinals []byte) header {
	h := header{chunks: len(ordinals) / 4, sum: crc32.Checksum(ordinals, castagnoli)}
	if h.chunks > 0 {
		h.first, h.last = binary.LittleEndian.Uint32(ordinals), binary.LittleEndian.Uint32(ordinals[len(ordinals)-4:])
	}
	return h
}

// assemble joins the sections behind the header and seals them.
func assemble(h header, parts [sectionCount][]byte) []byte {
	if h.dense() {
		parts[ordinals] = nil // the header says them
	}
	size := headerSize
	for _, p := range parts {
		size += len(p)
	}
	out := make([]byte, 0, blocks.SealedSize(size))
	out = append(out, magic...)
	for _, n := range []uint32{uint32(h.chunks), h.first, h.last, h.sum} {
		out = binary.LittleEndian.AppendUint32(out, n)
	}
	for _, p := range parts {
		out = binary.LittleEndian.AppendUint64(out, uint64(len(p)))
	}
	for _, p := range parts {
		out = append(out, p...)
	}
	return blocks.Seal(out)
}

// extents is where each section begins in the body, and the end of the last.
type extents [sectionCount + 1]int

func (e extents) of(body []byte, s section) []byte { return body[e[s]:e[s+1]:e[s+1]] }

// disassemble reads the header of a body that was checked up to there.
func disassemble(body []byte) (h header, at extents, err error) {
	if string(body[:len(magic)]) != magic {
		return h, at, fmt.Errorf("%w: not a segment of this version", ErrCorrupt)
	}
	field := func(i int) uint32 { return binary.LittleEndian.Uint32(body[len(magic)+4*i:]) }
	h = header{int(field(0)), field(1), field(2), field(3)}
	at[0] = headerSize
	for i := range sectionCount {
		length := binary.LittleEndian.Uint64(body[len(magic)+16+8*int(i):])
		if length > uint64(len(body)-at[i]) {
			return h, at, fmt.Errorf("%w: section %d lies outside the file", ErrCorrupt, i)
		}
		at[i+1] = at[i] + int(length)
	}
	if at[sectionCount] != len(body) {
		return h, at, fmt.Errorf("%w: %d bytes after the last section", ErrCorrupt, len(body)-at[sectionCount])
	}
	listed := at[ordinals+1] - at[ordinals]
	if at[columns+1]-at[columns] != h.chunks*columnSize || !h.dense() && listed != h.chunks*4 || h.dense() && listed != 0 {
		return h, at, fmt.Errorf("%w: columns do not fit %d chunks", ErrCorrupt, h.chunks)
	}
	return h, at, nil
}
