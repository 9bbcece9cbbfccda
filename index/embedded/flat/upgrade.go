package flat

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"ken/index/embedded/blocks"
)

// The version before began with
//
//	magic, version                 8 bytes
//	dimension, rows, hash length   3 × uint32
//	CRC-32C of the body            uint32
//	CRC-32C of this header         uint32
//
// and had the ordinals, rows × uint32, behind the model hash.
const (
	magic2      = "kenvec\x00\x02"
	headerSize2 = len(magic2) + 5*4
)

// IsOld reports whether the bytes are a file of the version before.
func IsOld(data []byte) bool { return len(data) >= len(magic2) && string(data[:len(magic2)]) == magic2 }

// Upgrade returns a file of the version before in this one's format. Its checksums
// are compared.
func Upgrade(data []byte) ([]byte, error) {
	if !IsOld(data) || len(data) < headerSize2 {
		return nil, fmt.Errorf("%w: not a file of the version before", ErrCorrupt)
	}
	field := func(i int) uint32 { return binary.LittleEndian.Uint32(data[len(magic2)+4*i:]) }
	if crc32.Checksum(data[:headerSize2-4], castagnoli) != field(4) || crc32.Checksum(data[headerSize2:], castagnoli) != field(3) {
		return nil, fmt.Errorf("%w: checksum", ErrCorrupt)
	}
	dim, rows, hash := uint64(field(0)), uint64(field(1)), uint64(field(2))
	if size := uint64(len(data)); dim < 1 || dim > maxDim || hash > size || rows > size {
		return nil, fmt.Errorf("%w: %d rows of %d dimensions in %d bytes", ErrCorrupt, rows, dim, size)
	}
	// Behind the ordinals the parts are those of this version.
	begin := align(headerSize2 + int(hash) + int(rows)*4)
	l := layoutOf(int(hash), int(rows), int(dim))
	if begin+l.end-l.scales != len(data) {
		return nil, fmt.Errorf("%w: %d rows of %d dimensions in %d bytes", ErrCorrupt, rows, dim, len(data))
	}
	name := string(data[headerSize2:][:hash])
	ordinals := make([]uint32, rows)
	for i := range ordinals {
		ordinals[i] = binary.LittleEndian.Uint32(data[headerSize2+int(hash)+4*i:])
	}
	sum, err := sumOf(ordinals)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	out := appendHeader(make([]byte, 0, blocks.SealedSize(l.end)), name, uint32(dim), uint32(rows), uint32(hash), sum)
	out = append(out, make([]byte, l.scales-len(out))...)
	return blocks.Seal(append(out, data[begin:]...)), nil
}
