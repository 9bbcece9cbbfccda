package tools

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"ken/index"
)

// clean takes out of a document's text what a person would not see and a model
// would read: control and format characters (bidirectional overrides, zero
// width spaces, tag characters), fillers, and runs of variation selectors and
// joiners, which can carry a hidden message. Invalid UTF-8 becomes U+FFFD. Line
// breaks, tabs, a single joiner between letters that need it, and a single
// variation selector stay. Offsets and hashes in citations are those of the
// original bytes, not of what clean returns.
func clean(text string) string {
	if isPlain(text) || isClean(text) {
		return text
	}
	var b strings.Builder
	b.Grow(len(text))
	var last rune // last rune that stayed
	for _, r := range text {
		if keep(last, r) {
			b.WriteRune(r)
			last = r
		}
	}
	return b.String()
}

// isClean is true for text of which clean keeps every byte.
func isClean(text string) bool {
	var last rune
	for _, r := range text {
		if !keep(last, r) {
			return false
		}
		last = r
	}
	return utf8.ValidString(text)
}

// cleanMarked is clean for a text of which places, in bytes and in order, are
// marked. It returns them in characters of the clean text; a place of which
// nothing stays is left out.
func cleanMarked(text string, marks []index.Span) (string, [][2]int) {
	var (
		b      strings.Builder
		last   rune
		n      int // characters that stayed
		places [][2]int
		start  int
		left   = marks
	)
	pass := func(i int) { // what begins and ends before byte i
		for len(left) > 0 && left[0].End <= i {
			if start < n {
				places = append(places, [2]int{start, n})
			}
			left, start = left[1:], n
		}
		if len(left) > 0 && left[0].Start >= i {
			start = n
		}
	}
	b.Grow(len(text))
	for i, r := range text {
		pass(i)
		if keep(last, r) {
			b.WriteRune(r)
			last = r
			n++
		}
	}
	pass(len(text))
	return b.String(), places
}

// line is clean for names and titles: one line, without spaces at its ends.
func line(text string) string {
	if isLine(text) {
		return text
	}
	return strings.Join(strings.Fields(clean(text)), " ")
}

// isPlain is true for text that clean would return as it is.
func isPlain(text string) bool {
	for i := range len(text) {
		if b := text[i]; b >= utf8.RuneSelf || b == 0x7f || b < ' ' && b != '\n' && b != '\t' && b != '\r' {
			return false
		}
	}
	return true
}

// isLine is true for text that line would return as it is, and perhaps for no other.
func isLine(text string) bool {
	gap := true // a space would be too many
	for i := range len(text) {
		b := text[i]
		if b >= 0x7f || b < ' ' || b == ' ' && gap {
			return false
		}
		gap = b == ' '
	}
	return !gap || text == ""
}

const (
	zeroWidthNonJoiner = '\u200c'
	zeroWidthJoiner    = '\u200d'
)

func keep(last, r rune) bool {
	switch {
	case r == '\n' || r == '\t' || r == '\r':
		return true
	case r < utf8.RuneSelf:
		return r >= ' ' && r != 0x7f
	case r == zeroWidthJoiner || r == zeroWidthNonJoiner:
		return joins(last)
	case unicode.Is(unicode.Variation_Selector, r):
		return last > ' ' && !unicode.Is(unicode.Variation_Selector, last)
	}
	return !hidden(r)
}

// joins reports whether a joiner after r can be seen: within Arabic, Indic and
// other joining scripts and within emoji.
func joins(r rune) bool {
	return r >= 0x0600 && (unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsSymbol(r))
}

// hidden reports whether a rune has no visible form and no effect that a
// reader of the text needs.
func hidden(r rune) bool {
	switch r {
	case '\u034f', // combining grapheme joiner
		'\u115f', '\u1160', '\u3164', '\uffa0', // Hangul fillers
		'\u17b4', '\u17b5': // Khmer inherent vowels
		return true
	}
	return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) && !unicode.Is(unicode.Prepended_Concatenation_Mark, r)
}
