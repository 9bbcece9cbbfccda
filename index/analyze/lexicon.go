package analyze

import (
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
	"sync"
)

// Lexicon gives the terms of texts numbers, from 1 on: the same number for the
// same term of a language. It remembers the words that it has seen, so that each
// is stemmed once. It is not for several goroutines at once.
//
// Most words of a text were seen before, and to know them is most of the work of
// analysis. So what was seen stands in one table of 24 bytes a word, which is
// compared without a look elsewhere; longer words, about one in fifty, are in a map.
type Lexicon struct {
	scanner
	seeds     [2]uint64 // whoever writes texts cannot choose words that collide
	seen      []seen    // a power of two; at most half of it in use
	used      int
	long      map[longToken]uint32
	languages map[string]*vocabulary
	now       *vocabulary // in use
	terms     []Term      // by number; that of 0 is a stop word
	asked     []seen      // what the next tokens are; the number, if mark is 0
	out       []uint32
	numbers   []uint32 // room for Terms
}

// Term is a term of a language.
type Term struct{ Language, Text string }

// seen is a token of at most 16 bytes and the number of its term.
type seen struct {
	first, rest uint64 // the bytes of the token, then zeros
	mark        uint32 // language, kind and length; 0: the place is free
	number      uint32
}

type longToken struct {
	mark uint32
	text string
}

// vocabulary is what a lexicon knows of a language.
type vocabulary struct {
	code    string
	mark    uint32 // the number of the language, in its place in a mark
	rules   *rules
	numbers map[string]uint32 // by term
}

// A mark is a length from 1 to MaxTerm, a kind and the number of a language.
const (
	lengthMask    = 1<<kindShift - 1
	kindShift     = 8
	kindMask      = 1<<(languageShift-kindShift) - 1
	languageShift = 10
)

// What a lexicon may know when it is kept for later: the frequent words are most of
// any text, so that one that knows more may as well begin anew. While it is in use
// it grows, because its numbers must hold.
const (
	maxKnown     = 1 << 17
	maxLanguages = 64 // a language code may be any text
	minSeen      = 1 << 12
	maxShort     = 16
)

// lexicons are kept for reuse. What they hold is a function of the tokens
// alone, so it changes speed and nothing else.
var lexicons sync.Pool

// NewLexicon returns a lexicon, which may know words already. Give it back with
// Free; numbers then mean nothing any more.
func NewLexicon() *Lexicon {
	if l, ok := lexicons.Get().(*Lexicon); ok {
		return l
	}
	l := &Lexicon{
		seeds: [2]uint64{rand.Uint64(), rand.Uint64()}, seen: make([]seen, minSeen), long: map[longToken]uint32{},
		languages: map[string]*vocabulary{}, terms: make([]Term, 1),
	}
	l.buf = make([]byte, 0, 2*MaxTerm)
	l.emit = l.token
	return l
}

// Free gives the lexicon back.
func (l *Lexicon) Free() {
	if l.used+len(l.long) <= maxKnown && len(l.languages) <= maxLanguages {
		lexicons.Put(l)
	}
}

// Append appends the numbers of the terms of a text in a language to out, in
// order, stop words left out.
func (l *Lexicon) Append(out []uint32, lang, text string) []uint32 {
	l.use(lang)
	l.out = out
	l.scan(text)
	l.answer()
	out, l.out = l.out, nil
	return out
}

// Term returns the term with the number.
func (l *Lexicon) Term(number uint32) Term { return l.terms[number] }

// Len returns the number after the last that was given.
func (l *Lexicon) Len() int { return len(l.terms) }

func (l *Lexicon) use(code string) {
	if l.now != nil && l.now.code == code {
		return
	}
	v, ok := l.languages[code]
	if !ok {
		v = &vocabulary{code: code, mark: uint32(len(l.languages)) << languageShift, rules: rulesOf(code), numbers: map[string]uint32{}}
		l.languages[code] = v
	}
	l.now = v
}

// askedAtOnce is how many tokens are looked up together. The table is larger than the
// fast memory of a processor, so that nearly every look waits; between the looks of
// a short loop there is nothing to wait for, and they wait together.
const askedAtOnce = 128

func (l *Lexicon) token(token []byte, k kind) {
	if len(l.asked) == askedAtOnce {
		l.answer()
	}
	mark := l.now.markOf(token, k)
	if len(token) > maxShort {
		l.asked = append(l.asked, seen{number: l.longNumber(token, k, mark)})
		return
	}
	first, rest := words(token)
	l.asked = append(l.asked, seen{first, rest, mark, 0})
}

// answer appends the numbers of what was asked to out.
func (l *Lexicon) answer() {
	for i := range l.asked {
		a := &l.asked[i]
		n := a.number
		if a.mark != 0 {
			if s := &l.seen[l.place(a.first, a.rest, a.mark)]; s.first == a.first && s.rest == a.rest && s.mark == a.mark {
				n = s.number
			} else {
				n = l.shortNumber(a.first, a.rest, a.mark)
			}
		}
		if n != 0 {
			l.out = append(l.out, n)
		}
	}
	l.asked = l.asked[:0]
}

func (v *vocabulary) markOf(token []byte, k kind) uint32 {
	return v.mark | uint32(k)<<kindShift | uint32(len(token))
}

// number returns the number of the token's term, 0 for a stop word.
func (l *Lexicon) number(token []byte, k kind) uint32 {
	mark := l.now.markOf(token, k)
	if len(token) > maxShort {
		return l.longNumber(token, k, mark)
	}
	first, rest := words(token)
	return l.shortNumber(first, rest, mark)
}

func (l *Lexicon) shortNumber(first, rest uint64, mark uint32) uint32 {
	for i := l.place(first, rest, mark); ; i = (i + 1) & (len(l.seen) - 1) {
		s := &l.seen[i]
		if s.first == first && s.rest == rest && s.mark == mark {
			return s.number
		}
		if s.mark == 0 {
			n := l.learn(bytesOf(first, rest, mark), kind(mark>>kindShift&kindMask))
			*s = seen{first, rest, mark, n}
			l.grow()
			return n
		}
	}
}

// bytesOf returns the token that words and markOf were told of.
func bytesOf(first, rest uint64, mark uint32) []byte {
	b := binary.LittleEndian.AppendUint64(make([]byte, 0, maxShort), first)
	return binary.LittleEndian.AppendUint64(b, rest)[:mark&lengthMask]
}

// words returns the bytes of a token of 1 to 16 as numbers, zeros behind them.
func words(token []byte) (first, rest uint64) {
	if cap(token) < maxShort {
		token = append(make([]byte, 0, maxShort), token...)
	}
	b := token[:maxShort] // nearly always there is more behind it
	first, rest = binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])
	n := len(token)
	if n <= 8 {
		return first << (64 - 8*n) >> (64 - 8*n), 0
	}
	return first, rest << (128 - 8*n) >> (128 - 8*n)
}

// place returns where in the table to begin to look.
func (l *Lexicon) place(first, rest uint64, mark uint32) int {
	high, low := bits.Mul64(first^l.seeds[0], rest^l.seeds[1]^uint64(mark)<<32)
	return int((high ^ low) & uint64(len(l.seen)-1))
}

// grow keeps half of the table free.
func (l *Lexicon) grow() {
	if l.used++; l.used <= len(l.seen)/2 {
		return
	}
	old := l.seen
	l.seen = make([]seen, 2*len(old))
	for _, s := range old {
		if s.mark == 0 {
			continue
		}
		i := l.place(s.first, s.rest, s.mark)
		for l.seen[i].mark != 0 {
			i = (i + 1) & (len(l.seen) - 1)
		}
		l.seen[i] = s
	}
}

func (l *Lexicon) longNumber(token []byte, k kind, mark uint32) uint32 {
	if n, ok := l.long[longToken{mark, string(token)}]; ok {
		return n
	}
	n := l.learn(token, k)
	l.long[longToken{mark, string(token)}] = n
	return n
}

// learn applies the rules to a token that was not seen yet.
func (l *Lexicon) learn(token []byte, k kind) uint32 {
	text := l.now.rules.term(token, k)
	if text == "" {
		return 0
	}
	n, ok := l.now.numbers[text]
	if !ok {
		n = uint32(len(l.terms))
		l.terms = append(l.terms, Term{l.now.code, text})
		l.now.numbers[text] = n
	}
	return n
}
