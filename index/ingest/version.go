package ingest

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"time"

	"ken/corpora"
)

// Version returns the first 16 bytes, in hex, of SHA-256 over the document's text
// and the metadata that readers see. It changes exactly when one of them does, so
// that a citation can name what was quoted; permissions are not part of it.
func Version(d corpora.Document, text string) string {
	h := sha256.New()
	field := func(s string) {
		h.Write(binary.AppendUvarint(nil, uint64(len(s))))
		h.Write([]byte(s))
	}
	for _, s := range []string{
		string(d.ID), d.Source, d.Path, d.URL, d.Title, d.MediaType, d.Language, d.Class,
		string(d.Status), string(d.SupersededBy), stamp(d.Modified), text,
	} {
		field(s)
	}
	for _, tag := range d.Tags {
		field(tag)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}
