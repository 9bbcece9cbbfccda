package index

import (
	"bytes"
	"html"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxMarkup bounds, in bytes, how far the end of a tag, a link target or a code
// span is looked for, so that text full of openings costs linear time.
const maxMarkup = 1024

// plainer turns Markdown into the words of it, line by line.
type plainer struct {
	out     []byte
	fence   string // what closes the open code block; "" outside of one
	comment bool   // inside an HTML comment
	open    []int  // where in out the brackets stand that are still open on this line
	gone    []int  // where in out the brackets of links stand on this line
}

// add appends the words of text, which begins a line.
func (p *plainer) add(text string) {
	for line := range strings.Lines(text) {
		if p.line(strings.TrimRight(line, "\r\n")) {
			p.newline()
		}
	}
}

// newline ends a line of the output, without doubling empty lines.
func (p *plainer) newline() {
	if len(p.gone) > 0 {
		p.remove()
	}
	p.out = bytes.TrimRight(p.out, " \t")
	if n := len(p.out); n > 0 && (p.fence != "" || n < 2 || p.out[n-1] != '\n' || p.out[n-2] != '\n') {
		p.out = append(p.out, '\n')
	}
}

// remove takes the brackets of links out of the line, which begins before the
// first of them.
func (p *plainer) remove() {
	slices.Sort(p.gone)
	n := p.gone[0]
	for i := n; i < len(p.out); i++ {
		if len(p.gone) > 0 && p.gone[0] == i {
			p.gone = p.gone[1:]
			continue
		}
		p.out[n] = p.out[i]
		n++
	}
	p.out, p.gone = p.out[:n], p.gone[:0]
}

// line appends the words of a line and reports whether it is a line of words.
func (p *plainer) line(line string) bool {
	body := strings.TrimLeft(line, " \t>")
	switch {
	case p.fence != "":
		return p.code(line, body)
	case fenceOf(body) != "" && !p.comment:
		p.fence = fenceOf(body)
		p.out = append(p.out, strings.TrimLeft(body, "`~")...)
	case isRule(body), isReference(body):
		return false
	default:
		p.open = p.open[:0]
		p.inline(trimMarker(body))
	}
	return true
}

// code copies a line of a code block, or ends the block.
func (p *plainer) code(line, body string) bool {
	if strings.HasPrefix(body, p.fence) && strings.Trim(body, p.fence[:1]+" \t") == "" {
		p.fence = ""
		return false
	}
	p.out = append(p.out, line...)
	return true
}

// fenceOf returns the signs that begin a code block, or "".
func fenceOf(body string) string {
	for _, sign := range [...]string{"```", "~~~"} {
		if strings.HasPrefix(body, sign) {
			n := len(body) - len(strings.TrimLeft(body, sign[:1]))
			if sign == "```" && strings.Contains(body[n:], "`") {
				return "" // a code span
			}
			return body[:n]
		}
	}
	return ""
}

// isRule reports whether the line is signs only: a thematic break, the rule of
// a table or the underline of a heading.
func isRule(body string) bool {
	return len(body) > 1 && strings.Trim(body, "-=_*|:+ \t") == ""
}

// isReference reports whether the line is a link reference definition: a target
// without spaces and perhaps a title in quotes. [Note]: as a sentence begins is
// text.
func isReference(body string) bool {
	if !strings.HasPrefix(body, "[") || strings.HasPrefix(body, "[^") {
		return false
	}
	label, target, ok := strings.Cut(body[1:], "]:")
	if !ok || strings.ContainsAny(label, "[]") {
		return false
	}
	target = strings.TrimSpace(target)
	if inner, ok := strings.CutPrefix(target, "<"); ok {
		_, target, ok = strings.Cut(inner, ">")
		return ok && isLinkTitle(target)
	}
	end := strings.IndexAny(target, " \t")
	return target != "" && (end < 0 || isLinkTitle(target[end:]))
}

func isLinkTitle(s string) bool {
	s = strings.TrimSpace(s)
	if s == "" {
		return true
	}
	i := strings.IndexByte("\"'(", s[0])
	return i >= 0 && len(s) > 1 && s[len(s)-1] == "\"')"[i]
}

// trimMarker cuts the sign of a heading, a list item or a task.
func trimMarker(body string) string {
	if h := strings.TrimLeft(body, "#"); len(h) < len(body) && strings.HasPrefix(h, " ") {
		return strings.TrimRight(strings.TrimSpace(h), "#")
	}
	if len(body) > 1 && strings.IndexByte("-+*", body[0]) >= 0 && body[1] == ' ' {
		body = strings.TrimLeft(body[2:], " ")
	}
	for _, box := range [...]string{"[ ] ", "[x] ", "[X] "} {
		body = strings.TrimPrefix(body, box)
	}
	return body
}

// inline copies one line and leaves out its marks.
func (p *plainer) inline(s string) {
	for i := 0; i < len(s); {
		if p.comment {
			i = p.skipComment(s, i)
			continue
		}
		if n := strings.IndexAny(s[i:], "\\`<[]*_~|{&!"); n != 0 {
			if n < 0 {
				n = len(s) - i
			}
			p.out = append(p.out, s[i:i+n]...)
			i += n
			continue
		}
		i = p.sign(s, i)
	}
}

func (p *plainer) skipComment(s string, i int) int {
	end := strings.Index(s[i:], "-->")
	if end < 0 {
		return len(s)
	}
	p.comment = false
	return i + end + len("-->")
}

// sign handles the possible mark at i and returns where to go on.
func (p *plainer) sign(s string, i int) int {
	switch s[i] {
	case '\\':
		return p.escape(s, i)
	case '`':
		return p.span(s, i)
	case '<':
		return p.tag(s, i)
	case '[':
		p.open = append(p.open, len(p.out))
	case ']':
		return p.target(s, i)
	case '*', '_', '~':
		return p.emphasis(s, i)
	case '|':
		p.out = append(p.out, ' ')
		return i + 1
	case '{':
		return p.template(s, i)
	case '&':
		return p.entity(s, i)
	case '!':
		if strings.HasPrefix(s[i:], "![") {
			return i + 1
		}
	}
	p.out = append(p.out, s[i])
	return i + 1
}

func (p *plainer) escape(s string, i int) int {
	if i+1 < len(s) && s[i+1] < utf8.RuneSelf && !isWord(s[i+1]) {
		p.out = append(p.out, s[i+1])
		return i + 2
	}
	p.out = append(p.out, '\\')
	return i + 1
}

// span copies a code span as it is, without its ticks.
func (p *plainer) span(s string, i int) int {
	n := len(s[i:]) - len(strings.TrimLeft(s[i:], "`"))
	ticks := s[i : i+n]
	if end := within(s, i+n, ticks); end >= 0 {
		p.out = append(p.out, strings.TrimSpace(s[i+n:end])...)
		return end + n
	}
	return i + n
}

// tag leaves out an HTML tag or an automatic link's brackets.
func (p *plainer) tag(s string, i int) int {
	switch {
	case strings.HasPrefix(s[i:], "<!--"):
		p.comment = true
		return i + len("<!--")
	case i+1 < len(s) && (isWord(s[i+1]) || s[i+1] == '/'):
		if end := within(s, i+1, ">"); end >= 0 {
			if inner := s[i+1 : end]; strings.ContainsAny(inner, ":@") && !strings.ContainsAny(inner, " \"'") {
				p.out = append(p.out, inner...) // <https://…>, <ann@example.com>
			} else {
				p.out = append(p.out, ' ')
			}
			return end + 1
		}
	}
	p.out = append(p.out, '<')
	return i + 1
}

// target ends a link's text: it takes the brackets away and skips the target.
func (p *plainer) target(s string, i int) int {
	end := -1
	if len(p.open) > 0 && i+1 < len(s) {
		switch s[i+1] {
		case '(':
			end = closing(s, i+2)
		case '[':
			end = within(s, i+2, "]")
		}
	}
	if end < 0 {
		p.out = append(p.out, ']')
		p.open = p.open[:max(0, len(p.open)-1)]
		return i + 1
	}
	last := len(p.open) - 1
	p.gone = append(p.gone, p.open[last])
	p.open = p.open[:last]
	return end + 1
}

// closing returns where the parenthesis closes that is open before i, or -1.
func closing(s string, i int) int {
	depth := 1
	for j := i; j < min(len(s), i+maxMarkup); j++ {
		switch s[j] {
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return j
			}
		}
	}
	return -1
}

// within returns where sep next stands, at most maxMarkup bytes on, or -1.
func within(s string, i int, sep string) int {
	if n := strings.Index(s[i:min(len(s), i+maxMarkup)], sep); n >= 0 {
		return i + n
	}
	return -1
}

// emphasis leaves out marks that begin or end something; between two letters or
// digits (2*3, user_id) or two spaces they stay.
func (p *plainer) emphasis(s string, i int) int {
	n := len(s[i:]) - len(strings.TrimLeft(s[i:], s[i:i+1]))
	before := i > 0 && isWord(s[i-1])
	after := i+n < len(s) && isWord(s[i+n])
	if before && after && n == 1 || s[i] == '~' && n == 1 {
		p.out = append(p.out, s[i:i+n]...)
	}
	return i + n
}

// template leaves out tags of Jekyll and attributes of Kramdown: {% … %},
// {{ … }}, {: … }, {#…}.
func (p *plainer) template(s string, i int) int {
	for _, pair := range [...][2]string{{"{%", "%}"}, {"{{", "}}"}, {"{:", "}"}, {"{#", "}"}} {
		if strings.HasPrefix(s[i:], pair[0]) {
			if end := within(s, i+2, pair[1]); end >= 0 {
				return end + len(pair[1])
			}
		}
	}
	p.out = append(p.out, '{')
	return i + 1
}

func (p *plainer) entity(s string, i int) int {
	end := strings.IndexByte(s[i:min(len(s), i+32)], ';')
	if end > 0 {
		if text := html.UnescapeString(s[i : i+end+1]); text != s[i:i+end+1] {
			p.out = append(p.out, strings.ReplaceAll(text, "\u00a0", " ")...)
			return i + end + 1
		}
	}
	p.out = append(p.out, '&')
	return i + 1
}

// isWord reports whether b is part of a letter or digit.
func isWord(b byte) bool {
	return b >= utf8.RuneSelf || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9'
}
