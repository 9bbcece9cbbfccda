package lexical

import (
	"encoding/binary"
	"fmt"
	"sort"
	"time"

	"github.com/blevesearch/vellum"
)

// Segment reads a segment. It may be used by several goroutines. It refers to
// the bytes it was opened on, which must stay as they are.
type Segment struct {
	chunks   int
	names    []string
	ordinals []byte
	columns  []byte
	terms    index
	keywords index
}

// index is a dictionary as it is read.
type index struct {
	fst   *vellum.FST
	lists []byte
}

// Open reads a segment. Damage is an error that wraps [ErrCorrupt].
func Open(data []byte) (*Segment, error) {
	chunks, parts, err := disassemble(data)
	if err != nil {
		return nil, err
	}
	if len(parts[ordinals]) != chunks*4 || len(parts[columns]) != chunks*columnSize {
		return nil, fmt.Errorf("%w: columns do not fit %d chunks", ErrCorrupt, chunks)
	}
	s := &Segment{chunks: chunks, ordinals: parts[ordinals], columns: parts[columns]}
	if s.names, err = readNames(parts[languages]); err != nil {
		return nil, err
	}
	if err := s.checkColumns(); err != nil {
		return nil, err
	}
	if s.terms, err = openIndex(parts[terms], parts[postings]); err != nil {
		return nil, err
	}
	if s.keywords, err = openIndex(parts[keywords], parts[matches]); err != nil {
		return nil, err
	}
	return s, nil
}

// notPanic turns a panic into an error: vellum trusts the bytes that it walks, and
// bytes may be damaged in ways that no checksum tells.
func notPanic(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("%v", r)
	}
}

func (in index) get(key string) (offset uint64, ok bool, err error) {
	defer notPanic(&err)
	return in.fst.Get([]byte(key))
}

func (in index) iterator(first, end []byte) (it *vellum.FSTIterator, err error) {
	defer notPanic(&err)
	return in.fst.Iterator(first, end)
}

func loadDictionary(fst []byte) (f *vellum.FST, err error) {
	defer notPanic(&err)
	return vellum.Load(fst)
}

func openIndex(fst, lists []byte) (index, error) {
	f, err := loadDictionary(fst)
	if err != nil {
		return index{}, fmt.Errorf("%w: dictionary: %w", ErrCorrupt, err)
	}
	return index{f, lists}, nil
}

func readNames(b []byte) ([]string, error) {
	var names []string
	for len(b) > 0 {
		n, size := binary.Uvarint(b)
		if size <= 0 || n > uint64(len(b)-size) {
			return nil, fmt.Errorf("%w: names of languages", ErrCorrupt)
		}
		names = append(names, string(b[size:size+int(n)]))
		b = b[size+int(n):]
	}
	return names, nil
}

func (s *Segment) checkColumns() error {
	for i := range s.chunks {
		if i > 0 && s.Ordinal(i) <= s.Ordinal(i-1) {
			return fmt.Errorf("%w: ordinals do not ascend", ErrCorrupt)
		}
		if int(binary.LittleEndian.Uint16(s.column(i))) >= len(s.names) {
			return fmt.Errorf("%w: chunk %d has an unknown language", ErrCorrupt, i)
		}
	}
	return nil
}

// Len returns the number of chunks.
func (s *Segment) Len() int { return s.chunks }

// Ordinal returns the ordinal of chunk i.
func (s *Segment) Ordinal(i int) uint32 { return binary.LittleEndian.Uint32(s.ordinals[i*4:]) }

// Find returns the number of the chunk with the ordinal.
func (s *Segment) Find(ordinal uint32) (i int, ok bool) {
	i = sort.Search(s.chunks, func(i int) bool { return s.Ordinal(i) >= ordinal })
	return i, i < s.chunks && s.Ordinal(i) == ordinal
}

func (s *Segment) column(i int) []byte { return s.columns[i*columnSize : (i+1)*columnSize] }

// Language returns the language of chunk i.
func (s *Segment) Language(i int) string {
	return s.names[binary.LittleEndian.Uint16(s.column(i))]
}

// Lengths returns the numbers of terms in the title and in the body of chunk i.
func (s *Segment) Lengths(i int) (title, body uint32) {
	c := s.column(i)
	return binary.LittleEndian.Uint32(c[2:]), binary.LittleEndian.Uint32(c[6:])
}

// Key returns the key of chunk i.
func (s *Segment) Key(i int) [16]byte { return [16]byte(s.column(i)[10:26]) }

// Modified returns when chunk i changed, in UTC; zero if unknown.
func (s *Segment) Modified(i int) time.Time {
	c := s.column(i)
	return joinTime(int64(binary.LittleEndian.Uint64(c[26:])), binary.LittleEndian.Uint32(c[34:]))
}

func (s *Segment) row(i int) row {
	title, body := s.Lengths(i)
	r := row{ordinal: s.Ordinal(i), language: s.Language(i), title: title, body: body, key: s.Key(i)}
	r.seconds, r.nanos = splitTime(s.Modified(i))
	return r
}
