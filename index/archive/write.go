package archive

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"math"
	"unicode/utf8"

	"ken/corpora"
	"ken/embed"
	"ken/index"
)

// version is that of the format. A reader refuses what is newer.
const version = 1

type header struct {
	Ken     string `json:"ken"`
	Version int    `json:"version"`
	Model   model  `json:"model,omitzero"` // zero: without vectors
}

type model struct {
	Name string  `json:"name"`
	Hash string  `json:"hash"`
	Dim  int     `json:"dim"`
	Fuse float64 `json:"fuse"`
}

type record struct {
	Erased   string            `json:"erased,omitempty"`
	Document *corpora.Document `json:"document,omitempty"`
	Chunks   []chunk           `json:"chunks,omitempty"`

	// The last line.
	Documents *int   `json:"documents,omitempty"`
	Total     *int   `json:"chunks_total,omitempty"`
	SHA256    string `json:"sha256,omitempty"`
}

type chunk struct {
	Start   int      `json:"start"`
	End     int      `json:"end"`
	Text    string   `json:"text"`
	Heading []string `json:"heading,omitempty"`
	Context string   `json:"context,omitempty"`
	Tokens  int      `json:"tokens"`
	Vector  []byte   `json:"vector,omitempty"`
}

// Counts are how much an archive holds.
type Counts struct {
	Documents int `json:"documents"`
	Chunks    int `json:"chunks"`
	Erased    int `json:"erased"`
}

// Writer writes an archive. Close ends it; without its last line an archive is
// refused, so one that was cut off is noticed.
type Writer struct {
	out    io.Writer
	sum    hash.Hash
	model  embed.Model
	counts Counts
}

// NewWriter begins an archive of entries with vectors of the model; the zero model
// is an archive without vectors.
func NewWriter(w io.Writer, m embed.Model) (*Writer, error) {
	sum := sha256.New()
	out := &Writer{out: io.MultiWriter(w, sum), sum: sum, model: m}
	return out, out.line(header{Ken: "export", Version: version, Model: model(m)})
}

func (w *Writer) line(v any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("write archive: %w", err)
	}
	if _, err := w.out.Write(b.Bytes()); err != nil {
		return fmt.Errorf("write archive: %w", err)
	}
	return nil
}

// Erased writes the hash of an id that may not come back.
func (w *Writer) Erased(hash string) error {
	w.counts.Erased++
	return w.line(record{Erased: hash})
}

// Entry writes a document.
func (w *Writer) Entry(e index.Entry) error {
	r := record{Document: &e.Document}
	for i, c := range e.Chunks {
		if !utf8.ValidString(c.Text) {
			return fmt.Errorf("write archive: %q: its text is not UTF-8", e.Document.ID)
		}
		out := chunk{Start: c.Span.Start, End: c.Span.End, Text: c.Text, Heading: c.Heading, Context: c.Context, Tokens: c.Tokens}
		if w.model.Dim > 0 {
			out.Vector = packVector(e.Vectors[i])
		}
		r.Chunks = append(r.Chunks, out)
	}
	w.counts.Documents++
	w.counts.Chunks += len(r.Chunks)
	return w.line(r)
}

// Close writes the last line. It does not close what the archive is written to.
func (w *Writer) Close() (Counts, error) {
	sum := hex.EncodeToString(w.sum.Sum(nil))
	return w.counts, w.line(record{Documents: &w.counts.Documents, Total: &w.counts.Chunks, SHA256: sum})
}

func packVector(v embed.Vector) []byte {
	b := make([]byte, 0, 4*len(v))
	for _, x := range v {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	return b
}

func unpackVector(b []byte, dim int) (embed.Vector, error) {
	if len(b) != 4*dim {
		return nil, fmt.Errorf("a vector of %d bytes, want %d", len(b), 4*dim)
	}
	v := make(embed.Vector, dim)
	for i := range v {
		v[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return v, nil
}

// ErrMalformed is wrapped by errors about what an archive holds.
var ErrMalformed = errors.New("malformed archive")
