package extract

import (
	"bytes"
	"path"
	"strings"
	"unicode/utf8"
)

// sniffBytes is how much of a file tells text from binary.
const sniffBytes = 8192

// ByName returns the media type that a file's name promises, "" if the name
// says nothing (it has no extension), and [Binary] for extensions that no
// extractor reads. Extensions count in any case. The operating system's table
// is not asked: the same folder must give the same documents everywhere.
func ByName(name string) string {
	switch strings.ToLower(path.Ext(name)) {
	case ".md", ".markdown", ".mdown", ".mkd", ".mkdn":
		return Markdown
	case ".html", ".htm", ".xhtml":
		return HTML
	case ".txt", ".text", ".rst", ".adoc", ".asciidoc", ".org", ".log":
		return Plain
	case "":
		return ""
	}
	return Binary
}

// MediaType returns the media type of a file by its name and the beginning of
// its bytes: a name without extension is text if the bytes are, and no name
// makes text of bytes that hold a NUL.
func MediaType(name string, data []byte) string {
	byName := ByName(name)
	if byName == Binary || isBinary(data) {
		return Binary
	}
	if byName != "" {
		return byName
	}
	if head := data[:min(len(data), sniffBytes)]; !utf8.Valid(trimPartialRune(head)) {
		return Binary
	}
	return Plain
}

func isBinary(data []byte) bool {
	head := data[:min(len(data), sniffBytes)]
	return utf16Order(head) == nil && bytes.IndexByte(head, 0) >= 0
}

// trimPartialRune drops the bytes of a rune that the end cuts off.
func trimPartialRune(b []byte) []byte {
	for i := 1; i < utf8.UTFMax && i <= len(b); i++ {
		if tail := b[len(b)-i:]; utf8.RuneStart(tail[0]) {
			if !utf8.FullRune(tail) {
				return b[:len(b)-i]
			}
			break
		}
	}
	return b
}
