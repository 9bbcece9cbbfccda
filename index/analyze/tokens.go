package analyze

import (
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
	l.use(lang)
	plain, place := normalizePlaces(text)
	t := tokenizer{lexicon: l, place: place, out: make([]Token, 0, len(text)/5+1), words: make([]byte, 0, len(text))}
	s := scanner{emit: t.token}
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
	t.spell()
	return t.out
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
}

func (t *tokenizer) token(token []byte, k kind) {
	term := t.lexicon.Term(t.lexicon.number(token, k)).Text
	if term != string(token) {
		t.words = append(t.words, token...)
		t.spelt = append(t.spelt, struct{ token, end int }{len(t.out), len(t.words)})
	}
	t.out = append(t.out, Token{Term: term, Word: term, kind: k})
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
	t.placed = len(t.out)
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
	t.placed = len(t.out)
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
