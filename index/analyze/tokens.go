package analyze

import (
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// Token is a term with its place in a text.
type Token struct {
	Term string // as [Terms] gives it; "" for a stop word
	Word string // the word that it was made of, folded
	// Pos counts the words of the text from 0, and in scripts without spaces its
	// characters. Terms that are made of the same word share it.
	Pos        int
	Start, End int // bytes of the text that it stands in
	kind       kind
}

// Tokens returns the terms of a text in a language with their places, in the order
// of [Terms], and its stop words.
func Tokens(lang, text string) []Token {
	l := NewLexicon()
	defer l.Free()
	t := tokenizer{lexicon: l, out: make([]Token, 0, len(text)/5+1), words: make([]byte, 0, len(text))}
	t.read(lang, text, t.token)
	t.spell()
	return t.out
}

// Find returns those of the [Tokens] of a text that are one of the terms, without
// their words.
func Find(lang, text string, terms []string) []Token {
	if len(terms) == 0 {
		return nil
	}
	l := NewLexicon()
	defer l.Free()
	l.use(lang)
	t := tokenizer{lexicon: l, terms: terms, known: uint32(l.Len())}
	for _, term := range terms {
		if n, ok := l.now.numbers[term]; ok {
			t.numbers = append(t.numbers, n)
		}
	}
	t.read(lang, text, t.sift)
	return t.out
}

// read goes through the units of a text.
func (t *tokenizer) read(lang, text string, emit func([]byte, kind)) {
	t.lexicon.use(lang)
	plain, place := normalizePlaces(text)
	t.place = place
	s := scanner{emit: emit}
	for i := 0; i < len(plain); {
		_, n, c := next(plain, i)
		begin := i
		switch c {
		case letter:
			i = s.word(plain, i)
			t.word(begin, i)
		case cjk, hangul, sea:
			i = s.run(plain, i, c)
			t.run(plain, begin, i, c)
		default:
			i += n
		}
	}
}

// tokenizer gives the tokens of one unit of the text at a time their places.
type tokenizer struct {
	lexicon *Lexicon
	place   places
	out     []Token
	placed  int // tokens that have places
	pos     int // of the next unit
	// words are those that are not their terms, one after the other, and spelt
	// their tokens and ends: one text for all saves an allocation for each.
	words []byte
	spelt []struct{ token, end int }

	terms   []string // that are looked for; nil: all
	numbers []uint32 // of those that the lexicon knew
	known   uint32   // numbers from here on are new to it
}

func (t *tokenizer) token(token []byte, k kind) {
	term := t.lexicon.Term(t.lexicon.number(token, k)).Text
	if term != string(token) {
		t.words = append(t.words, token...)
		t.spelt = append(t.spelt, struct{ token, end int }{len(t.out), len(t.words)})
	}
	t.out = append(t.out, Token{Term: term, Word: term, kind: k})
}

// sift is token for terms that are looked for. All others stand as stop words, for
// the places of those beside them, until the end of their unit.
func (t *tokenizer) sift(token []byte, k kind) {
	t.out = append(t.out, Token{Term: t.wanted(t.lexicon.number(token, k)), kind: k})
}

// wanted returns the term with the number if it is looked for, otherwise "". Most
// terms are told by their numbers, which saves looking at their texts.
func (t *tokenizer) wanted(n uint32) string {
	if n == 0 || n < t.known && !slices.Contains(t.numbers, n) {
		return ""
	}
	if term := t.lexicon.Term(n).Text; slices.Contains(t.terms, term) {
		return term
	}
	return ""
}

// end ends a unit.
func (t *tokenizer) end() {
	if t.terms != nil {
		kept := slices.DeleteFunc(t.out[t.placed:], func(o Token) bool { return o.Term == "" })
		t.out = t.out[:t.placed+len(kept)]
	}
	t.placed = len(t.out)
}

func (t *tokenizer) spell() {
	words, start := string(t.words), 0
	for _, s := range t.spelt {
		t.out[s.token].Word = words[start:s.end]
		start = s.end
	}
}

// word places the terms of a word: the word itself at its position, what it is
// composed of from there on. Of e-mail, e has the first position, and email
// shares that of mail, which is a word of its own.
func (t *tokenizer) word(start, end int) {
	tokens := t.out[t.placed:]
	joined := len(tokens) == 2 && tokens[0].kind == word
	for i := range tokens {
		tokens[i].Start, tokens[i].End = t.place.span(start, end)
		tokens[i].Pos = t.pos + max(0, i-1)
		if joined {
			tokens[i].Pos = t.pos + i
		}
	}
	t.pos += max(1, len(tokens)-1)
	t.end()
}

// run places the pairs of characters of a run: each at its first character.
func (t *tokenizer) run(text string, start, end int, c class) {
	tokens := t.out[t.placed:]
	var begins []int
	for i := start; i < end; {
		_, n, is := next(text, i)
		if is == c {
			begins = append(begins, i)
		}
		i += n
	}
	for i := range tokens {
		last := end
		if i+gramWidth < len(begins) {
			last = begins[i+gramWidth]
		}
		tokens[i].Pos = t.pos + i
		tokens[i].Start, tokens[i].End = t.place.span(begins[i], last)
	}
	t.pos += len(begins)
	t.end()
}

// places tells where the bytes of a normalised text stood before; nil: where they stand.
type places []struct{ start, end int }

func (p places) span(start, end int) (int, int) {
	if p == nil || start == end {
		return start, end
	}
	return p[start].start, p[end-1].end
}

// normalizePlaces is normalize with the places of what comes out.
func normalizePlaces(text string) (string, places) {
	if isNormal(text) {
		return text, nil
	}
	var (
		it  norm.Iter
		out strings.Builder
		at  places
	)
	it.InitString(norm.NFKC, text)
	for !it.Done() {
		start := it.Pos()
		segment := it.Next()
		out.Write(segment)
		for range segment {
			at = append(at, struct{ start, end int }{start, it.Pos()})
		}
	}
	at.join()
	return out.String(), at
}

// join gives the bytes that one character became, which the iterator may hand out
// in several segments without moving on, the place of the whole character.
func (p places) join() {
	for i := len(p) - 2; i >= 0; i-- {
		if p[i].end <= p[i].start && p[i+1].start == p[i].start {
			p[i].end = p[i+1].end
		}
	}
	for i := 1; i < len(p); i++ {
		if p[i].end <= p[i].start {
			p[i] = p[i-1]
		}
	}
}
