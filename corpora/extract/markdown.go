package extract

import (
	"bytes"
	"cmp"
	"context"
	"fmt"

	"ken/corpora/extract/visible"
	"ken/corpora/frontmatter"
)

const (
	maxMarkdown = 16 << 20 // bytes
	// maxMarks bounds the quote and list marks at the beginning of a line: a
	// Markdown parser pays for each on every line that follows.
	maxMarks = 256
)

// extractMarkdown keeps the Markdown as it is written, without front matter,
// hidden text and invisible characters. The title is the front matter's, or
// else the first heading of level one.
func extractMarkdown(_ context.Context, in Input) (Text, error) {
	if err := checkSize(in.Data, maxMarkdown); err != nil {
		return Text{}, err
	}
	s, err := decode(in.Data)
	if err != nil {
		return Text{}, err
	}
	meta, body, err := frontmatter.Parse(in.Path, []byte(s))
	if err != nil {
		return Text{}, err
	}
	// Characters first: what becomes a comment when they are gone must not stay.
	source := bytes.TrimLeft([]byte(visible.Text(string(body))), "\n")
	if err := checkMarks(source); err != nil {
		return Text{}, err
	}
	page := parseMarkdown(source)
	return Text{
		Title:     cmp.Or(meta.Title, page.title()),
		Body:      page.visibleText(),
		MediaType: Markdown,
		Language:  meta.Language,
	}, nil
}

func checkMarks(source []byte) error {
	n := 0
	for line := range bytes.Lines(source) {
		n++
		if marks(line) > maxMarks {
			return fmt.Errorf("%w: line %d nests more than %d lists and quotes", ErrLimit, n, maxMarks)
		}
	}
	return nil
}

// marks counts the quote and list marks that a line begins with.
func marks(line []byte) (n int) {
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == '>':
			n++
		case c == ' ' || c == '\t' || c >= '0' && c <= '9':
		case bytes.IndexByte([]byte("-+*.)"), c) >= 0 && i+1 < len(line) && (line[i+1] == ' ' || line[i+1] == '\t'):
			n++
		default:
			return n
		}
	}
	return n
}
