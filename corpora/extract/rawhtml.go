package extract

import (
	"bytes"
	"strings"
)

// rawHTML returns the ranges of raw HTML (CommonMark 0.31, section 6.6) in the
// text of one block from an offset on, code spans left out. Each search for an
// end that is not there is made once, so the time is linear.
func rawHTML(text []byte, from int) []cut {
	s := inlineScanner{text: text, ticks: map[int][]int{}}
	var out []cut
	for i := from; i < len(text); {
		switch text[i] {
		case '\\':
			i += 2
		case '`':
			i = s.codeSpan(i)
		case '<':
			if end := s.html(i); end > 0 {
				out = append(out, cut{i, end})
				i = end
			} else {
				i++
			}
		default:
			n := bytes.IndexAny(text[i:], "\\`<")
			if n < 0 {
				return out
			}
			i += n
		}
	}
	return out
}

type inlineScanner struct {
	text  []byte
	ticks map[int][]int  // where the runs of ticks begin, by length; nil until the first tick
	ran   bool           // ticks is filled
	gone  map[string]int // where an end is not found from on
}

// codeSpan returns where the code span ends that the run of ticks at i begins,
// or where the run ends if no run of this length follows.
func (s *inlineScanner) codeSpan(i int) int {
	if !s.ran {
		s.ran = true
		for j := i; j < len(s.text); j++ {
			if s.text[j] == '`' {
				n := runOf(s.text[j:])
				s.ticks[n] = append(s.ticks[n], j)
				j += n
			}
		}
	}
	n := runOf(s.text[i:])
	runs := s.ticks[n]
	for len(runs) > 0 && runs[0] <= i {
		runs = runs[1:]
	}
	s.ticks[n] = runs
	if len(runs) == 0 {
		return i + n
	}
	return runs[0] + n
}

func runOf(text []byte) int {
	n := 0
	for n < len(text) && text[n] == text[0] {
		n++
	}
	return n
}

// html returns where the tag, comment or the like ends that begins at i, or 0.
func (s *inlineScanner) html(i int) int {
	rest := s.text[i:]
	switch {
	case bytes.HasPrefix(rest, []byte("<!-->")):
		return i + len("<!-->")
	case bytes.HasPrefix(rest, []byte("<!--->")):
		return i + len("<!--->")
	case bytes.HasPrefix(rest, []byte("<!--")):
		return s.after(i+len("<!--"), "-->")
	case bytes.HasPrefix(rest, []byte("<?")):
		return s.after(i+len("<?"), "?>")
	case bytes.HasPrefix(rest, []byte("<![CDATA[")):
		return s.after(i+len("<![CDATA["), "]]>")
	case len(rest) > 2 && rest[1] == '!' && isAlpha(rest[2]):
		return s.after(i+2, ">")
	case len(rest) > 2 && rest[1] == '/' && isAlpha(rest[2]):
		j := skip(s.text, i+2, isTagName)
		return s.closed(skip(s.text, j, isSpace))
	case len(rest) > 1 && isAlpha(rest[1]):
		return s.openTag(skip(s.text, i+1, isTagName))
	}
	return 0
}

// after returns where end ends that follows at or after i, or 0.
func (s *inlineScanner) after(i int, end string) int {
	if from, ok := s.gone[end]; ok && i >= from {
		return 0
	}
	if n := bytes.Index(s.text[i:], []byte(end)); n >= 0 {
		return i + n + len(end)
	}
	if s.gone == nil {
		s.gone = map[string]int{}
	}
	s.gone[end] = i
	return 0
}

// closed returns i+1 if a tag ends at i, or 0.
func (s *inlineScanner) closed(i int) int {
	if i < len(s.text) && s.text[i] == '>' {
		return i + 1
	}
	return 0
}

// openTag reads the attributes from i on and returns where the tag ends, or 0.
func (s *inlineScanner) openTag(i int) int {
	for {
		j := skip(s.text, i, isSpace)
		name := j
		if j > i && j < len(s.text) && (isAlpha(s.text[j]) || s.text[j] == '_' || s.text[j] == ':') {
			j = skip(s.text, j, isAttribute)
		}
		if j == name {
			if j < len(s.text) && s.text[j] == '/' {
				j++
			}
			return s.closed(j)
		}
		i = j
		if equals := skip(s.text, j, isSpace); equals < len(s.text) && s.text[equals] == '=' {
			if i = s.value(skip(s.text, equals+1, isSpace)); i == 0 {
				return 0
			}
		}
	}
}

// value returns where the value of an attribute ends that begins at i, or 0.
func (s *inlineScanner) value(i int) int {
	if i >= len(s.text) {
		return 0
	}
	if q := s.text[i]; q == '"' || q == '\'' {
		return s.after(i+1, string(q))
	}
	if end := skip(s.text, i, isUnquoted); end > i {
		return end
	}
	return 0
}

func skip(text []byte, i int, class func(byte) bool) int {
	for i < len(text) && class(text[i]) {
		i++
	}
	return i
}

func isAlpha(b byte) bool { return 'a' <= b|0x20 && b|0x20 <= 'z' }
func isSpace(b byte) bool { return b == ' ' || b == '\t' || b == '\n' }
func isTagName(b byte) bool {
	return isAlpha(b) || '0' <= b && b <= '9' || b == '-'
}
func isAttribute(b byte) bool {
	return isTagName(b) || b == '_' || b == '.' || b == ':'
}
func isUnquoted(b byte) bool { return !isSpace(b) && strings.IndexByte("\"'=<>`", b) < 0 }
