package extract

import (
	"bytes"
	"cmp"
	"context"

	"ken/corpora/extract/block"
	"ken/corpora/extract/visible"
	"ken/corpora/frontmatter"
)

// maxMarkdown bounds Markdown, in bytes. Of the worst that was found, a megabyte
// takes 80 to read.
const maxMarkdown = 4 << 20

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
	page, err := readMarkdown(block.Squeeze(source))
	if err != nil {
		return Text{}, err
	}
	return Text{
		Title:     cmp.Or(meta.Title, page.title()),
		Body:      page.visibleText(),
		MediaType: Markdown,
		Language:  meta.Language,
	}, nil
}
