package lexical

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

// The version before had a checksum for each section, which made sense only of all
// of it:
//
//	magic, version                 8 bytes
//	chunks                         uint32
//	checksum of this header        uint32
//	section table                  7 × (offset, length uint64; CRC-32C uint32)
const (
	magic1      = "kenlex\x00\x01"
	entrySize1  = 8 + 8 + 4
	headerSize1 = len(magic1) + 4 + 4 + int(sectionCount)*entrySize1
	sumAt1      = len(magic1) + 4
)

// IsOld reports whether the bytes are a segment of the version before.
func IsOld(data []byte) bool { return len(data) >= len(magic1) && string(data[:len(magic1)]) == magic1 }

// Upgrade returns a segment of the version before in this one's format. All of its
// checksums are compared.
func Upgrade(data []byte) ([]byte, error) {
	if !IsOld(data) || len(data) < headerSize1 {
		return nil, fmt.Errorf("%w: not a segment of the version before", ErrCorrupt)
	}
	sum := crc32.Update(crc32.Checksum(data[:sumAt1], castagnoli), castagnoli, data[sumAt1+4:headerSize1])
	if sum != binary.LittleEndian.Uint32(data[sumAt1:]) {
		return nil, fmt.Errorf("%w: checksum of the header", ErrCorrupt)
	}
	var parts [sectionCount][]byte
	next := uint64(headerSize1)
	for i := range parts {
		entry := data[len(magic1)+8+i*entrySize1:]
		offset, length := binary.LittleEndian.Uint64(entry), binary.LittleEndian.Uint64(entry[8:])
		if offset != next || length > uint64(len(data))-offset {
			return nil, fmt.Errorf("%w: section %d lies outside the file", ErrCorrupt, i)
		}
		parts[i] = data[offset : offset+length]
		if crc32.Checksum(parts[i], castagnoli) != binary.LittleEndian.Uint32(entry[16:]) {
			return nil, fmt.Errorf("%w: checksum of section %d", ErrCorrupt, i)
		}
		next += length
	}
	if chunks := binary.LittleEndian.Uint32(data[len(magic1):]); uint64(len(parts[ordinals])) != 4*uint64(chunks) || next != uint64(len(data)) {
		return nil, fmt.Errorf("%w: %d bytes do not fit %d chunks", ErrCorrupt, len(data), chunks)
	}
	out := assemble(headerOf(parts[ordinals]), parts)
	_, err := Open(out)
	return out, err
}
