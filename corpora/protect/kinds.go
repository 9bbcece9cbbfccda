package protect

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// match is a value in a text, and the same value in its one spelling.
type match struct {
	start, end int
	value      string
}

// Kinds are the kinds of values that a rule can find by name, sorted.
func Kinds() []string { return slices.Sorted(maps.Keys(kinds)) }

var kinds = map[string]func(string) []match{
	"email": func(text string) []match { return found(email, text, strings.ToLower) },
	"phone": phones,
	"card":  cards,
	"iban":  ibans,
	"ssn":   func(text string) []match { return found(ssn, text, digitsOf) },
}

// In Markdown a sign may have a backslash before it, and in the target of a link
// an address is written with %40. The texts are folded: see [fold]. A number of
// groups of four may be broken over two lines.
var (
	email = regexp.MustCompile(`[\pL\pN_][\pL\pN._%+'\\-]*(?:\\?@|%40)[\pL\pN-]+(?:\\?\.[\pL\pN-]+)+`)
	ssn   = regexp.MustCompile(`\b[0-9]{3}-\s?[0-9]{2}-\s?[0-9]{4}\b`)
	phone = regexp.MustCompile(`(?:\+|\b00)[1-9][0-9 ()./\\-]{6,22}[0-9]|\(?\b0[0-9]{1,5}\)?[ /.-]{1,2}[0-9][0-9 .-]{3,12}[0-9]\b|\(?\b[2-9][0-9]{2}\)?[ .-]{1,2}[0-9]{3}[ .-][0-9]{4}\b`)
	card  = regexp.MustCompile(`[2-6](?:(?:[ -]{0,2}|[ -]?\r?\n ?)[0-9]){12,60}`)
	iban  = regexp.MustCompile(`\b[A-Za-z]{2}[0-9]{2}(?:(?:[ -]{0,2}|[ -]?\r?\n ?)[A-Za-z0-9]){11,30}`)
)

func found(re *regexp.Regexp, text string, spell func(string) string) (out []match) {
	for _, at := range re.FindAllStringIndex(text, -1) {
		out = append(out, match{at[0], at[1], spell(text[at[0]:at[1]])})
	}
	return out
}

func pattern(re *regexp.Regexp) func(string) []match {
	return func(text string) []match { return found(re, text, func(s string) string { return s }) }
}

func digitsOf(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
}

// phones finds numbers of 7 to 15 digits (ITU-T E.164) that are written as
// telephone numbers.
func phones(text string) []match {
	return slices.DeleteFunc(found(phone, text, digitsOf), func(m match) bool { return len(m.value) < 7 || len(m.value) > 17 })
}

// cards finds numbers of 13 to 19 digits that have the check digit of a card
// (ISO/IEC 7812), also at the beginning or in the middle of a longer run.
func cards(text string) (out []match) {
	for _, at := range card.FindAllStringIndex(text, -1) {
		run := text[at[0]:at[1]]
		places := digitPlaces(run)
		for i := 0; i < len(places); {
			n := cardLength(run, places[i:])
			if n == 0 {
				i++
				continue
			}
			start, end := places[i], places[i+n-1]+1
			out = append(out, match{at[0] + start, at[0] + end, digitsOf(run[start:end])})
			i += n
		}
	}
	return out
}

func digitPlaces(s string) (out []int) {
	for i := range len(s) {
		if s[i] >= '0' && s[i] <= '9' {
			out = append(out, i)
		}
	}
	return out
}

// cardLength returns how many of the digits are a card number, the longest
// first; 0 is none.
func cardLength(s string, places []int) int {
	for n := min(19, len(places)); n >= 13; n-- {
		if s[places[0]] >= '2' && s[places[0]] <= '6' && luhn(s, places[:n]) && whole(s[places[0]:places[n-1]]) {
			return n
		}
	}
	return 0
}

func luhn(s string, places []int) bool {
	sum, same := 0, true
	for i := range places {
		d := int(s[places[len(places)-1-i]] - '0')
		same = same && s[places[i]] == s[places[0]]
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0 && !same
}

// ibans finds account numbers (ISO 13616) by their check digits. What follows
// one without a break is not part of it.
func ibans(text string) (out []match) {
	for _, at := range iban.FindAllStringIndex(text, -1) {
		run := text[at[0]:at[1]]
		for end := len(run); end >= 15; end-- {
			if c := run[end-1]; c == ' ' || c == '-' || c == '\r' || c == '\n' {
				continue
			}
			value := letters(run[:end])
			if len(value) >= 15 && len(value) <= 34 && mod97(value) && whole(run[:end]) {
				out = append(out, match{at[0], at[0] + end, value})
				break
			}
		}
	}
	return out
}

// whole reports whether a number is on one line, or broken once between groups of
// four: a column of numbers is no number.
func whole(s string) bool {
	before, after, broken := strings.Cut(s, "\n")
	return !broken || !strings.Contains(after, "\n") && len(letters(before))%4 == 0
}

func letters(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x80 && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
			return unicode.ToUpper(r)
		}
		return -1
	}, s)
}

func mod97(value string) bool {
	rest := 0
	for _, r := range value[4:] + value[:4] {
		switch {
		case r >= '0' && r <= '9':
			rest = (rest*10 + int(r-'0')) % 97
		default:
			rest = (rest*100 + int(r-'A') + 10) % 97
		}
	}
	return rest == 1
}
