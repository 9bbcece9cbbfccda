package lexical

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// ErrCorrupt is wrapped by every error about bytes that are not a sound segment.
var ErrCorrupt = errors.New("corrupt lexical segment")

const (
	magic        = "kenlex\x00\x01" // the last byte is the version
	entrySize    = 8 + 8 + 4
	headerSize   = len(magic) + 4 + 4 + int(sectionCount)*entrySize
	checksumAt   = len(magic) + 4
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

// assemble joins the sections behind a header.
func assemble(chunks int, parts [sectionCount][]byte) []byte {
	size := headerSize
	for _, p := range parts {
		size += len(p)
	}
	out := make([]byte, 0, size)
	out = append(out, magic...)
	out = binary.LittleEndian.AppendUint32(out, uint32(chunks))
	out = binary.LittleEndian.AppendUint32(out, 0)
	at := uint64(headerSize)
	for _, p := range parts {
		out = binary.LittleEndian.AppendUint64(out, at)
		out = binary.LittleEndian.AppendUint64(out, uint64(len(p)))
		out = binary.LittleEndian.AppendUint32(out, crc32.Checksum(p, castagnoli))
		at += uint64(len(p))
	}
	binary.LittleEndian.PutUint32(out[checksumAt:], headerSum(out))
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

// headerSum covers the header but for the field that holds the sum.
func headerSum(data []byte) uint32 {
	sum := crc32.Checksum(data[:checksumAt], castagnoli)
	return crc32.Update(sum, castagnoli, data[checksumAt+4:headerSize])
}

// disassemble checks header and checksums and returns the sections as parts of data.
func disassemble(data []byte) (chunks int, parts [sectionCount][]byte, err error) {
	if len(data) < headerSize {
		return 0, parts, fmt.Errorf("%w: %d bytes are less than a header", ErrCorrupt, len(data))
	}
	if string(data[:len(magic)]) != magic {
		return 0, parts, fmt.Errorf("%w: not a segment of this version", ErrCorrupt)
	}
	if headerSum(data) != binary.LittleEndian.Uint32(data[checksumAt:]) {
		return 0, parts, fmt.Errorf("%w: checksum of the header", ErrCorrupt)
	}
	next := uint64(headerSize)
	for i := range parts {
		entry := data[len(magic)+8+i*entrySize:]
		offset, length := binary.LittleEndian.Uint64(entry), binary.LittleEndian.Uint64(entry[8:])
		if offset != next || length > uint64(len(data))-offset {
			return 0, parts, fmt.Errorf("%w: section %d lies outside the file", ErrCorrupt, i)
		}
		parts[i] = data[offset : offset+length : offset+length]
		if crc32.Checksum(parts[i], castagnoli) != binary.LittleEndian.Uint32(entry[16:]) {
			return 0, parts, fmt.Errorf("%w: checksum of section %d", ErrCorrupt, i)
		}
		next += length
	}
	if next != uint64(len(data)) {
		return 0, parts, fmt.Errorf("%w: %d bytes after the last section", ErrCorrupt, uint64(len(data))-next)
	}
	return int(binary.LittleEndian.Uint32(data[len(magic):])), parts, nil
}
