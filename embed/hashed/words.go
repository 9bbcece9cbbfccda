package hashed

import (
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// eachWord calls yield with every word of the text, folded: lower case,
// compatibility forms and accents removed. In scripts that are written without
// spaces a word is a run of two characters, overlapping; dense is then true.
// The slice is valid during the call only. Bytes that are not UTF-8 separate words.
func (f *folder) eachWord(text string, yield func(word []byte, dense bool)) {
	for i := 0; i < len(text); {
		n, class := f.scan(text[i:])
		switch class {
		case plain:
			yield(f.word, false)
		case accented:
			f.accents()
			yield(f.word, false)
		case unspaced:
			f.bigrams(text[i:i+n], yield)
		}
		i += n
	}
}

// class says what stands at a place of the text.
type class int

const (
	gap      class = iota // not part of a word
	plain                 // a word that is folded already
	accented              // a word with other letters than a-z
	unspaced              // a run of a script without spaces
)

// maxWord bounds a word in bytes. What is longer is cut into several words, so
// that a text without any space costs no more than others.
const maxWord = 64

// folder holds the buffers of one call.
type folder struct {
	word []byte
	tmp  []byte
}

// scan reads one stretch of the same class from the start of text into f.word,
// in lower case, and returns its length in bytes.
func (f *folder) scan(text string) (int, class) {
	f.word = f.word[:0]
	c := gap
	for i := 0; i < len(text); {
		r, n := rune(text[i]), 1
		if r >= utf8.RuneSelf {
			r, n = utf8.DecodeRuneInString(text[i:])
		}
		k := classify(r, n)
		switch {
		case i == 0:
			c = k
		case k == accented && c == plain:
			c = accented
		case k == plain && c == accented:
		case k != c:
			return i, c
		}
		if c == plain || c == accented {
			if len(f.word) >= maxWord {
				return i, c
			}
			f.word = appendLower(f.word, r)
		}
		i += n
	}
	return len(text), c
}

func classify(r rune, n int) class {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		return plain
	case r < utf8.RuneSelf:
		return gap
	case r == utf8.RuneError && n == 1:
		return gap
	case !unicode.In(r, unicode.L, unicode.N, unicode.M):
		return gap
	case unicode.In(r, withoutSpaces...), r == '\u30fc', r == '\u3099', r == '\u309a': // kana length and voice marks have no script of their own
		return unspaced
	default:
		return accented
	}
}

// withoutSpaces are the scripts whose words are not separated.
var withoutSpaces = []*unicode.RangeTable{
	unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai,
	unicode.Lao, unicode.Khmer, unicode.Myanmar,
}

func appendLower(b []byte, r rune) []byte {
	if r < utf8.RuneSelf {
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return append(b, byte(r))
	}
	switch r = unicode.ToLower(r); r {
	case 'ß':
		return append(b, "ss"...)
	case 'æ':
		return append(b, "ae"...)
	case 'œ':
		return append(b, "oe"...)
	case 'ø':
		return append(b, 'o')
	case 'ł':
		return append(b, 'l')
	case 'đ':
		return append(b, 'd')
	case 'ı':
		return append(b, 'i')
	}
	return utf8.AppendRune(b, r)
}

// accents replaces f.word by its decomposed compatibility form without the
// combining accents of Latin, Greek and Cyrillic. Vowel signs of other scripts
// are letters there and stay. Hangul stays decomposed, so that grams see the
// letters of a syllable.
func (f *folder) accents() {
	f.tmp = norm.NFKD.Append(f.tmp[:0], f.word...)
	f.word = f.word[:0]
	for i := 0; i < len(f.tmp); {
		r, n := utf8.DecodeRune(f.tmp[i:])
		if r < 0x300 || r > 0x36f {
			f.word = append(f.word, f.tmp[i:i+n]...)
		}
		i += n
	}
}

// bigrams yields the overlapping pairs of characters of a run, or its only
// character.
func (f *folder) bigrams(run string, yield func([]byte, bool)) {
	f.tmp = norm.NFKC.AppendString(f.tmp[:0], run)
	_, first := utf8.DecodeRune(f.tmp)
	if first == len(f.tmp) {
		yield(f.tmp, true)
		return
	}
	for i := 0; i+first < len(f.tmp); {
		_, second := utf8.DecodeRune(f.tmp[i+first:])
		yield(f.tmp[i:i+first+second], true)
		i += first
		first = second
	}
}
