package frontmatter

import (
	"bytes"
	"regexp"
	"unicode"

	"ken/corpora/internal/strictyaml"
)

// maxBytes bounds the block between the fences.
const maxBytes = 64 << 10

var bom = []byte("\ufeff")

// Split returns the block between the fences and what follows it. A file that
// does not begin with a fence is all body. The body is a part of data; a byte
// order mark is in neither.
func Split(data []byte) (block, body []byte, err error) {
	data = bytes.TrimPrefix(data, bom)
	first, rest, more := bytes.Cut(data, []byte("\n"))
	switch string(bytes.TrimRight(first, " \t\r")) {
	case "---":
		if !more {
			return nil, data, nil
		}
	case "+++":
		return nil, data, checkTOML(rest)
	default:
		return nil, data, checkMisplaced(data)
	}
	block, body, found := cutFence(rest)
	switch {
	case !found && aclKey.Match(head(rest)):
		return nil, nil, at(1, "the block that begins here and sets acl does not end: add a line --- after it")
	case !found:
		return nil, data, nil
	case len(block) > maxBytes:
		return nil, nil, at(1, "the front matter has %d bytes, the limit is %d; if --- is meant as a line across the page, write ***", len(block), maxBytes)
	}
	return block, body, nil
}

// cutFence cuts around the first line that is --- or ....
func cutFence(text []byte) (before, after []byte, found bool) {
	for start := 0; start < len(text); {
		line, next := text[start:], len(text)
		if i := bytes.IndexByte(line, '\n'); i >= 0 {
			line, next = line[:i], start+i+1
		}
		switch string(bytes.TrimRight(line, " \t\r")) {
		case "---", "...":
			return text[:start], text[next:], true
		}
		start = next
	}
	return nil, nil, false
}

// aclKey finds a line that sets acl, in YAML or TOML, in any case.
var aclKey = regexp.MustCompile(`(?mi)^[ \t]*[\["']*acl["'\]]*[ \t]*([:=.]|\r?$)`)

// checkMisplaced refuses a block that sets acl and that a person takes for front
// matter, though it does not begin at once, or its first line says more.
func checkMisplaced(data []byte) error {
	lead := bytes.TrimLeftFunc(head(data), func(r rune) bool {
		return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r)
	})
	if !bytes.HasPrefix(lead, []byte("---")) {
		return nil
	}
	lead = bytes.ReplaceAll(lead, []byte("\r"), []byte("\n"))
	_, rest, _ := bytes.Cut(lead, []byte("\n"))
	if block, _, _ := cutFence(rest); aclKey.Match(block) {
		return at(1, "a block that sets acl is not read here: front matter begins with --- alone in the first line")
	}
	return nil
}

// Refuse returns an error for the bytes of a file that is not Markdown and sets
// acl in front matter all the same, which would not be read.
func Refuse(data []byte) error {
	block, _, err := Split(data)
	if err == nil && aclKey.Match(block) {
		err = at(1, "acl in front matter is read in Markdown only: use a sidecar file")
	}
	if err != nil {
		return malformed(err)
	}
	return nil
}

// checkTOML refuses a TOML block that sets acl, since it is not read.
func checkTOML(rest []byte) error {
	if i := bytes.Index(rest, []byte("\n+++")); i >= 0 {
		rest = rest[:i]
	}
	if aclKey.Match(head(rest)) {
		return at(1, "acl in TOML front matter is not read: use YAML front matter (---) or a sidecar file")
	}
	return nil
}

func head(text []byte) []byte { return text[:min(len(text), maxBytes)] }

func at(line int, format string, args ...any) error {
	return strictyaml.ErrorAt(line, 1, format, args...)
}
