package chunk

import (
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/tiktoken-go/tokenizer"
)

const (
	// maxPiece is the longest piece, in bytes, that is given to the tokenizer:
	// merging a piece costs the square of its length.
	maxPiece = 128
	// maxKnown bounds the dictionary of piece lengths.
	maxKnown = 1 << 16
)

// counter counts tokens of o200k_base. It cuts text into pieces by the rules of
// the encoding, in code instead of a regular expression, and remembers how many
// tokens each piece takes: words repeat. The counts are those of the tokenizer
// itself, but for pieces longer than maxPiece bytes, which are counted in parts.
type counter struct {
	codec tokenizer.Codec
	known map[string]int
}

// counters keeps dictionaries for reuse; what they hold changes speed only.
type counters struct{ pool sync.Pool }

var shared counters

func (c *counters) get() *counter {
	if x, ok := c.pool.Get().(*counter); ok {
		return x
	}
	codec, err := tokenizer.Get(tokenizer.O200kBase)
	if err != nil { // the encoding is part of the program
		panic("chunk: " + err.Error())
	}
	return &counter{codec: codec, known: map[string]int{}}
}

// Tokens returns the number of tokens of text in the encoding o200k_base.
func Tokens(text string) int {
	c := shared.get()
	defer shared.pool.Put(c)
	return c.count(text)
}

func (c *counter) count(text string) int {
	n := 0
	for len(text) > 0 {
		end := pieceLen(text)
		n += c.tokens(text[:end])
		text = text[end:]
	}
	return n
}

// tokens returns the tokens of one piece.
func (c *counter) tokens(p string) int {
	n := 0
	for len(p) > maxPiece {
		end := runeFloor(p, maxPiece)
		n += c.part(p[:end])
		p = p[end:]
	}
	return n + c.part(p)
}

// part returns the tokens of a piece of at most maxPiece bytes, or of a part of
// a longer one.
func (c *counter) part(p string) int {
	if len(p) == 1 {
		return 1
	}
	if n, ok := c.known[p]; ok {
		return n
	}
	n, err := c.codec.Count(p)
	if err != nil { // no answer: no token is shorter than a byte
		n = len(p)
	}
	if len(c.known) >= maxKnown {
		clear(c.known)
	}
	c.known[strings.Clone(p)] = n // the key must not keep the text
	return n
}

// runeFloor returns the largest n <= limit at which text may be cut without
// splitting a character; at least one character.
func runeFloor(text string, limit int) int {
	if len(text) <= limit {
		return len(text)
	}
	n := limit
	for n > 0 && n > limit-utf8.UTFMax && !utf8.RuneStart(text[n]) {
		n--
	}
	if n > 0 && utf8.RuneStart(text[n]) {
		return n
	}
	_, n = utf8.DecodeRuneInString(text)
	return n
}

// pieceLen returns the length of the first piece of text, which is not empty. The
// encoding defines pieces by an ordered choice of patterns:
//
//	sign? upper* lower+ ending?   a word in small letters, maybe capitalised
//	sign? upper+ lower* ending?   a word in capitals
//	digit{1,3}
//	space? sign+ (line end or /)*
//	white* (line ends)+
//	white+ but the last, if something follows
//
// where a sign is neither letter, digit nor line end, letters without case
// and marks count as both upper and lower, and an ending is 's, 't, 're, 've,
// 'm, 'll or 'd.
func pieceLen(text string) int {
	r, n := utf8.DecodeRuneInString(text)
	if unicode.IsNumber(r) {
		return digits(text)
	}
	signed := !isLetter(r) && r != '\r' && r != '\n'
	for _, pattern := range [...]func(string, int) int{small, capital} {
		if signed {
			if end := pattern(text, n); end > 0 {
				return end
			}
		}
		if end := pattern(text, 0); end > 0 {
			return end
		}
	}
	if end := signs(text); end > 0 {
		return end
	}
	return white(text)
}

func isLetter(r rune) bool {
	if r < utf8.RuneSelf {
		return 'a' <= r|0x20 && r|0x20 <= 'z'
	}
	return unicode.IsLetter(r)
}

func isMark(r rune) bool { return r >= 0x300 && unicode.IsMark(r) }

// upperClass: letters that may be capitals. lowerClass: that may be small.
func upperClass(r rune) bool {
	if r < utf8.RuneSelf {
		return 'A' <= r && r <= 'Z'
	}
	return unicode.IsLetter(r) && !unicode.Is(unicode.Ll, r) || isMark(r)
}

func lowerClass(r rune) bool {
	if r < utf8.RuneSelf {
		return 'a' <= r && r <= 'z'
	}
	return unicode.IsLetter(r) && !unicode.Is(unicode.Lu, r) && !unicode.Is(unicode.Lt, r) || isMark(r)
}

// small returns where a word in small letters ends that begins at i, or 0. If
// no small letter follows the capitals, the last of them that is also a small
// letter (it has no case) ends the word.
func small(text string, i int) int {
	upper := span(text, i, upperClass)
	end := span(text, upper, lowerClass)
	for end == upper && upper > i {
		r, n := utf8.DecodeLastRuneInString(text[i:upper])
		if lowerClass(r) {
			return ending(text, upper)
		}
		upper -= n
		end = upper
	}
	if end == i {
		return 0
	}
	return ending(text, end)
}

// capital returns where a word in capitals ends that begins at i, or 0.
func capital(text string, i int) int {
	upper := span(text, i, upperClass)
	if upper == i {
		return 0
	}
	return ending(text, span(text, upper, lowerClass))
}

// span returns where the characters of a class end that begin at i.
func span(text string, i int, class func(rune) bool) int {
	for i < len(text) {
		r, n := utf8.DecodeRuneInString(text[i:])
		if !class(r) {
			break
		}
		i += n
	}
	return i
}

// ending returns where an English ending at i ends.
func ending(text string, i int) int {
	if i+1 >= len(text) || text[i] != '\'' {
		return i
	}
	second := byte(0)
	if i+2 < len(text) {
		second = text[i+2] | 0x20
	}
	switch first := text[i+1] | 0x20; {
	case first == 's' || first == 't' || first == 'm' || first == 'd':
		return i + 2
	case first == 'r' && second == 'e', first == 'v' && second == 'e', first == 'l' && second == 'l':
		return i + 3
	}
	return i
}

func digits(text string) int {
	i := 0
	for k := 0; k < 3 && i < len(text); k++ {
		r, n := utf8.DecodeRuneInString(text[i:])
		if !unicode.IsNumber(r) {
			break
		}
		i += n
	}
	return i
}

// signs returns where a run of signs ends that begins text, maybe after a space,
// with the line ends and slashes after it; 0 if there is none.
func signs(text string) int {
	i := 0
	if text[0] == ' ' {
		i = 1
	}
	end := span(text, i, isSign)
	if end == i {
		return 0
	}
	for end < len(text) && (text[end] == '\r' || text[end] == '\n' || text[end] == '/') {
		end++
	}
	return end
}

func isSign(r rune) bool {
	return !unicode.IsSpace(r) && !isLetter(r) && !unicode.IsNumber(r)
}

// white returns where the white space ends that begins text: with its last line
// end if it has one, else before its last character if a word follows.
func white(text string) int {
	line, last := 0, 0
	i := 0
	for i < len(text) {
		r, n := utf8.DecodeRuneInString(text[i:])
		if !unicode.IsSpace(r) {
			break
		}
		last = i
		i += n
		if r == '\r' || r == '\n' {
			line = i
		}
	}
	switch {
	case line > 0:
		return line
	case i < len(text) && last > 0:
		return last
	}
	return i
}
