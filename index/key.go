package index

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"

	"ken/corpora"
)

// ContentKey returns the key that breaks ties for the chunk: the first 16 bytes
// of SHA-256 over the document's id, the chunk's place and its text.
func ContentKey(id corpora.DocID, n int, text string) Key {
	h := sha256.New()
	h.Write(binary.AppendUvarint(nil, uint64(len(id))))
	h.Write([]byte(id))
	h.Write(binary.AppendUvarint(nil, uint64(n)))
	h.Write([]byte(text))
	return Key(h.Sum(nil)[:16])
}

// Compare orders hits as every search returns them: by score, highest first,
// then by key. It is a total order over distinct chunks.
func Compare(a, b Hit) int {
	if c := cmp.Compare(b.Score, a.Score); c != 0 {
		return c
	}
	return bytes.Compare(a.Key[:], b.Key[:])
}
