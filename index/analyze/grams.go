package analyze

import (
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// GramLen is the number of characters in a gram of [Grams].
const GramLen = 4

// Grams returns the hashes of the windows of [GramLen] characters over the
// words of text, in order, for comparing texts by their spelling: "leave" gives
// the windows "·lea", "leav", "eave", "ave·", where · is the boundary of a word.
// Words are folded (NFKC, lower case, Latin letters without accents); whatever
// is no letter and no digit separates them. A word of one letter gives one window
// of three characters. A run of a script without spaces is one word.
//
// The hash is FNV-1a in 32 bits that takes a character where the original takes
// a byte. It is stable: an index may store it.
func Grams(text string) []uint32 {
	text = normalize(text)
	out := make([]uint32, 0, len(text))
	var w window
	for i := 0; i < len(text); {
		r, n, c := next(text, i)
		i += n
		switch c {
		case hidden:
		case mark:
			if !bare(r) {
				out = w.add(r, out)
			}
		case gap, joiner:
			out = w.end(out)
		default:
			out = w.add(gramFold(r), out)
		}
	}
	return w.end(out)
}

// bare reports whether r is a mark that grams leave out: accents and the vowel
// and tone signs of the scripts that are cut into pairs.
func bare(r rune) bool { return 0x300 <= r && r <= 0x36F || seaScript(r) }

// window is the last characters of the word being read; the boundary is 0.
type window struct {
	last  [GramLen]rune
	count int // characters read, the boundary before the word among them
}

// add takes the next character of a word.
func (w *window) add(r rune, out []uint32) []uint32 {
	if w.count == 0 {
		w.last[GramLen-1] = 0
		w.count = 1
	}
	return w.push(r, out)
}

func (w *window) push(r rune, out []uint32) []uint32 {
	copy(w.last[:], w.last[1:])
	w.last[GramLen-1] = r
	if w.count++; w.count >= GramLen {
		return append(out, hash(w.last[:]))
	}
	return out
}

// end closes the word, if there is one.
func (w *window) end(out []uint32) []uint32 {
	if w.count == 0 {
		return out
	}
	out = w.push(0, out)
	if w.count < GramLen {
		out = append(out, hash(w.last[GramLen-w.count:]))
	}
	w.count = 0
	return out
}

func hash(window []rune) uint32 {
	h := uint32(2166136261)
	for _, r := range window {
		h = (h ^ uint32(r)) * 16777619
	}
	return h
}

// gramFold returns r in lower case and without accent, as one character.
func gramFold(r rune) rune {
	switch {
	case r < utf8.RuneSelf:
		if 'A' <= r && r <= 'Z' {
			r |= 0x20
		}
		return r
	case r < latinEnd:
		return latinBase()[r]
	}
	return lower(r)
}

// latinEnd is the end of the blocks of Latin letters with accents.
const latinEnd = 0x250

// latinBase gives, for each character below latinEnd, the letter in lower case
// that remains of it without its accent.
var latinBase = sync.OnceValue(func() *[latinEnd]rune {
	var t [latinEnd]rune
	for r := range rune(latinEnd) {
		t[r], _ = utf8.DecodeRuneInString(norm.NFD.String(string(unicode.ToLower(r))))
		if s, ok := letters(t[r]); ok {
			t[r] = rune(s[0])
		}
	}
	return &t
})
