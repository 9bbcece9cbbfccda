package index

import (
	"strings"

	"ken/corpora"
)

// TitleText returns the text of a chunk's title field: the document's title and
// the chunk's headings, outermost first, a line each. What is said twice (most
// documents begin with a heading that is their title) is there once.
func TitleText(d corpora.Document, c Chunk) string {
	var lines []string
	for _, h := range append([]string{d.Title}, c.Heading...) {
		if h = strings.TrimSpace(h); h != "" && !containsFold(lines, h) {
			lines = append(lines, h)
		}
	}
	return strings.Join(lines, "\n")
}

// EmbedText returns the text that a chunk's vector is made from.
func EmbedText(d corpora.Document, c Chunk) string {
	return TitleText(d, c) + "\n" + BodyText(c)
}

func containsFold(lines []string, s string) bool {
	for _, l := range lines {
		if strings.EqualFold(l, s) {
			return true
		}
	}
	return false
}

// BodyText returns the text of a chunk's body field: its context and its text
// without the signs of Markdown that are no words: link targets, HTML tags and
// comments, emphasis, rules and pipes of tables, fences, template tags. Code
// keeps its signs. It reads the text once and knows Markdown only roughly, so
// that plain text passes nearly unchanged.
func BodyText(c Chunk) string {
	p := plainer{out: make([]byte, 0, len(c.Context)+len(c.Text)+1)}
	p.add(c.Context)
	p.add(c.Text)
	return strings.TrimSpace(string(p.out))
}
