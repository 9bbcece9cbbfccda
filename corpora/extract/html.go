package extract

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"codeberg.org/readeck/go-readability"
	"github.com/JohannesKaufmann/html-to-markdown/v2/converter"
	"github.com/JohannesKaufmann/html-to-markdown/v2/plugin/base"
	"github.com/JohannesKaufmann/html-to-markdown/v2/plugin/commonmark"
	"github.com/JohannesKaufmann/html-to-markdown/v2/plugin/strikethrough"
	"github.com/JohannesKaufmann/html-to-markdown/v2/plugin/table"
	"golang.org/x/net/html"
	"golang.org/x/net/html/charset"

	"ken/corpora/extract/visible"
	"ken/corpora/frontmatter"
)

const (
	maxHTML  = 16 << 20 // bytes
	maxNodes = 500_000
	// articleShare is the least part of a page's visible words that the
	// article must hold. Below, what readability took for clutter is mostly
	// content, as in a table, a list of links or a page of many short sections.
	articleShare = .5
)

// extractHTML turns a page into Markdown: first everything that is not shown or
// not content is removed, then readability picks the article.
func extractHTML(ctx context.Context, in Input) (Text, error) {
	source, err := decodeHTML(in.Data)
	if err != nil {
		return Text{}, err
	}
	doc, err := html.Parse(strings.NewReader(source))
	if err != nil {
		return Text{}, fmt.Errorf("%w: %w", ErrLimit, err)
	}
	if err := checkNodes(doc); err != nil {
		return Text{}, err
	}
	head := readHead(doc)
	prune(doc)
	bound(doc)
	if err := ctx.Err(); err != nil {
		return Text{}, err
	}
	heading := firstHeading(doc)
	content, title := choose(doc)
	md, err := toMarkdown(content)
	if err != nil {
		return Text{}, err
	}
	return Text{
		Title:     bestTitle(heading, cmp.Or(title, head.title)),
		Body:      visible.Text(string(md)),
		MediaType: Markdown,
		Language:  head.language,
	}, nil
}

// decodeHTML returns the page as UTF-8. The encoding is the one of the byte
// order mark or of the page's meta element; without either it is UTF-8 if the
// bytes are that, and windows-1252, as in browsers, if not.
func decodeHTML(data []byte) (string, error) {
	if err := checkSize(data, maxHTML); err != nil {
		return "", err
	}
	if utf16Order(data) != nil {
		return decode(data)
	}
	if isBinary(data) {
		return "", fmt.Errorf("%w: binary data", ErrUnsupported)
	}
	e, name, certain := charset.DetermineEncoding(data, "text/html")
	if name == "utf-8" || !certain && utf8.Valid(data) {
		return string(bytes.TrimPrefix(data, []byte("\ufeff"))), nil
	}
	out, err := io.ReadAll(io.LimitReader(e.NewDecoder().Reader(bytes.NewReader(data)), 4*maxHTML))
	if err != nil {
		return "", fmt.Errorf("decode %s: %w", name, err)
	}
	return string(out), nil
}

func checkNodes(doc *html.Node) error {
	n := 0
	for range doc.Descendants() {
		if n++; n > maxNodes {
			return fmt.Errorf("%w: more than %d elements and texts", ErrLimit, maxNodes)
		}
	}
	return nil
}

type head struct{ title, language string }

func readHead(doc *html.Node) (h head) {
	for n := range doc.Descendants() {
		switch {
		case n.Type != html.ElementNode:
		case n.Data == "html":
			h.language = frontmatter.Language(attr(n, "lang"))
		case n.Data == "title" && n.Namespace == "" && h.title == "":
			h.title = visible.Line(textOf(n))
		case n.Data == "body":
			return h
		}
	}
	return h
}

func firstHeading(doc *html.Node) string {
	for n := range doc.Descendants() {
		if n.Type == html.ElementNode && n.Data == "h1" {
			return visible.Line(textOf(n))
		}
	}
	return ""
}

// bestTitle prefers the page's first heading to a title that only adds the
// site's name to it.
func bestTitle(heading, title string) string {
	if heading != "" && strings.Contains(title, heading) {
		return heading
	}
	return cmp.Or(title, heading)
}

// choose returns the article that readability finds, or the whole body if that
// holds too few of its words, and the title that readability finds.
func choose(doc *html.Node) (content *html.Node, title string) {
	p := readability.NewParser()
	p.KeepClasses = true   // they tell a code block's language
	p.DisableJSONLD = true // scripts are gone, and they may say anything
	article, err := p.ParseDocument(doc, nil)
	if err != nil || article.Node == nil {
		return doc, ""
	}
	title = visible.Line(article.Title)
	if float64(words(article.Node)) < articleShare*float64(words(doc)) {
		return doc, title
	}
	return article.Node, title
}

func words(n *html.Node) int { return len(strings.Fields(textOf(n))) }

func toMarkdown(n *html.Node) ([]byte, error) {
	escape := converter.EscapeModeSmart
	if manyBrackets(n) {
		escape = converter.EscapeModeDisabled
	}
	c := converter.NewConverter(converter.WithEscapeMode(escape), converter.WithPlugins(
		base.NewBasePlugin(),
		commonmark.NewCommonmarkPlugin(commonmark.WithHeadingStyle(commonmark.HeadingStyleATX)),
		strikethrough.NewStrikethroughPlugin(),
		table.NewTablePlugin(table.WithHeaderPromotion(true), table.WithSpanCellBehavior(table.SpanBehaviorMirror),
			table.WithCellPaddingBehavior(table.CellPaddingBehaviorMinimal)),
	))
	md, err := c.ConvertNode(n)
	if err != nil {
		return nil, fmt.Errorf("convert to Markdown: %w", err)
	}
	if md = bytes.TrimSpace(md); len(md) > 0 {
		md = append(md, '\n')
	}
	return md, nil
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

// textOf is the text in and below n, a space between two texts.
func textOf(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
			b.WriteByte(' ')
		}
	}
	return b.String()
}
