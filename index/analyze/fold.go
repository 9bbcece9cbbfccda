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

// umlauts writes ae, oe and ue, as people without an umlaut on the keyboard
// write it, like ä, ö and ü without their dots. After a vowel or q, ue is no ü.
func umlauts(w string) string {
	if !strings.Contains(w, "ae") && !strings.Contains(w, "oe") && !strings.Contains(w, "ue") {
		return w
	}
	out := make([]byte, 0, len(w))
	for i := range len(w) {
		last := byte('-')
		if i > 0 {
			last = w[i-1]
		}
		before := byte('-')
		if i > 1 {
			before = w[i-2]
		}
		if w[i] == 'e' && (last == 'a' || last == 'o' || last == 'u' && strings.IndexByte("aeiouq", before) < 0) {
			continue
		}
		out = append(out, w[i])
	}
	return string(out)
}

// greek drops the accents, which many leave out.
func greek(w string) string {
	return norm.NFC.String(strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, norm.NFD.String(w)))
}

// yo writes ё as е, as most do.
func yo(w string) string { return strings.ReplaceAll(w, "ё", "е") }

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
