package analyze

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// foldAccents returns w with Latin letters without their accents.
func foldAccents(w string) string {
	i := 0
	for i < len(w) && w[i] < utf8.RuneSelf {
		i++
	}
	if i == len(w) {
		return w
	}
	var b strings.Builder
	latin := false
	for _, r := range norm.NFD.String(w) {
		if unicode.Is(unicode.Mn, r) && latin {
			continue
		}
		latin = unicode.Is(unicode.Latin, r)
		if s, ok := letters(r); ok {
			b.WriteString(s)
		} else {
			b.WriteRune(r)
		}
	}
	return norm.NFC.String(b.String())
}

// letters returns what is written for a Latin letter that has no accent to lose.
func letters(r rune) (string, bool) {
	switch r {
	case 'ß':
		return "ss", true
	case 'æ':
		return "ae", true
	case 'œ':
		return "oe", true
	case 'ø':
		return "o", true
	case 'ł':
		return "l", true
	case 'đ', 'ð':
		return "d", true
	case 'ı':
		return "i", true
	case 'þ':
		return "th", true
	}
	return "", false
}

// plainNumber returns a number without separators of thousands and with a point
// as decimal sign. A comma between groups of three digits separates thousands
// everywhere but where it is the decimal sign; there a point does. Anything
// else, such as 1.2.3, stays.
func plainNumber(n string, comma bool) string {
	thousands, decimal := ",", "."
	if comma {
		thousands, decimal = ".", ","
	}
	whole, fraction, found := strings.Cut(n, decimal)
	if groups(whole, thousands) {
		whole = strings.ReplaceAll(whole, thousands, "")
	}
	if !found || strings.ContainsAny(whole+fraction, ".,") {
		return strings.ReplaceAll(whole+n[len(n)-len(fraction)-btoi(found):], ",", ".")
	}
	return whole + "." + fraction
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// groups reports whether n is one to three digits, then groups of three.
func groups(n, sep string) bool {
	parts := strings.Split(n, sep)
	for i, p := range parts {
		if len(p) > 3 || i > 0 && len(p) != 3 {
			return false
		}
	}
	return len(parts) > 1
}
