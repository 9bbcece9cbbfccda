package lexical

import (
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/blevesearch/vellum"

	"ken/index/embedded/blocks"
)

// Posting says how often a term stands in the fields of a chunk.
type Posting struct {
	Chunk uint32 // number of the chunk in its segment
	Title uint32
	Body  uint32
}

// Postings reads a list, in ascending order of the chunks:
//
//	for p.Next() { use(p.Posting) }
//	if p.Err() != nil { … }
type Postings struct {
	Posting
	rest  []byte // that was checked
	file  *blocks.File
	next  int // where in the file rest ends and the section goes on
	end   int // of the section
	left  uint64
	limit uint32 // chunks in the segment
	bare  bool   // chunks only, no frequencies
	begun bool
	err   error
}

// Term returns the postings of a stem of a language; an unknown one has none.
func (s *Segment) Term(language, stem string) Postings {
	return s.list(&s.terms, string(appendTermKey(nil, TermKey{language, stem})), false)
}

// Expect asks for the postings of a stem before [Segment.Term] reads them: first for
// where they begin and then, when that is there, for the rest.
func (s *Segment) Expect(language, stem string, rest bool) {
	if s.file.Whole() {
		return
	}
	offset, ok, err := s.terms.get(string(appendTermKey(nil, TermKey{language, stem})))
	if err != nil || !ok || offset > uint64(len(s.terms.lists)) {
		return // Term says what is wrong
	}
	at := s.terms.begin + int(offset)
	if !rest {
		s.file.Fetch(at, min(at+blocks.Size, s.at[postings+1]))
		return
	}
	p := s.listAt(&s.terms, offset, false)
	s.file.Fetch(at, min(at+p.likely(), s.at[postings+1]))
}

// likely is how many bytes the postings that are left take, or a few more. No more than
// one in 128 chunks is so far from the one before that the gap takes two bytes.
func (p *Postings) likely() int {
	return int(2*p.left+min(p.left, uint64(p.limit)/128)+p.left/8) + longest
}

// Keyword returns the chunks that match an exact term, frequencies 0.
func (s *Segment) Keyword(term string) Postings {
	return s.list(&s.keywords, term, true)
}

func (s *Segment) list(in *index, key string, bare bool) Postings {
	offset, ok, err := in.get(key)
	if err != nil {
		return Postings{err: fmt.Errorf("%w: dictionary: %w", ErrCorrupt, err)}
	}
	if !ok {
		return Postings{}
	}
	return s.listAt(in, offset, bare)
}

func (s *Segment) listAt(in *index, offset uint64, bare bool) Postings {
	if offset > uint64(len(in.lists)) {
		return Postings{err: fmt.Errorf("%w: a list lies outside its section", ErrCorrupt)}
	}
	p := Postings{rest: in.lists[offset:], limit: uint32(s.chunks), bare: bare}
	if in.file != nil && !in.file.Whole() {
		at := in.begin + int(offset)
		p.file, p.rest, p.next, p.end = in.file, nil, at, in.begin+len(in.lists)
		p.refill()
	}
	p.left = p.uvarint()
	if p.left > uint64(s.chunks) {
		p.fail()
	}
	return p
}

// longest is more bytes than a posting takes.
const longest = 32

// ahead is how many bytes are checked together at most.
const ahead = 256 << 10

// refill checks more of the section, so that rest holds a posting or ends with the
// section.
func (p *Postings) refill() {
	for len(p.rest) < longest && p.next < p.end && p.err == nil {
		to := min(max(p.next/blocks.Size*blocks.Size+blocks.Size, p.next+min(p.likely(), ahead)), p.end)
		p.file.Fetch(p.next, to)
		if err := p.file.Check(p.next, to); err != nil {
			p.rest, p.left, p.err = nil, 0, fmt.Errorf("%w: %w", ErrCorrupt, err)
			return
		}
		p.rest, p.next = p.file.Body()[p.next-len(p.rest):to:to], to
	}
}

// Err returns what stopped the list before its end, an error that wraps [ErrCorrupt].
func (p *Postings) Err() error { return p.err }

// Next reads the next posting and reports whether there was one.
func (p *Postings) Next() bool {
	if p.left == 0 || p.err != nil {
		return false
	}
	if len(p.rest) < longest && p.next < p.end {
		if p.refill(); p.err != nil {
			return false
		}
	}
	p.left--
	delta := p.uvarint()
	next := uint64(p.Chunk) + delta
	if p.begun && delta == 0 || delta >= uint64(p.limit) || next >= uint64(p.limit) {
		p.fail()
		return false
	}
	p.begun = true
	p.Posting = Posting{Chunk: uint32(next)}
	if !p.bare {
		frequency := p.uvarint()
		p.Body = uint32(frequency >> 1)
		if frequency&1 != 0 {
			p.Title = uint32(p.uvarint())
		}
	}
	return p.err == nil
}

// Within appends to out the postings whose chunk is set in rows, which has a bit per
// chunk of the segment. It reads the list to its end.
func (p *Postings) Within(rows []uint64, out []Posting) ([]Posting, error) {
	for n := -1; n < len(out); {
		n = len(out)
		out = p.Some(rows, slices.Grow(out, 64))
	}
	return out, p.err
}

// Some is Within as far as out has room. It appends nothing only at the end of the
// list, or where that is damaged; see [Postings.Err].
func (p *Postings) Some(rows []uint64, out []Posting) []Posting {
	for len(out) < cap(out) {
		if !p.bare {
			out = p.short(rows, out)
		}
		if len(out) == cap(out) || !p.Next() {
			break
		}
		if c := p.Chunk; rows[c/64]>>(c%64)&1 != 0 {
			out = append(out, p.Posting)
		}
	}
	return out
}

// short reads on as long as postings have two bytes, as nearly all do: a short gap
// and a frequency of the body alone.
func (p *Postings) short(rows []uint64, out []Posting) []Posting {
	rest, chunk, begun, at := p.rest, p.Chunk, p.begun, 0
	room, n := out[:cap(out)], len(out)
	for left := p.left; left > 0 && n < len(room) && at+1 < len(rest); left-- {
		gap, frequency := rest[at], rest[at+1]
		next := chunk + uint32(gap)
		if (gap|frequency)&0x80 != 0 || frequency&1 != 0 || gap == 0 && begun || next >= p.limit {
			break
		}
		chunk, begun, at = next, true, at+2
		room[n] = Posting{Chunk: next, Body: uint32(frequency >> 1)}
		n += int(rows[next/64] >> (next % 64) & 1)
	}
	p.rest, p.Chunk, p.begun, p.left = rest[at:], chunk, begun, p.left-uint64(at/2)
	return room[:n]
}

// run reads a list that was not begun to its end and returns it as it is coded. The
// segment must have been checked; see [Segment.CheckAll].
func (p *Postings) run() (r run, err error) {
	if p.next < p.end {
		return run{}, errors.New("a list of a segment that was not checked whole")
	}
	r.n = int(p.left)
	code := p.rest
	if !p.Next() {
		return run{}, p.err
	}
	_, skip := binary.Uvarint(code)
	r.first = p.Chunk
	for p.left > 0 && len(p.rest) >= 2 && !p.bare {
		// Nearly always two bytes; see Within.
		delta, frequency := p.rest[0], p.rest[1]
		if delta == 0 || delta >= 0x80 || frequency >= 0x80 || frequency&1 != 0 {
			if !p.Next() {
				break
			}
			continue
		}
		if p.Chunk += uint32(delta); p.Chunk >= p.limit {
			p.fail()
			break
		}
		p.rest = p.rest[2:]
		p.left--
	}
	for p.Next() {
	}
	r.last, r.rest = p.Chunk, code[skip:len(code)-len(p.rest)]
	return r, p.err
}

func (p *Postings) uvarint() uint64 {
	if len(p.rest) > 0 && p.rest[0] < 0x80 { // nearly always
		v := uint64(p.rest[0])
		p.rest = p.rest[1:]
		return v
	}
	v, n := binary.Uvarint(p.rest)
	if n <= 0 {
		p.fail()
		return 0
	}
	p.rest = p.rest[n:]
	return v
}

func (p *Postings) fail() {
	p.left = 0
	if p.err == nil {
		p.err = fmt.Errorf("%w: a list does not decode", ErrCorrupt)
	}
}

// TermKey names a term of the dictionary.
type TermKey struct{ Language, Stem string }

// Terms goes through the dictionary in byte order of its keys. An error is the
// last pair.
func (s *Segment) Terms() iter.Seq2[TermKey, Postings] { return s.termsFrom(nil, nil) }

// Beginning goes through the stems of a language that begin so, like Terms.
func (s *Segment) Beginning(language, prefix string) iter.Seq2[TermKey, Postings] {
	first := appendTermKey(nil, TermKey{language, prefix})
	end := slices.Clone(first)
	end[len(end)-1]++ // the keys are UTF-8, which has no byte 0xff, or end with a NUL
	return s.termsFrom(first, end)
}

// termsFrom goes through the keys in [first, end); nil is no bound.
func (s *Segment) termsFrom(first, end []byte) iter.Seq2[TermKey, Postings] {
	return func(yield func(TermKey, Postings) bool) {
		c := newCursor(s, &s.terms, false, first, end)
		for ; c.err == nil && !c.done; c.next() {
			language, stem, _ := strings.Cut(string(c.key), "\x00")
			if !yield(TermKey{language, stem}, s.listAt(&s.terms, c.offset, false)) {
				return
			}
		}
		if c.err != nil {
			yield(TermKey{}, Postings{err: c.err})
		}
	}
}

// cursor walks through a dictionary.
type cursor struct {
	segment *Segment
	in      *index
	bare    bool
	it      *vellum.FSTIterator
	key     []byte // valid until next
	offset  uint64
	done    bool
	err     error
}

func newCursor(s *Segment, in *index, bare bool, first, end []byte) *cursor {
	c := &cursor{segment: s, in: in, bare: bare}
	var err error
	c.it, err = in.iterator(first, end)
	c.take(err)
	return c
}

func (c *cursor) next() { c.take(c.step()) }

func (c *cursor) step() (err error) {
	defer notPanic(&err)
	return c.it.Next()
}

func (c *cursor) take(err error) {
	switch {
	case errors.Is(err, vellum.ErrIteratorDone):
		c.done = true
	case err != nil:
		c.err = fmt.Errorf("%w: dictionary: %w", ErrCorrupt, err)
	default:
		if err := c.read(); err != nil {
			c.err = fmt.Errorf("%w: dictionary: %w", ErrCorrupt, err)
		}
	}
}

func (c *cursor) read() (err error) {
	defer notPanic(&err)
	c.key, c.offset = c.it.Current()
	return nil
}

func (c *cursor) list() Postings { return c.segment.listAt(c.in, c.offset, c.bare) }
