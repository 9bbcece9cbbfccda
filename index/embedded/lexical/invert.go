package lexical

import (
	"encoding/binary"
	"maps"
	"runtime"
	"slices"
	"time"
)

// Inverter gathers what a segment stores of consecutive chunks: of a whole segment
// or of a part of one, so that several may work side by side. Terms come as
// numbers; what they stand for is asked when the part is done. The zero Inverter is
// ready for use, and again after Done.
type Inverter struct {
	language string
	seconds  int64
	nanos    uint32
	exact    []*keyword // of the document

	rows     []row
	spots    []spot    // by number of the term
	used     []uint32  // numbers of terms that were found
	found    []found   // in order of the chunks
	sorted   []Posting // room for them in order of the terms
	keywords map[string]*keyword
}

// spot is where the last posting of a term stands in found, of which chunk it is, and
// how many there are.
type spot struct{ at, chunk, count uint32 }

type found struct {
	term uint32
	Posting
}

// keyword is the chunks that have an exact term, in order.
type keyword []Posting

// Document begins a document: what its chunks have in common. The language is that
// of the terms and must not hold a NUL; modified is zero if unknown; keywords are
// exact terms for filters, in any order.
func (v *Inverter) Document(language string, modified time.Time, keywords []string) {
	v.language = language
	v.seconds, v.nanos = splitTime(modified)
	v.exact = v.exact[:0]
	if v.keywords == nil {
		v.keywords = map[string]*keyword{}
	}
	for _, key := range keywords {
		k := v.keywords[key]
		if k == nil {
			k = new(keyword)
			v.keywords[key] = k
		}
		if !slices.Contains(v.exact, k) {
			v.exact = append(v.exact, k)
		}
	}
}

// Chunk adds a chunk of the document: the key that breaks ties, and the numbers of
// the terms of its title and its body, repetitions included.
func (v *Inverter) Chunk(key [16]byte, title, body []uint32) {
	i := uint32(len(v.rows))
	v.rows = append(v.rows, row{
		language: v.language, title: uint32(len(title)), body: uint32(len(body)), key: key, seconds: v.seconds, nanos: v.nanos,
	})
	for _, k := range v.exact {
		*k = append(*k, Posting{Chunk: i})
	}
	for _, term := range title {
		v.posting(i, term).Title++
	}
	for _, term := range body {
		v.posting(i, term).Body++
	}
}

// posting returns the posting of the term in chunk i, which is the last.
func (v *Inverter) posting(i, term uint32) *Posting {
	if int(term) >= len(v.spots) {
		v.spots = append(v.spots, make([]spot, int(term)+1-len(v.spots)+len(v.spots)/2)...)
	}
	s := &v.spots[term]
	switch {
	case s.count == 0:
		v.used = append(v.used, term)
	case s.chunk == i:
		return &v.found[s.at].Posting
	}
	*s = spot{at: uint32(len(v.found)), chunk: i, count: s.count + 1}
	v.found = append(v.found, found{term, Posting{Chunk: i}})
	return &v.found[s.at].Posting
}

// Inverted is what an Inverter gathered. It does not change any more.
type Inverted struct {
	rows            []row
	terms, keywords []list // in byte order of their keys
}

// Len returns the number of chunks.
func (v *Inverted) Len() int { return len(v.rows) }

// list is a list of postings under its key.
type list struct {
	key string
	run
}

// Done returns what was gathered and forgets it; name tells what a number stands for.
func (v *Inverter) Done(name func(number uint32) TermKey) *Inverted {
	out := &Inverted{rows: v.rows, terms: v.termLists(v.named(name)), keywords: v.keywordLists()}
	for _, term := range v.used {
		v.spots[term] = spot{}
	}
	v.rows, v.keywords, v.exact = nil, nil, v.exact[:0]
	v.used, v.found = v.used[:0], v.found[:0]
	return out
}

func (v *Inverter) keywordLists() []list {
	var l lists
	for _, key := range slices.Sorted(maps.Keys(v.keywords)) {
		l.add(key, *v.keywords[key], true)
	}
	return l.done()
}

// lists codes lists one after the other.
type lists struct {
	all    []list
	begins []int // in code
	code   []byte
}

func (l *lists) add(key string, postings []Posting, bare bool) {
	n := len(postings)
	if n == 0 {
		return
	}
	l.all = append(l.all, list{key, run{n: n, first: postings[0].Chunk, last: postings[n-1].Chunk}})
	l.begins = append(l.begins, len(l.code))
	l.code = appendPostings(l.code, postings, bare)
}

func (l *lists) done() []list {
	end := len(l.code)
	for i := range slices.Backward(l.all) {
		begin := l.begins[i]
		l.all[i].rest, end = l.code[begin:end:end], begin
	}
	return l.all
}

// named returns the terms that were found in byte order of their keys.
func (v *Inverter) named(name func(uint32) TermKey) []named {
	out, keys := make([]named, len(v.used)), make([]byte, 0, 16*len(v.used))
	ends := make([]int, len(v.used))
	for i, number := range v.used {
		keys = appendTermKey(keys, name(number))
		out[i].number, ends[i] = number, len(keys)
	}
	all, at := string(keys), 0
	for i, end := range ends {
		out[i].key, at = all[at:end], end
	}
	return sortNamed(out)
}

// termLists returns the lists of the terms, in the order in which they are named.
func (v *Inverter) termLists(names []named) []list {
	at := uint32(0)
	for _, n := range names { // from here on, at is where the next posting goes
		s := &v.spots[n.number]
		s.at, at = at, at+s.count
	}
	v.sorted = slices.Grow(v.sorted[:0], len(v.found))
	sorted := v.sorted[:len(v.found)]
	for i := range v.found {
		f := &v.found[i]
		s := &v.spots[f.term]
		sorted[s.at] = f.Posting
		s.at++
	}
	l := lists{make([]list, 0, len(names)), make([]int, 0, len(names)), make([]byte, 0, 3*len(v.found))}
	for i, n := range names {
		if i%termsAtOnce == 0 {
			runtime.Gosched()
		}
		count := v.spots[n.number].count
		l.add(n.key, sorted[:count], false)
		sorted = sorted[count:]
	}
	return l.done()
}

// appendPostings codes a list but for the delta of its first posting; a bare one is
// of chunks alone.
func appendPostings(b []byte, postings []Posting, bare bool) []byte {
	last := postings[0].Chunk
	for i, p := range postings {
		if i > 0 {
			b = binary.AppendUvarint(b, uint64(p.Chunk-last))
			last = p.Chunk
		}
		switch {
		case bare:
		case p.Title == 0:
			b = binary.AppendUvarint(b, uint64(p.Body)<<1)
		default:
			b = binary.AppendUvarint(b, uint64(p.Body)<<1|1)
			b = binary.AppendUvarint(b, uint64(p.Title))
		}
	}
	return b
}

func appendTermKey(b []byte, k TermKey) []byte {
	b = append(b, k.Language...)
	b = append(b, 0)
	return append(b, k.Stem...)
}
