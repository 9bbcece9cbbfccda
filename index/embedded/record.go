package embedded

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/embed"
	"ken/index"
	"ken/index/analyze"
)

// The keys of the truth. Numbers are big endian, so that byte order is their order.
//
//	m                 metaRecord, JSON
//	a class           acl.List, JSON
//	d document-id     documentHead, then corpora.Document, JSON
//	c ordinal         chunkRecord
//
// The FORMAT file versions them all; see formatVersion.
const (
	metaKey        = "m"
	classPrefix    = 'a'
	documentPrefix = 'd'
	chunkPrefix    = 'c'
)

func classKey(id uint32) []byte { return binary.BigEndian.AppendUint32([]byte{classPrefix}, id) }
func chunkKey(ordinal uint32) []byte {
	return binary.BigEndian.AppendUint32([]byte{chunkPrefix}, ordinal)
}
func documentKey(id corpora.DocID) []byte {
	return append([]byte{documentPrefix}, id...)
}

// errTruth is wrapped by errors about records that do not decode.
var errTruth = errors.New("damaged record in the truth store")

// metaRecord is the state of the store apart from its documents.
type metaRecord struct {
	Revision    uint64          `json:"revision"`
	Model       embed.Model     `json:"model"`
	NextOrdinal uint32          `json:"next_ordinal"`
	NextClass   uint32          `json:"next_class"`
	NextFile    uint64          `json:"next_file"`
	Segments    []segmentRecord `json:"segments"`
}

// segmentRecord names the files of a segment and what must be in them.
type segmentRecord struct {
	Lexical uint64 `json:"lexical"`
	Vector  uint64 `json:"vector,omitempty"` // 0: no vectors, the store has no model
	First   uint32 `json:"first"`            // ordinals
	Last    uint32 `json:"last"`
	Chunks  int    `json:"chunks"`
}

// documentHead is what opening a store needs of a document, without its JSON.
type documentHead struct {
	class    uint32
	first    uint32 // ordinal of its first chunk; the others follow
	chunks   uint32
	title    uint64 // terms in the titles of all chunks
	body     uint64
	language string
}

func encodeDocument(h documentHead, d corpora.Document) ([]byte, error) {
	text, err := json.Marshal(d)
	if err != nil {
		return nil, fmt.Errorf("encode document %q: %w", d.ID, err)
	}
	b := binary.AppendUvarint(nil, uint64(h.class))
	b = binary.AppendUvarint(b, uint64(h.first))
	b = binary.AppendUvarint(b, uint64(h.chunks))
	b = binary.AppendUvarint(b, h.title)
	b = binary.AppendUvarint(b, h.body)
	b = appendString(b, h.language)
	return append(b, text...), nil
}

// decodeHead returns the head and the JSON that follows it.
func decodeHead(b []byte) (documentHead, []byte, error) {
	r := recordReader{rest: b}
	h := documentHead{class: r.uint32(), first: r.uint32(), chunks: r.uint32(), title: r.uvarint(), body: r.uvarint(), language: r.string()}
	return h, r.rest, r.err
}

func decodeDocument(b []byte) (documentHead, corpora.Document, error) {
	h, text, err := decodeHead(b)
	if err != nil {
		return h, corpora.Document{}, err
	}
	var d corpora.Document
	if err := json.Unmarshal(text, &d); err != nil {
		return h, corpora.Document{}, fmt.Errorf("%w: document: %w", errTruth, err)
	}
	return h, d, nil
}

// encodeChunk keeps texts as bytes: what was extracted need not be valid UTF-8.
func encodeChunk(c index.Chunk) []byte {
	b := appendString(nil, string(c.Doc))
	for _, n := range []int{c.N, c.Span.Start, c.Span.End, c.Tokens, len(c.Heading)} {
		b = binary.AppendUvarint(b, uint64(n))
	}
	for _, h := range c.Heading {
		b = appendString(b, h)
	}
	b = appendString(b, c.Context)
	return appendString(b, c.Text)
}

func decodeChunk(b []byte) (index.Chunk, error) {
	r := recordReader{rest: b}
	c := index.Chunk{Doc: corpora.DocID(r.string()), N: r.int()}
	c.Span = index.Span{Start: r.int(), End: r.int()}
	c.Tokens = r.int()
	for n := r.int(); n > 0 && r.err == nil; n-- {
		c.Heading = append(c.Heading, r.string())
	}
	c.Context = r.string()
	c.Text = r.string()
	return c, r.err
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// recordReader reads varints and strings; after an error it reads zeros.
type recordReader struct {
	rest []byte
	err  error
}

func (r *recordReader) uvarint() uint64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 {
		r.rest, r.err = nil, fmt.Errorf("%w: it ends too early", errTruth)
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

func (r *recordReader) uint32() uint32 { return uint32(r.uvarint()) }
func (r *recordReader) int() int       { return int(r.uvarint()) }

func (r *recordReader) string() string {
	n := r.uvarint()
	if n > uint64(len(r.rest)) {
		r.rest, r.err = nil, fmt.Errorf("%w: it ends too early", errTruth)
		return ""
	}
	s := string(r.rest[:n])
	r.rest = r.rest[n:]
	return s
}

// languageOf returns the language that the document's terms are stored under.
func languageOf(d corpora.Document) string {
	if d.Language == "" {
		return analyze.Und
	}
	return d.Language
}

// normalize gives the document the form in which it is read back.
func normalize(d corpora.Document) corpora.Document {
	if d.Modified.IsZero() {
		d.Modified = time.Time{}
	} else {
		d.Modified = d.Modified.Round(0).UTC()
	}
	return d
}

// visible returns the document as readers see it.
func visible(d corpora.Document) corpora.Document {
	d.ACL, d.Stamp = acl.List{}, ""
	return d
}

// after returns the smallest key that is greater than every key with the prefix.
func after(prefix []byte) []byte {
	end := bytes.Clone(prefix)
	for i := len(end) - 1; i >= 0; i-- {
		end[i]++
		if end[i] != 0 {
			return end[:i+1]
		}
	}
	return nil
}
