package chunk

import (
	"regexp"
	"strings"
)

// sourceType is the media type of source code.
const sourceType = "text/x-source"

// definition matches the beginning of a line, without its indentation, that
// begins a definition in one of the usual languages: what may stand before the
// keyword and the keyword, a method with its modifiers, a function of C, or a
// function as a value.
var definition = regexp.MustCompile(`^(?:` +
	`(?:(?:export|default|public|private|protected|internal|static|final|abstract|async|pub(?:\([a-z]+\))?|unsafe|extern|inline|virtual|override|sealed|partial|data|open|suspend|declare|const)\s+)*` +
	`(?:func|function\*?|def|class|interface|struct|enum|trait|impl|type|fn|module|mod|namespace|record|object|protocol|extension|sub|proc)\b[^=;]*` +
	`|(?:(?:public|private|protected|internal|static|final|abstract|async|virtual|override)\s+)+[^;={]*\([^;]*` +
	`|(?:export\s+)?(?:const|let|var)\s+\w+\s*=\s*(?:async\s*)?(?:function\b|\([^;]*=>|\w+\s*=>)` +
	`|(?i:create\s+(?:or\s+replace\s+)?(?:table|view|function|procedure|index|trigger)\b)` +
	`)`)

// cFunction matches a function of C and its like at the beginning of a line. Its
// brace may stand on the next.
var cFunction = regexp.MustCompile(`^[A-Za-z_][\w\s*&:<>,~\[\]]*\([^;]*$`)

// statements begin lines that look like a function of C.
var statements = regexp.MustCompile(`^(?:if|else|for|while|switch|return|try|catch|do|with|case|when|unless|until|elif|assert|print|import|from|using|require|include|package)\b`)

// maxSignature bounds, in bytes, how much of a line is looked at.
const maxSignature = 512

// definitions returns the blocks of source code. A definition begins with the
// comment above it and reaches to the next; those in it are below it, as the
// sections of a text are. Its first line stands in the path of headings.
func definitions(source string) []block {
	var out []block
	var open []int // indentation of the definitions that the line is in
	above := -1    // where the comment or decorator above the line begins
	add := func(b block) {
		if k := len(out); k == 0 || b.start > out[k-1].start {
			out = append(out, b)
		}
	}
	for i := 0; i < len(source); {
		end := afterLine(source, i)
		line := source[i:end]
		switch {
		case strings.TrimSpace(line) == "":
			above = -1
		case isRemark(line):
			if above < 0 {
				above = i
			}
		case defines(line, source[end:]):
			in := width(line)
			for len(open) > 0 && open[len(open)-1] >= in {
				open = open[:len(open)-1]
			}
			open = append(open, in)
			start := i
			if above >= 0 {
				start = above
			}
			add(block{start: start, form: heading, level: min(len(open), 6), title: signature(line)})
			add(block{start: end, form: lines})
			above = -1
		default:
			above = -1
		}
		i = end
	}
	if len(out) == 0 {
		return paragraphs(source)
	}
	if out[0].start > 0 {
		out = append([]block{{start: 0, form: lines}}, out...)
	}
	if last := len(out) - 1; out[last].start == len(source) {
		out = out[:last]
	}
	return closed(out, len(source))
}

// isRemark reports whether a line is a comment or a decorator.
func isRemark(line string) bool {
	line = strings.TrimLeft(line, " \t")
	for _, sign := range [...]string{"//", "#", "--", "/*", "*", "@", ";;", `"""`} {
		if strings.HasPrefix(line, sign) {
			return true
		}
	}
	return false
}

func defines(line, next string) bool {
	trimmed := strings.TrimLeft(line, " \t")
	indented := len(trimmed) < len(line)
	trimmed = strings.TrimRight(trimmed[:min(len(trimmed), maxSignature)], " \t\r\n")
	switch {
	case statements.MatchString(trimmed):
		return false
	case definition.MatchString(trimmed):
		return true
	}
	brace := strings.HasSuffix(trimmed, "{") || strings.HasPrefix(strings.TrimLeft(next[:min(len(next), 64)], " \t\r\n"), "{")
	return !indented && brace && cFunction.MatchString(trimmed)
}

// width is the indentation of a line; a tab counts as four spaces.
func width(line string) (n int) {
	for i := range len(line) {
		switch line[i] {
		case ' ':
			n++
		case '\t':
			n += 4
		default:
			return n
		}
	}
	return n
}

// signature is the first line of a definition without what opens its body.
func signature(line string) string {
	line = strings.Join(strings.Fields(line[:runeFloor(line, maxSignature)]), " ")
	line = strings.TrimRight(strings.TrimSuffix(strings.TrimSuffix(line, "{"), ":"), " ")
	if line == "" {
		return ""
	}
	return line[:runeFloor(line, maxHeading)]
}
