package analyze

import (
	"cmp"
	"strings"
	"sync"
	"unicode"

	"github.com/abadojack/whatlanggo"
)

const (
	maxSample = 2 << 10  // bytes of prose that are looked at
	maxScan   = 64 << 10 // bytes of text that are searched for them

	// fewWords are so few that one frequent word among them proves nothing: "one"
	// is one of Polish. Of pieces of one word of English and German encyclopedia
	// text, 10 % were told to be of another language by one word, and .1 % are
	// without; of two words 8 % and .7 %. From three words on it is right twelve
	// times as often as wrong.
	fewWords = 3
)

// Detect returns the language that most of a text is written in, or [Und] if it
// cannot be told. It reads the first [maxSample] bytes of prose, code and
// addresses left out. The script decides where it can: kana is Japanese, Han
// without kana Chinese. Between the languages of one script frequent words
// decide, which takes a few microseconds and works for one line; trigrams decide
// when those do not.
func Detect(text string) string {
	sample := prose(text)
	var c scripts
	c.count(sample)
	if lang := c.language(2); lang != "" {
		return lang
	}
	if lang := vote(sample); lang != Und {
		return lang
	}
	return cmp.Or(c.language(4), Und) // commands and names among few characters
}

// prose returns the beginning of text without code blocks, code spans, link
// targets, tags and addresses.
func prose(text string) string {
	var b strings.Builder
	fence := ""
	text = text[:min(len(text), maxScan)]
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if mark := line[:min(3, len(line))]; mark == "```" || mark == "~~~" {
			if fence == "" {
				fence = mark
			} else if fence == mark {
				fence = ""
			}
			continue
		}
		if fence == "" {
			addProse(&b, line)
		}
		if b.Len() > maxSample {
			break
		}
	}
	return b.String()
}

func addProse(b *strings.Builder, line string) {
	for field := range strings.FieldsSeq(line) {
		field, _, _ = strings.Cut(field, "](")
		if b.Len()+len(field) > 2*maxSample {
			field = field[:min(len(field), maxSample)]
		}
		if isASCII(field) && strings.ContainsAny(field, "`<>{}=@_\\/$#") {
			continue
		}
		b.WriteString(field)
		b.WriteByte(' ')
		if b.Len() > 2*maxSample {
			return
		}
	}
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// scripts counts the letters of a text by script.
type scripts struct {
	latin, vietnamese, cyrillic, ukrainian, belarusian  int
	greek, hebrew, han, kana, hangul, thai, lao, km, my int
	other                                               int
}

func (c *scripts) count(text string) {
	for _, r := range text {
		switch {
		case r < 0x80:
			if isLatin(r) {
				c.latin++
			}
		case r < 0x250:
			c.latin++
		case 0x1EA0 <= r && r <= 0x1EF9:
			c.vietnamese++
			c.latin++
		case 0x370 <= r && r < 0x400:
			c.greek++
		case 0x400 <= r && r < 0x530:
			c.addCyrillic(r)
		case 0x590 <= r && r < 0x600:
			c.hebrew++
		case 0x3041 <= r && r <= 0x30FF:
			c.kana++
		default:
			c.addOther(r)
		}
	}
}

func isLatin(r rune) bool { return 'a' <= r|0x20 && r|0x20 <= 'z' }

func (c *scripts) addCyrillic(r rune) {
	c.cyrillic++
	switch unicode.ToLower(r) {
	case 'і', 'ї', 'є', 'ґ':
		c.ukrainian++
	case 'ў':
		c.belarusian++
	}
}

func (c *scripts) addOther(r rune) {
	switch {
	case unicode.Is(unicode.Han, r):
		c.han++
	case 0xAC00 <= r && r <= 0xD7A3:
		c.hangul++
	case 0xE00 <= r && r < 0xE80:
		c.thai++
	case 0xE80 <= r && r < 0xF00:
		c.lao++
	case 0x1780 <= r && r < 0x1800:
		c.km++
	case 0x1000 <= r && r < 0x10A0:
		c.my++
	case unicode.IsLetter(r):
		c.other++
	}
}

// wide is how many letters of an alphabet say as much as a Han character.
const wide = 3

// language returns the language of a script that only one language has and that
// at least one part in share of the text is written in, or "".
func (c *scripts) language(share int) string {
	cjk := c.han + c.kana
	total := c.latin + c.cyrillic + c.greek + c.hebrew + c.other + wide*(cjk+c.hangul) + c.thai + c.lao + c.km + c.my
	most := func(n int) bool { return n > 0 && share*n >= total }
	switch {
	case total == 0:
		return Und
	case most(wide*cjk) && 8*c.kana >= cjk:
		return "ja"
	case most(wide * cjk):
		return "zh"
	case most(wide * c.hangul):
		return "ko"
	case most(c.thai):
		return "th"
	case most(c.lao):
		return "lo"
	case most(c.km):
		return "km"
	case most(c.my):
		return "my"
	case most(c.greek):
		return "el"
	case most(c.hebrew):
		return "he"
	case most(c.cyrillic) && c.belarusian > 0:
		return Und
	case most(c.cyrillic) && 50*c.ukrainian >= c.cyrillic:
		return "uk"
	case most(c.latin) && 33*c.vietnamese >= c.latin:
		return "vi"
	}
	return ""
}

// voters are the languages with frequent words, and the words of them all.
type voters struct {
	codes []string
	words map[string]uint64 // bit i: a frequent word of codes[i]
}

var electorate = sync.OnceValue(func() voters {
	v := voters{words: map[string]uint64{}}
	for _, l := range languages() {
		if l.stops == nil {
			continue
		}
		bit := uint64(1) << len(v.codes)
		v.codes = append(v.codes, l.code)
		for w := range stopWords(l.stops, nil) {
			v.words[w] |= bit
		}
	}
	return v
})

// vote returns the language with the most frequent words in the sample. Without
// a clear winner it asks the trigrams.
func vote(sample string) string {
	v := electorate()
	var hits [64]int
	words := 0
	s := scanner{emit: func(token []byte, k kind) {
		if k != word {
			return
		}
		words++
		for set, i := v.words[string(token)], 0; set != 0; set, i = set>>1, i+1 {
			hits[i] += int(set & 1)
		}
	}}
	s.scan(sample)
	first, second := -1, 0
	for i, n := range hits {
		switch {
		case n > 0 && (first < 0 || n > hits[first]):
			if first >= 0 {
				second = hits[first]
			}
			first = i
		case n > second:
			second = n
		}
	}
	if first >= 0 && hits[first] >= 2 && 10*hits[first] >= words && 2*hits[first] >= 3*second {
		return v.codes[first]
	}
	return trigrams(sample, v.codes, hits[:], words)
}

// trigrams asks whatlanggo. Where it is not sure, its answer must have as many
// frequent words as any other language, and at least one, two among few words.
func trigrams(sample string, codes []string, hits []int, words int) string {
	info := whatlanggo.DetectWithOptions(sample, whatlanggo.Options{Whitelist: known()})
	code := iso(info.Lang)
	if info.Script == nil || code == "" {
		return Und
	}
	if info.IsReliable() && len(sample) >= 40 {
		return code
	}
	best, own := 0, 0
	for i, c := range codes {
		best = max(best, hits[i])
		if c == code {
			own = hits[i]
		}
	}
	switch {
	case best == 0 || best == 1 && words < fewWords:
		return Und
	case own == best:
		return code
	}
	return unique(codes, hits, best)
}

// unique returns the only language with that many hits, or [Und].
func unique(codes []string, hits []int, best int) string {
	found := Und
	for i, c := range codes {
		switch {
		case hits[i] != best:
		case found != Und:
			return Und
		default:
			found = c
		}
	}
	return found
}

// iso returns the code of a language of whatlanggo as it is used here, or "".
func iso(l whatlanggo.Lang) string {
	switch code := l.Iso6391(); code {
	case "nb", "nn":
		return "no"
	default:
		return code
	}
}

// known are the languages that whatlanggo may answer with.
var known = sync.OnceValue(func() map[whatlanggo.Lang]bool {
	ours := map[string]bool{}
	for _, code := range Languages() {
		ours[code] = true
	}
	out := map[whatlanggo.Lang]bool{}
	for l := range whatlanggo.Langs {
		if ours[iso(l)] {
			out[l] = true
		}
	}
	return out
})
