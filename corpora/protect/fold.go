package protect

import (
	"html"
	"slices"
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"
)

// folded is a text in which signs that look alike, or cannot be seen, are one: what
// people and programs write for a digit, a space, a hyphen or an @.
type folded struct {
	text   string
	shifts []shift // in order
}

// shift says that from a place of the folded text on, the original is further on.
type shift struct{ at, by int }

// fold returns the text with digits of all scripts, full-width letters, dashes,
// spaces and character references as plain ones, and without what is invisible.
func fold(text string) folded {
	from := strings.IndexFunc(text, func(r rune) bool { return r == '&' || r >= utf8.RuneSelf })
	if from < 0 {
		return folded{text: text}
	}
	var b strings.Builder
	b.WriteString(text[:from])
	var shifts []shift
	for at := from; at < len(text); {
		r, size := signAt(text[at:])
		if plain := plainSign(r); plain >= 0 {
			b.WriteRune(plain)
		}
		at += size
		by := at - b.Len()
		if last := len(shifts) - 1; last < 0 && by != 0 || last >= 0 && shifts[last].by != by {
			shifts = append(shifts, shift{b.Len(), by})
		}
	}
	return folded{b.String(), shifts}
}

// signAt reads the first sign, which may be a character reference such as &#64;.
func signAt(text string) (rune, int) {
	if text[0] == '&' {
		if end := strings.IndexByte(text[:min(len(text), 12)], ';'); end > 0 {
			one := html.UnescapeString(text[:end+1])
			if r, size := utf8.DecodeRuneInString(one); size == len(one) {
				return r, end + 1
			}
		}
	}
	r, size := utf8.DecodeRuneInString(text)
	return r, size
}

// plainSign is the sign that a sign counts as; below 0: none.
func plainSign(r rune) rune {
	switch {
	case r < utf8.RuneSelf:
		return r
	case unicode.Is(unicode.Cf, r):
		return -1
	case r >= '！' && r <= '～':
		return r - '！' + '!'
	case unicode.Is(unicode.Nd, r):
		return '0' + digit(r)
	case unicode.Is(unicode.Pd, r), r == '−':
		return '-'
	case unicode.Is(unicode.Zs, r):
		return ' '
	}
	return r
}

// digit is the value of a decimal digit: the digits of a script stand together,
// from 0 to 9.
func digit(r rune) rune {
	for _, t := range unicode.Nd.R16 {
		if lo := rune(t.Lo); r >= lo && r <= rune(t.Hi) {
			return (r - lo) % 10
		}
	}
	for _, t := range unicode.Nd.R32 {
		if lo := rune(t.Lo); r >= lo && r <= rune(t.Hi) {
			return (r - lo) % 10
		}
	}
	return 0
}

// place returns where a place of the folded text is in the original.
func (f folded) place(at int) int {
	i := sort.Search(len(f.shifts), func(i int) bool { return f.shifts[i].at > at })
	if i == 0 {
		return at
	}
	return at + f.shifts[i-1].by
}

// finds returns what a rule looks for, at places of the original. A pattern may name
// signs that folding takes away.
func (r Rule) finds(text string, f folded) []match {
	out := r.find(f.text)
	for i, m := range out {
		out[i].start, out[i].end = f.place(m.start), f.place(m.end)
	}
	if r.Match != "" && f.text != text {
		out = slices.Concat(out, r.find(text))
	}
	return out
}
