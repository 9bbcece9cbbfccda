package lexical

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"iter"
	"sort"
	"sync"
	"time"

	"github.com/blevesearch/vellum"

	"ken/index/embedded/blocks"
)

// Segment reads a segment. It may be used by several goroutines. It refers to
// the bytes it was opened on, which must stay as they are.
//
// What [Open] does not read is checked when it is used: lists of postings by
// reading them, columns by [Segment.CheckRows] and its like, which must come before
// the methods that tell of single chunks.
type Segment struct {
	header
	file     *blocks.File
	at       extents
	names    []string
	ordinals []byte // none if dense
	columns  []byte
	terms    index
	keywords index
}

// index is a dictionary as it is read. It is checked and loaded when it is first needed.
type index struct {
	file  *blocks.File
	from  int // of the FST in the file
	fst   []byte
	lists []byte // the section that it points into
	begin int    // of lists in the file

	load   sync.Once
	loaded *vellum.FST
	err    error
}

// Open reads the header of a segment. Damage is an error that wraps [ErrCorrupt],
// here or where the damaged bytes are used.
func Open(data []byte) (*Segment, error) { return OpenMapped(data, nil) }

// OpenMapped is [Open] of bytes that may have to be read from a disk when they are
// used: fetch is told which those will be soon, see [blocks.Open].
func OpenMapped(data []byte, fetch func(from, to int)) (*Segment, error) {
	file, err := blocks.Open(data, fetch)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	s := &Segment{file: file}
	body := file.Body()
	if len(body) < headerSize {
		return nil, fmt.Errorf("%w: %d bytes are less than a header", ErrCorrupt, len(body))
	}
	if err := s.check(0, headerSize); err != nil {
		return nil, err
	}
	if s.header, s.at, err = disassemble(body); err != nil {
		return nil, err
	}
	if err := s.check(s.at[languages], s.at[columns]); err != nil {
		return nil, err
	}
	if s.names, err = readNames(s.at.of(body, languages)); err != nil {
		return nil, err
	}
	s.ordinals, s.columns = s.at.of(body, ordinals), s.at.of(body, columns)
	if err := s.checkOrdinals(); err != nil {
		return nil, err
	}
	s.openIndex(&s.terms, terms, postings)
	s.openIndex(&s.keywords, keywords, matches)
	return s, nil
}

func (s *Segment) openIndex(in *index, dictionary, lists section) {
	in.file, in.from, in.begin = s.file, s.at[dictionary], s.at[lists]
	in.fst, in.lists = s.at.of(s.file.Body(), dictionary), s.at.of(s.file.Body(), lists)
}

// check checks bytes of the file.
func (s *Segment) check(from, to int) error {
	if err := s.file.Check(from, to); err != nil {
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return nil
}

// Fetch asks for what nearly every search reads: dictionaries and columns.
func (s *Segment) Fetch() {
	s.file.Fetch(s.at[terms], s.at[postings])
	s.file.Fetch(s.at[columns], s.at[terms])
	s.file.Fetch(s.at[keywords], s.at[matches])
}

// Whole reports whether everything was checked.
func (s *Segment) Whole() bool { return s.file.Whole() }

// CheckAll checks everything; see [blocks.File.CheckAll].
func (s *Segment) CheckAll(ctx context.Context, pause func(context.Context)) error {
	err := s.file.CheckAll(ctx, pause)
	if errors.Is(err, blocks.ErrDamaged) {
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return err
}

// CheckRows checks the columns of the chunks.
func (s *Segment) CheckRows(rows iter.Seq[uint32]) error {
	if s.file.Whole() {
		return nil
	}
	if err := s.file.CheckRows(s.at[columns], columnSize, rows); err != nil {
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return nil
}

// FetchRows asks for the columns of the chunks.
func (s *Segment) FetchRows(rows iter.Seq[uint32]) { s.file.FetchRows(s.at[columns], columnSize, rows) }

// CheckSet checks the columns of the chunks whose bit is set.
func (s *Segment) CheckSet(rows []uint64) error {
	if err := s.file.CheckSet(s.at[columns], columnSize, rows, 0, len(rows)); err != nil {
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return nil
}

// notPanic turns a panic into an error: vellum trusts the bytes that it walks, and
// bytes may be damaged in ways that no checksum tells.
func notPanic(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("%v", r)
	}
}

func (in *index) dictionary() (*vellum.FST, error) {
	in.load.Do(func() {
		if in.err = in.file.Check(in.from, in.from+len(in.fst)); in.err == nil {
			in.loaded, in.err = loadDictionary(in.fst)
		}
	})
	return in.loaded, in.err
}

func (in *index) get(key string) (offset uint64, ok bool, err error) {
	fst, err := in.dictionary()
	if err != nil {
		return 0, false, err
	}
	defer notPanic(&err)
	return fst.Get([]byte(key))
}

func (in *index) iterator(first, end []byte) (it *vellum.FSTIterator, err error) {
	fst, err := in.dictionary()
	if err != nil {
		return nil, err
	}
	defer notPanic(&err)
	return fst.Iterator(first, end)
}

func loadDictionary(fst []byte) (f *vellum.FST, err error) {
	defer notPanic(&err)
	return vellum.Load(fst)
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

// checkOrdinals reads them where some are missing, so that those that are not there
// can be told.
func (s *Segment) checkOrdinals() error {
	if s.dense() || s.chunks == 0 {
		return nil
	}
	if crc32.Checksum(s.ordinals, castagnoli) != s.sum || s.Ordinal(0) != s.first || s.Ordinal(s.chunks-1) != s.last {
		return fmt.Errorf("%w: not the ordinals that the header says", ErrCorrupt)
	}
	for i := 1; i < s.chunks; i++ {
		if s.Ordinal(i) <= s.Ordinal(i-1) {
			return fmt.Errorf("%w: ordinals do not ascend", ErrCorrupt)
		}
	}
	return nil
}

// Len returns the number of chunks.
func (s *Segment) Len() int { return s.chunks }

// OrdinalsSum returns the CRC-32C of all ordinals, little endian, one after the other.
func (s *Segment) OrdinalsSum() uint32 { return s.sum }

// Ordinal returns the ordinal of chunk i.
func (s *Segment) Ordinal(i int) uint32 {
	if len(s.ordinals) == 0 {
		return s.first + uint32(i)
	}
	return binary.LittleEndian.Uint32(s.ordinals[i*4:])
}

// Find returns the number of the chunk with the ordinal.
func (s *Segment) Find(ordinal uint32) (i int, ok bool) {
	if len(s.ordinals) == 0 {
		return int(ordinal - s.first), ordinal >= s.first && ordinal <= s.last && s.chunks > 0
	}
	i = sort.Search(s.chunks, func(i int) bool { return s.Ordinal(i) >= ordinal })
	return i, i < s.chunks && s.Ordinal(i) == ordinal
}

func (s *Segment) column(i int) []byte { return s.columns[i*columnSize : (i+1)*columnSize] }

// Language returns the language of chunk i, "" if the segment does not say it.
func (s *Segment) Language(i int) string {
	if n := int(binary.LittleEndian.Uint16(s.column(i))); n < len(s.names) {
		return s.names[n]
	}
	return ""
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
