package analyze

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// MaxTerm is the longest term in bytes; a longer run of letters is cut, and the
// rest of the run is dropped.
const MaxTerm = 128

// kind says what rules apply to a token.
type kind uint8

const (
	word   kind = iota // a run of letters, maybe with apostrophes: stemmed
	number             // digits with separators
	exact              // an identifier or a character n-gram: taken as it is
)

// class sorts characters by what they do to the token before them.
type class uint8

const (
	gap    class = iota // ends a token
	letter              // letters, digits and marks of scripts with spaces
	mark                // combining mark: belongs to the character before it
	joiner              // joins two tokens to one if it stands between them
	cjk                 // Han and kana
	hangul
	sea    // Thai, Lao, Khmer, Burmese: base characters
	hidden // soft hyphen and the like: not there
)

// scanner cuts text into tokens. Its buffers are used again for the next text.
type scanner struct {
	emit  func(token []byte, k kind)
	buf   []byte // the token, folded
	cuts  []int  // where parts of a compound begin in buf, but the first
	full  bool   // buf reached MaxTerm
	digit bool   // buf has a digit
	alpha bool   // buf has a letter
	at    bool   // buf has a joiner other than an apostrophe
	slow  bool   // read ASCII like everything else; a test compares the two
}

// scan calls emit for each token in order. The bytes belong to the scanner.
func (s *scanner) scan(text string) {
	text = normalize(text)
	for i := 0; i < len(text); {
		if asciiGap[text[i]] {
			i++
			continue
		}
		switch _, n, c := next(text, i); c {
		case letter:
			i = s.word(text, i)
		case cjk, hangul, sea:
			i = s.run(text, i, c)
		default:
			i += n
		}
	}
}

// normalize returns text in NFKC; most text is, and is returned as it came.
func normalize(text string) string {
	if isNormal(text) {
		return text
	}
	return norm.NFKC.String(text)
}

// isNormal looks from the first character on that is not ASCII.
func isNormal(text string) bool {
	ascii := 0
	for ascii < len(text) && text[ascii] < utf8.RuneSelf {
		ascii++
	}
	return ascii == len(text) || norm.NFKC.IsNormalString(text[ascii:])
}

// next decodes the character at i. Invalid bytes are gaps.
func next(text string, i int) (rune, int, class) {
	if b := text[i]; b < utf8.RuneSelf {
		return rune(b), 1, asciiClasses[b]
	}
	r, n := utf8.DecodeRuneInString(text[i:])
	return r, n, classOf(r)
}

// asciiClasses is a constant table; a lookup is half the cost of comparisons.
var asciiClasses = func() (t [utf8.RuneSelf]class) {
	for b := range byte(utf8.RuneSelf) {
		switch {
		case 'a' <= b && b <= 'z', 'A' <= b && b <= 'Z', '0' <= b && b <= '9':
			t[b] = letter
		case strings.IndexByte(".,'_@", b) >= 0:
			t[b] = joiner
		}
	}
	return t
}()

// asciiGap tells which bytes are characters that neither begin nor continue a token.
var asciiGap = func() (t [256]bool) {
	for b := range byte(utf8.RuneSelf) {
		t[b] = asciiClasses[b] == gap
	}
	return t
}()

// folded holds the letters and digits of ASCII in lower case, 0 for other bytes.
var folded = func() (t [256]byte) {
	for b := range byte(utf8.RuneSelf) {
		if asciiClasses[b] == letter {
			t[b] = b | 0x20 // digits have that bit
		}
	}
	return t
}()

func classOf(r rune) class {
	switch {
	case r < 0x250 && unicode.IsLetter(r):
		return letter
	case r == '’' || r == 'ʼ' || r == '＇':
		return joiner
	case r == 0xAD || r == 0x200D || r == 0x2060 || r == 0xFEFF:
		return hidden
	case 0x3041 <= r && r <= 0x30FF && r != '・' || 0x3400 <= r && r <= 0x9FFF ||
		r == '々' || r == '〆' || r == '〇' || 0xF900 <= r && r <= 0xFAFF || 0x20000 <= r && r <= 0x3FFFF || 0x31F0 <= r && r <= 0x31FF:
		return cjk
	case 0xAC00 <= r && r <= 0xD7A3 || 0x1100 <= r && r <= 0x11FF:
		return hangul
	case seaScript(r):
		return seaClass(r)
	case unicode.IsLetter(r) || unicode.IsDigit(r):
		return letter
	case unicode.IsMark(r):
		return mark
	}
	return gap
}

// seaScript reports whether r is of a South-East Asian script without spaces.
func seaScript(r rune) bool {
	return 0x0E00 <= r && r <= 0x0EFF || 0x1000 <= r && r <= 0x109F || 0x1780 <= r && r <= 0x17FF
}

func seaClass(r rune) class {
	switch {
	case unicode.IsDigit(r):
		return letter
	case unicode.IsLetter(r):
		return sea
	case unicode.IsMark(r):
		return mark
	}
	return gap
}

// word reads the token that begins at i with a letter, calls emit, and returns
// where it ends.
func (s *scanner) word(text string, i int) int {
	s.buf, s.cuts = s.buf[:0], s.cuts[:0]
	s.full, s.digit, s.alpha, s.at = false, false, false, false
	for {
		if !s.slow {
			i = s.ascii(text, i)
		}
		if i == len(text) {
			break
		}
		r, n, c := next(text, i)
		switch {
		case c == letter, c == mark:
			s.add(r)
		case c == hidden:
		case c == joiner && joins(text, i, n):
			s.join(r)
		default:
			i = s.suffix(text, i)
			s.flush()
			s.prefixed(text, i)
			return i
		}
		i += n
	}
	s.flush()
	return i
}

// ascii adds the letters and digits of ASCII that stand at i, as many as fit, and
// returns where they end. It does what add does with each.
func (s *scanner) ascii(text string, i int) int {
	var digits, letters bool
	buf := s.buf
	for i < len(text) && len(buf) < MaxTerm-utf8.UTFMax {
		b := folded[text[i]]
		if b == 0 {
			break
		}
		buf = append(buf, b)
		digits = digits || b <= '9'
		letters = letters || b > '9'
		i++
	}
	s.buf, s.digit, s.alpha = buf, s.digit || digits, s.alpha || letters
	return i
}

// prefixed emits, after an e or x that a hyphen at i joins to a word, both as one
// word: e-mail and x-ray are also written email and xray. Other letters are names
// (T-cell, p-value) that nobody writes so.
func (s *scanner) prefixed(text string, i int) {
	if len(s.buf) != 1 || s.buf[0] != 'e' && s.buf[0] != 'x' {
		return
	}
	_, n := utf8.DecodeRuneInString(text[i:])
	if !isHyphen(text[i : i+n]) {
		return
	}
	for i += n; i < len(text); i += n {
		var r rune
		var c class
		if r, n, c = next(text, i); c != letter && c != mark || unicode.IsDigit(r) {
			break
		}
		s.add(r)
	}
	if len(s.buf) > 2 {
		s.emit(s.buf, word)
	}
}

func isHyphen(s string) bool { return s == "-" || s == "\u2010" || s == "\u2011" }

// add appends the folded character.
func (s *scanner) add(r rune) {
	switch {
	case s.full:
		return
	case r < utf8.RuneSelf:
		if '0' <= r && r <= '9' {
			s.digit = true
		} else {
			s.alpha = true
			r |= 0x20
		}
		s.buf = append(s.buf, byte(r))
	default:
		if r = lower(r); unicode.IsDigit(r) {
			s.digit = true
			r = digitValue(r)
		} else {
			s.alpha = true
		}
		s.buf = utf8.AppendRune(s.buf, r)
	}
	s.full = len(s.buf) > MaxTerm-utf8.UTFMax
}

// lower folds the case of r. The final sigma is a sigma.
func lower(r rune) rune {
	if r == 'ς' {
		return 'σ'
	}
	return unicode.ToLower(r)
}

// digitValue returns the ASCII digit for a decimal digit of any script. The
// digits of a script are consecutive, beginning with zero.
func digitValue(r rune) rune {
	for d := range rune(10) {
		if !unicode.IsDigit(r - d - 1) {
			return '0' + d
		}
	}
	return r
}

// joins reports whether the joiner of n bytes at i stands inside a word, a
// number or an identifier.
func joins(text string, i, n int) bool {
	if i+n >= len(text) {
		return false
	}
	_, _, after := next(text, i+n)
	digits := isDigit(text[i-1]) && isDigit(text[i+n])
	switch text[i] {
	case ',':
		return digits
	case '_':
		return after == letter || text[i+n] == '_'
	case '.', '@':
		return after == letter
	}
	return after == letter && !digits
}

func isDigit(b byte) bool { return '0' <= b && b <= '9' }

// join notes a joiner and begins the next part.
func (s *scanner) join(r rune) {
	if s.full {
		return
	}
	if r > utf8.RuneSelf {
		r = '\''
	}
	s.buf = append(s.buf, byte(r))
	if r != '\'' {
		s.at = true
		s.cuts = append(s.cuts, len(s.buf))
	}
}

// suffix takes the ++ of C++ and the # of C# to a token of one letter.
func (s *scanner) suffix(text string, i int) int {
	if len(s.buf) != 1 || !s.alpha {
		return i
	}
	for _, suffix := range [...]string{"++", "#"} {
		if strings.HasPrefix(text[i:], suffix) {
			s.buf = append(s.buf, suffix...)
			return i + len(suffix)
		}
	}
	return i
}

// flush emits the token: a number, a plain word, or a compound and its parts.
func (s *scanner) flush() {
	switch {
	case !s.at && s.digit && s.alpha:
		s.emit(s.buf, exact)
	case !s.at && s.digit:
		s.emit(s.buf, number)
	case !s.at:
		s.emit(s.buf, word)
	case !s.alpha:
		s.emit(s.buf, number)
	case s.acronym():
		s.emit(s.buf, exact)
	default:
		s.emit(s.buf, exact)
		if s.version() {
			s.emit(s.buf[1:], number)
		}
		s.parts()
	}
}

// version reports whether the token is a number after a v, as in v1.2.3, which
// people also write without it.
func (s *scanner) version() bool {
	if s.buf[0] != 'v' {
		return false
	}
	for _, b := range s.buf[1:] {
		if !isDigit(b) && b != '.' {
			return false
		}
	}
	return isDigit(s.buf[1])
}

// acronym turns single letters with points (u.s.a) to one word and reports
// whether that is what the token was.
func (s *scanner) acronym() bool {
	for i, b := range s.buf {
		if (i%2 == 1) != (b == '.') {
			return false
		}
	}
	n := 0
	for i := 0; i < len(s.buf); i += 2 {
		s.buf[n] = s.buf[i]
		n++
	}
	s.buf = s.buf[:n]
	return true
}

// parts emits the parts of a compound that can be words: at least two bytes, at
// least one of them no digit.
func (s *scanner) parts() {
	start := 0
	for i := range len(s.cuts) + 1 {
		end := len(s.buf)
		if i < len(s.cuts) {
			end = s.cuts[i] - 1
		}
		if part := s.buf[start:end]; len(part) > 1 {
			s.part(part)
		}
		if i < len(s.cuts) {
			start = s.cuts[i]
		}
	}
}

func (s *scanner) part(part []byte) {
	digits := 0
	for _, b := range part {
		if isDigit(b) {
			digits++
		}
	}
	switch digits {
	case 0:
		s.emit(part, word)
	case len(part):
	default:
		s.emit(part, exact)
	}
}
