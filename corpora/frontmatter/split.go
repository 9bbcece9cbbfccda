package frontmatter

import (
	"bytes"

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
	if string(bytes.TrimRight(first, " \t\r")) != "---" {
		return nil, data, checkUnread(data, 1)
	}
	if !more {
		return nil, data, nil
	}
	block, body, found := cutFence(rest)
	switch {
	case !found && setsACL(rest):
		return nil, nil, at(1, "the block that begins here and sets acl does not end: add a line --- after it")
	case !found:
		return nil, data, nil
	case len(block) > maxBytes:
		return nil, nil, at(1, "the front matter has %d bytes, the limit is %d; if --- is meant as a line across the page, write ***", len(block), maxBytes)
	}
	return block, body, checkUnread(body, 3+bytes.Count(block, []byte("\n")))
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

// Refuse returns an error for the bytes of a file that is not Markdown and sets
// acl in front matter all the same, which would not be read.
func Refuse(data []byte) error {
	block, _, err := Split(data)
	if err == nil && setsACL(block) {
		err = at(1, "acl in front matter is read in Markdown only: use a sidecar file")
	}
	if err != nil {
		return malformed(err)
	}
	return nil
}

func at(line int, format string, args ...any) error {
	return strictyaml.ErrorAt(line, 1, format, args...)
}
