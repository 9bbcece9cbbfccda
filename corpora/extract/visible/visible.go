package visible

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Text returns s as valid UTF-8 with \n line ends and without characters that
// are drawn as nothing:
//
//   - \r\n and \r, the line and paragraph separators and form feeds become \n;
//     other control characters than tab are dropped, ESC among them;
//   - bytes that are not valid UTF-8 become U+FFFD, so that damage shows;
//   - bidirectional controls and marks, zero-width spaces, word joiners, soft
//     hyphens, byte order marks, interlinear and tag characters (U+E0000
//     to U+E007F), Hangul fillers and the like are dropped;
//   - the joiners ZWJ and ZWNJ stay between two letters or marks of a script
//     whose spelling needs them, ZWJ also between the parts of an emoji;
//   - one variation selector stays where it can choose a glyph: after an emoji
//     or symbol, a Mongolian letter, or a Han character. A run of them stays
//     nowhere: bytes are smuggled that way.
//
// Text is idempotent.
func Text(s string) string {
	if plain(s) == len(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	var last rune // last rune that was kept, 0 at the beginning
	for i := 0; i < len(s); {
		if n := plain(s[i:]); n > 0 {
			b.WriteString(s[i : i+n])
			i += n
			last = rune(s[i-1])
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		i += n
		switch {
		case r == '\r' && strings.HasPrefix(s[i:], "\n"):
			continue
		case r == '\r' || r == '\f' || r == '\v' || r == '\u2028' || r == '\u2029':
			r = '\n'
		case joiner(r):
			if !joins(r, last, nextVisible(s[i:])) {
				continue
			}
		case unicode.Is(unicode.Variation_Selector, r):
			if !varies(last, r) {
				continue
			}
		case hidden(r):
			continue
		}
		b.WriteRune(r)
		last = r
	}
	return b.String()
}

// Line is [Text] for a title or a name: runs of white space become one space.
func Line(s string) string { return strings.Join(strings.Fields(Text(s)), " ") }

// plain returns how many bytes at the beginning of s are ASCII that stays as it is.
func plain(s string) int {
	for i := range len(s) {
		if c := s[i]; c >= utf8.RuneSelf || c == 0x7f || c < ' ' && c != '\n' && c != '\t' {
			return i
		}
	}
	return len(s)
}

const (
	zwnj = '\u200c'
	zwj  = '\u200d'
)

func joiner(r rune) bool { return r == zwj || r == zwnj }

// hidden reports whether r is drawn as nothing, joiners and variation selectors
// aside.
func hidden(r rune) bool {
	switch {
	case r == '\n' || r == '\t':
		return false
	case unicode.IsControl(r):
		return true
	case unicode.Is(unicode.Cf, r):
		return !unicode.Is(drawnFormat, r)
	}
	return unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r) || r >= 0xe0000 && r <= 0xe0fff
}

// drawnFormat are the format characters that have a shape: Arabic number and
// verse signs, the Syriac abbreviation mark, Kaithi number signs, Egyptian
// hieroglyph joiners and enclosures.
var drawnFormat = &unicode.RangeTable{
	R16: []unicode.Range16{{Lo: 0x600, Hi: 0x605, Stride: 1}, {Lo: 0x6dd, Hi: 0x70f, Stride: 0x70f - 0x6dd}, {Lo: 0x890, Hi: 0x891, Stride: 1}, {Lo: 0x8e2, Hi: 0x8e2, Stride: 1}},
	R32: []unicode.Range32{{Lo: 0x110bd, Hi: 0x110cd, Stride: 0x10}, {Lo: 0x13430, Hi: 0x1345f, Stride: 1}},
}

// joins reports whether a joiner between these two runes changes what is seen.
// Two joiners in a row never do.
func joins(j, before, after rune) bool {
	if j == zwj && pictograph(before) && pictograph(after) {
		return true
	}
	return unicode.In(before, joining...) && unicode.In(after, joining...)
}

// joining are the scripts in which ZWJ and ZWNJ are part of the spelling
// (Unicode Standard, section 9.2 and chapter 12; UAX 31, section 2.3).
var joining = []*unicode.RangeTable{
	unicode.Arabic, unicode.Syriac, unicode.Mongolian, unicode.Nko, unicode.Mandaic,
	unicode.Devanagari, unicode.Bengali, unicode.Gurmukhi, unicode.Gujarati, unicode.Oriya,
	unicode.Tamil, unicode.Telugu, unicode.Kannada, unicode.Malayalam, unicode.Sinhala,
	unicode.Khmer, unicode.Myanmar, unicode.Tibetan, unicode.Balinese, unicode.Javanese,
}

func pictograph(r rune) bool {
	return unicode.Is(unicode.So, r) || unicode.Is(unicode.Sk, r) || r == '\ufe0f'
}

// varies reports whether the selector can choose among glyphs of base.
func varies(base, selector rune) bool {
	switch {
	case selector >= 0xe0100:
		return unicode.Is(unicode.Han, base)
	case selector >= 0x180b && selector <= 0x180f:
		return unicode.Is(unicode.Mongolian, base) && !unicode.Is(unicode.Variation_Selector, base)
	}
	return unicode.In(base, unicode.So, unicode.Sm, unicode.Po, unicode.Nd, unicode.Han)
}

// nextVisible is the next rune of s that [Text] might keep, so that a joiner
// before it is judged by what will stand there. It stops at a joiner, so that
// all calls together read s once.
func nextVisible(s string) rune {
	for _, r := range s {
		if joiner(r) {
			return 0
		}
		if !hidden(r) && !unicode.Is(unicode.Variation_Selector, r) {
			return r
		}
	}
	return 0
}
