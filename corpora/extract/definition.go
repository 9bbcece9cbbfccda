package extract

import "bytes"

// linkDefinition is a link reference definition (CommonMark 0.31, section 4.7).
type linkDefinition struct {
	end     int  // after its line end
	comment bool // it has a title and leads nowhere
}

// definition reads the one that begins at i, the beginning of a line. What is
// searched for is looked for within this many bytes.
func definition(text []byte, i int) (linkDefinition, bool) {
	const longest = 8 << 10
	text = text[:min(len(text), i+longest)]
	i = skip(text, i, isSpace)
	label := labelEnd(text, i)
	if label == 0 || label >= len(text) || text[label] != ':' {
		return linkDefinition{}, false
	}
	start := skip(text, label+1, isSpace)
	target := targetEnd(text, start)
	if target == start {
		return linkDefinition{}, false
	}
	to := string(text[start:target])
	if end := titleEnd(text, target); end > 0 {
		if end, ok := lineEnd(text, end); ok {
			return linkDefinition{end, to == "#" || to == "<>"}, true
		}
	}
	end, ok := lineEnd(text, target)
	return linkDefinition{end: end}, ok
}

// labelEnd returns where the label in brackets ends that begins at i, or 0.
func labelEnd(text []byte, i int) int {
	if i >= len(text) || text[i] != '[' {
		return 0
	}
	for j := i + 1; j < min(len(text), i+1000); j++ {
		switch text[j] {
		case '\\':
			j++
		case '[':
			return 0
		case ']':
			if len(bytes.TrimSpace(text[i+1:j])) == 0 {
				return 0
			}
			return j + 1
		}
	}
	return 0
}

// targetEnd returns where the link target ends that begins at i; i if there is
// none.
func targetEnd(text []byte, i int) int {
	if i >= len(text) || text[i] != '<' {
		return skip(text, i, func(b byte) bool { return !isSpace(b) })
	}
	for j := i + 1; j < len(text) && text[j] != '\n' && text[j] != '<'; j++ {
		switch text[j] {
		case '\\':
			j++
		case '>':
			return j + 1
		}
	}
	return i
}

// titleEnd returns where the title ends that follows i after white space, or 0.
func titleEnd(text []byte, i int) int {
	start := skip(text, i, isSpace)
	if start == i || start >= len(text) {
		return 0
	}
	closing := text[start]
	switch closing {
	case '(':
		closing = ')'
	case '"', '\'':
	default:
		return 0
	}
	for j := start + 1; j < len(text); j++ {
		switch text[j] {
		case '\\':
			j++
		case closing:
			return j + 1
		}
	}
	return 0
}

// lineEnd returns where the line ends that has nothing but spaces from i on.
func lineEnd(text []byte, i int) (int, bool) {
	i = skip(text, i, func(b byte) bool { return b == ' ' || b == '\t' })
	if i >= len(text) {
		return i, true
	}
	return i + 1, text[i] == '\n'
}
