package embedded

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
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
//	a class           seal, acl.List, JSON
//	d document-id     seal, documentHead, then corpora.Document without id and ACL
//	c ordinal         chunkRecord
//	g number id       seal, place of the document's chunks in that generation; see headIn
//	e SHA-256 of id   nothing: the id was erased
//	h, H              the past of lists, see history.go
//	k, j              what an open needs of all documents, see checkpoint.go
//	v                 earlier versions, see versions.go
//	p                 versions that are pinned, see pins.go
//
// A list stands in the record of its class and nowhere else. A seal is a CRC-32C
// of the key and what follows: a record that names another class by damage, or
// stands under another key, is an error and not a permission. The FORMAT file
// versions them all; see formatVersion.
const (
	metaPrefix     = 'm'
	metaKey        = string(rune(metaPrefix))
	classPrefix    = 'a'
	documentPrefix = 'd'
	chunkPrefix    = 'c'
	headPrefix     = 'g'
	erasedPrefix   = 'e'
)

// Two kinds of record under one letter do not compile.
var _ = map[byte]struct{}{
	metaPrefix: {}, classPrefix: {}, documentPrefix: {}, chunkPrefix: {}, headPrefix: {}, erasedPrefix: {},
	historyPrefix: {}, beginPrefix: {}, checkpointPrefix: {}, journalPrefix: {}, versionPrefix: {}, pinPrefix: {},
}

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
	Revision    uint64 `json:"revision"`
	NextOrdinal uint32 `json:"next_ordinal"`
	NextClass   uint32 `json:"next_class"`
	NextFile    uint64 `json:"next_file"`
	// Records is the sum over the seals of all documents and classes; see tally.
	Records uint64 `json:"records"`

	generationRecord                    // the active one
	Others           []generationRecord `json:"others,omitempty"` // kept beside it
	NextGeneration   uint32             `json:"next_generation,omitempty"`
	Previous         *uint32            `json:"previous,omitempty"` // what a rollback goes back to
}

// generationRecord is what a generation has of its own.
type generationRecord struct {
	ID       uint32          `json:"generation,omitempty"`
	Model    embed.Model     `json:"model"`
	Segments []segmentRecord `json:"segments"`
	Percent  int             `json:"percent,omitempty"` // of the users who are served from it, if it is not active
	Settings json.RawMessage `json:"settings,omitempty"`
	Note     json.RawMessage `json:"note,omitempty"`
	Created  time.Time       `json:"created,omitzero"`
}

// segmentRecord names the files of a segment and what must be in them.
type segmentRecord struct {
	Lexical uint64 `json:"lexical"`
	Vector  uint64 `json:"vector,omitempty"` // 0: no vectors, the store has no model
	First   uint32 `json:"first"`            // ordinals
	Last    uint32 `json:"last"`
	Chunks  int    `json:"chunks"`
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

const sealSize = 4

// seal puts the checksum of key and record into the first bytes of the record.
func seal(key, record []byte) []byte {
	binary.LittleEndian.PutUint32(record, sum(key, record[sealSize:]))
	return record
}

// sealOf returns the checksum of a sealed record.
func sealOf(record []byte) uint32 { return binary.LittleEndian.Uint32(record) }

// tally is what a record adds to metaRecord.Records. The sum does not depend on
// an order, so a write changes it by what it changes; at the next start it shows
// a record that is missing, or came back as it was before.
func tally(seal uint32) uint64 {
	x := uint64(seal) + 0x9e3779b97f4a7c15 // the finalizer of splitmix64
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// unseal checks the record and returns what follows the checksum.
func unseal(key, record []byte) ([]byte, error) {
	if len(record) < sealSize || binary.LittleEndian.Uint32(record) != sum(key, record[sealSize:]) {
		return nil, fmt.Errorf("%w: checksum of %q", errTruth, key)
	}
	return record[sealSize:], nil
}

func sum(key, rest []byte) uint32 {
	return crc32.Update(crc32.Checksum(key, castagnoli), castagnoli, rest)
}

func encodeClass(id uint32, l acl.List) ([]byte, error) {
	text, err := json.Marshal(l)
	if err != nil {
		return nil, fmt.Errorf("encode ACL: %w", err)
	}
	return seal(classKey(id), append(make([]byte, sealSize), text...)), nil
}

func decodeClass(key, record []byte) (l acl.List, err error) {
	text, err := unseal(key, record)
	if err != nil {
		return l, err
	}
	if err := json.Unmarshal(text, &l); err != nil {
		return l, fmt.Errorf("%w: ACL class: %w", errTruth, err)
	}
	return l, nil
}

// documentHead is what opening a store and the gate need of a document.
type documentHead struct {
	class    uint32
	first    uint32 // ordinal of its first chunk; the others follow; noHead if it has none
	chunks   uint32
	title    uint64 // terms in the titles of all chunks
	body     uint64
	language string
	seal     uint32 // of the record that it was read from; not part of it
}

func encodeDocument(h documentHead, d corpora.Document) ([]byte, error) {
	if y := d.Modified.Year(); y < 0 || y > 9999 {
		return nil, fmt.Errorf("encode document %q: it was modified in the year %d, want 0 to 9999", d.ID, y)
	}
	b := make([]byte, sealSize, 256)
	b = binary.AppendUvarint(b, uint64(h.class))
	b = binary.AppendUvarint(b, uint64(h.first))
	b = binary.AppendUvarint(b, uint64(h.chunks))
	b = binary.AppendUvarint(b, h.title)
	b = binary.AppendUvarint(b, h.body)
	b = appendMetadata(appendString(b, h.language), d)
	return seal(documentKey(d.ID), b), nil
}

// appendMetadata appends the document without its id and its ACL.
func appendMetadata(b []byte, d corpora.Document) []byte {
	for _, s := range documentFields(&d) {
		b = appendString(b, *s)
	}
	b = appendString(b, string(d.Status))
	b = appendString(b, string(d.SupersededBy))
	b = binary.AppendVarint(b, d.Modified.Unix())
	b = binary.AppendUvarint(b, uint64(d.Modified.Nanosecond()))
	if d.Tags != nil { // none and an empty list are two things in JSON
		b = binary.AppendUvarint(b, uint64(len(d.Tags))+1)
		for _, t := range d.Tags {
			b = appendString(b, t)
		}
	} else {
		b = append(b, 0)
	}
	return b
}

// documentFields returns the fields that are stored as they are, in their order.
func documentFields(d *corpora.Document) []*string {
	return []*string{&d.Source, &d.Path, &d.URL, &d.Title, &d.MediaType, &d.Language, &d.Class, &d.Stamp, &d.Version}
}

// decodeHead returns the head and the metadata that follows it.
func decodeHead(key, record []byte) (documentHead, []byte, error) {
	b, err := unseal(key, record)
	if err != nil {
		return documentHead{}, nil, err
	}
	r := recordReader{rest: b}
	h := documentHead{class: r.uint32(), first: r.uint32(), chunks: r.uint32(), title: r.uvarint(), body: r.uvarint(), language: r.string()}
	h.seal = sealOf(record)
	return h, r.rest, r.err
}

// decodeMetadata reads what follows the head. The document has no ACL: see class.
func decodeMetadata(id corpora.DocID, b []byte) (corpora.Document, error) {
	d := corpora.Document{ID: id}
	r := recordReader{rest: b}
	for _, s := range documentFields(&d) {
		*s = r.string()
	}
	d.Status, d.SupersededBy = corpora.Status(r.string()), corpora.DocID(r.string())
	d.Modified = time.Unix(r.varint(), int64(r.uint32())).UTC()
	if n := r.uvarint(); n > 0 {
		d.Tags = []string{}
		for ; n > 1 && r.err == nil; n-- {
			d.Tags = append(d.Tags, r.string())
		}
	}
	if r.err == nil && len(r.rest) > 0 {
		r.err = fmt.Errorf("%w: %d bytes after a document", errTruth, len(r.rest))
	}
	return d, r.err
}

// decodeDocument returns the head and the document without its ACL.
func decodeDocument(key, record []byte) (documentHead, corpora.Document, error) {
	h, rest, err := decodeHead(key, record)
	if err != nil {
		return h, corpora.Document{}, err
	}
	d, err := decodeMetadata(corpora.DocID(key[1:]), rest)
	return h, d, err
}

// appendChunk keeps texts as bytes: what was extracted need not be valid UTF-8.
func appendChunk(b []byte, c index.Chunk) []byte {
	b = appendString(b, string(c.Doc))
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

func (r *recordReader) varint() int64 {
	v, n := binary.Varint(r.rest)
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
