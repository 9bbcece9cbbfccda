package mark

import "strings"

// Line returns a line of text such that Markdown reads it as that text: marks
// that would begin a block are escaped, and those that would begin HTML or a link.
func Line(s string) string {
	s = inline(s)
	if s == "" {
		return ""
	}
	switch c := s[0]; {
	case c == '#' || c == '>' || c == '~' && strings.HasPrefix(s, "~~~"):
		return `\` + s
	case c == '-' || c == '+' || c == '*' || c == '=' || c == '_':
		if len(s) == 1 || s[1] == ' ' || s[1] == '\t' || strings.Trim(s, s[:1]+" \t") == "" {
			return `\` + s
		}
	case c == '|':
		return `\` + s
	case '0' <= c && c <= '9':
		digits := len(s) - len(strings.TrimLeft(s, "0123456789"))
		if digits < len(s) && (s[digits] == '.' || s[digits] == ')') && (digits+1 == len(s) || s[digits+1] == ' ') {
			return s[:digits] + `\` + s[digits:]
		}
	}
	return s
}

// inline escapes what means something anywhere in a line.
func inline(s string) string {
	if !strings.ContainsAny(s, "<`]\\{&") {
		return s
	}
	var b strings.Builder
	for i := range len(s) {
		next := byte(0)
		if i+1 < len(s) {
			next = s[i+1]
		}
		switch s[i] {
		case '<':
			if (next == '!' || next == '/' || next == '?' || isLetter(next)) && !isAddress(s[i+1:]) {
				b.WriteByte('\\')
			}
		case '`':
			b.WriteByte('\\')
		case ']':
			if next == '(' || next == '[' || next == ':' {
				b.WriteByte('\\')
			}
		case '\\':
			if isPunctuation(next) {
				b.WriteByte('\\')
			}
		case '{':
			if next == '%' || next == '{' || next == ':' || next == '#' {
				b.WriteByte('\\')
			}
		case '&':
			if next == '#' || isLetter(next) {
				b.WriteByte('\\')
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// isAddress reports whether a < opens a mail address, which Markdown writes so too.
func isAddress(s string) bool {
	inner, _, closed := strings.Cut(s[:min(len(s), 254)], ">")
	name, host, at := strings.Cut(inner, "@")
	return closed && at && name != "" && host != "" && !strings.ContainsAny(inner, " \t\"'<=/:")
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

func isPunctuation(c byte) bool {
	return c > ' ' && c < 0x7f && !isLetter(c) && (c < '0' || c > '9')
}
