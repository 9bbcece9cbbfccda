package chunk

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// cutter returns where the unit ends that begins at i < len(text): a place to
// cut. It looks at nothing before i.
type cutter func(text string, i int) int

// cutters returns the units that a block is cut into, from the best place to
// cut to the worst.
func (f form) cutters() []cutter {
	fine := []cutter{afterWord, afterBytes, afterRune}
	switch f {
	case table:
		return append([]cutter{afterLine, afterSentence}, fine...)
	case fenced, lines:
		return append([]cutter{afterBlank, afterLine}, fine...)
	case list:
		return append([]cutter{afterItem, afterLine, afterSentence}, fine...)
	}
	return append([]cutter{afterSentence, afterLine}, fine...)
}

func afterLine(text string, i int) int {
	if n := strings.IndexByte(text[i:], '\n'); n >= 0 {
		return i + n + 1
	}
	return len(text)
}

// afterBlank ends after the next empty lines.
func afterBlank(text string, i int) int {
	for i < len(text) {
		i = afterLine(text, i)
		if end := skipBlank(text, i); end > i {
			return end
		}
	}
	return i
}

// skipBlank returns where the first line begins at or after i that is not empty.
func skipBlank(text string, i int) int {
	for i < len(text) {
		end := afterLine(text, i)
		if strings.TrimSpace(text[i:end]) != "" {
			return i
		}
		i = end
	}
	return i
}

// afterItem ends before the next list item that is not nested in this one.
func afterItem(text string, i int) int {
	base := indent(text[i:])
	for i = afterLine(text, i); i < len(text); i = afterLine(text, i) {
		if indent(text[i:]) <= base && isItem(text[i:]) {
			return i
		}
	}
	return i
}

func indent(line string) int {
	n := 0
	for n < len(line) && line[n] == ' ' {
		n++
	}
	return n
}

// isItem reports whether a line begins with the marker of a list.
func isItem(line string) bool {
	line = strings.TrimLeft(line[:min(len(line), 64)], " ")
	rest := strings.TrimLeft(line, "0123456789")
	if rest == "" {
		return false
	}
	marker := strings.IndexByte("-+*", rest[0]) >= 0
	if len(rest) < len(line) {
		marker = rest[0] == '.' || rest[0] == ')'
	}
	return marker && len(rest) > 1 && (rest[1] == ' ' || rest[1] == '\t' || rest[1] == '\n')
}

// afterSentence ends after a sign that ends sentences, with the quotes that
// close after it and the space. A point ends one only before space.
func afterSentence(text string, i int) int {
	for i < len(text) {
		r, n := utf8.DecodeRuneInString(text[i:])
		i += n
		switch r {
		case '.', '!', '?', '…':
			end := span(text, i, closes)
			if space := span(text, end, unicode.IsSpace); space > end {
				return space
			}
			i = end
		case '。', '！', '？', '．', '｡', '؟', '।', '။', '៕':
			return span(text, span(text, i, closes), unicode.IsSpace)
		}
	}
	return i
}

// closes reports whether r may stand between the end of a sentence and the
// space after it.
func closes(r rune) bool {
	return strings.ContainsRune(".!?…\"')]*_»”’」』）】。！？", r)
}

func afterWord(text string, i int) int {
	end := span(text, i, func(r rune) bool { return !unicode.IsSpace(r) })
	return span(text, end, unicode.IsSpace)
}

// fewBytes is small against the default sizes, so that cutting a run without
// any space fills chunks well.
const fewBytes = 32

func afterBytes(text string, i int) int { return i + runeFloor(text[i:], fewBytes) }

func afterRune(text string, i int) int {
	_, n := utf8.DecodeRuneInString(text[i:])
	return i + n
}
