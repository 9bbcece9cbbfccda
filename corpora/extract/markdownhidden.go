package extract

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/text"
	"golang.org/x/net/html"

	"ken/corpora/extract/block"
)

// page is a Markdown text with what matters here of its structure.
type page struct {
	source  []byte
	heading []byte // first heading of level one, as written
	cutter  cutter
}

// readMarkdown knows blocks, code spans and raw HTML. Links and emphasis are
// left out: they hide nothing, and their parsers are quadratic in their marks.
func readMarkdown(source []byte) (page, error) {
	p := page{source: source, cutter: cutter{source: source}}
	err := block.Each(source, func(top ast.Node) {
		// The visitor never fails.
		_ = ast.Walk(top, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
			if entering && n.Type() == ast.TypeBlock {
				p.visit(n)
			}
			return ast.WalkContinue, nil
		})
	})
	if err != nil {
		return page{}, fmt.Errorf("%w: %w", ErrLimit, err)
	}
	return p, nil
}

func (p *page) visit(n ast.Node) {
	switch n := n.(type) {
	case *ast.Heading:
		if n.Level == 1 && p.heading == nil {
			p.heading = n.Lines().Value(p.source)
		}
		p.leaf(n)
	case *ast.HTMLBlock:
		lines := ranges(n.Lines())
		if n.HasClosure() {
			lines = append(lines, cut{n.ClosureLine.Start, n.ClosureLine.Stop})
		}
		if len(lines) > 0 {
			p.cutter.block(lines)
		}
	case *ast.Paragraph, *ast.TextBlock:
		p.leaf(n)
	}
}

func ranges(lines *text.Segments) []cut {
	out := make([]cut, lines.Len())
	for i := range out {
		out[i] = cut{lines.At(i).Start, lines.At(i).Stop}
	}
	return out
}

// leaf reads a block with inline marks: definitions at its beginning, then raw
// HTML.
func (p *page) leaf(n ast.Node) {
	lines := ranges(n.Lines())
	content := join(p.source, lines)
	if !bytes.ContainsAny(content, "<[") {
		return
	}
	after := 0
	if n.Kind() != ast.KindHeading {
		after = p.definitions(content, lines)
	}
	p.cutter.inline(content, lines, rawHTML(content, after))
}

// definitions cuts the link reference definitions at the beginning of content
// that nothing links to and that people write as comments: [//]: # (note),
// [comment]: <> (note). It returns where the last definition ends.
func (p *page) definitions(content []byte, lines []cut) int {
	m := mapper{ranges: lines}
	at := 0
	for {
		d, ok := definition(content, at)
		if !ok {
			return at
		}
		if d.comment { // the line end stays, and the marks of a quote after it with it
			p.cutter.cut(m.placeAfter(at), m.place(at+len(bytes.TrimRight(content[at:d.end], "\n"))))
		}
		at = d.end
	}
}

// title is the heading's text without markup.
func (p page) title() string {
	const longest = 1000 // bytes; what is longer is no title, and links in it are dear to parse
	if len(p.heading) > longest {
		return string(bytes.ToValidUTF8(p.heading[:longest], nil))
	}
	source := append([]byte("# "), p.heading...)
	var b strings.Builder
	_ = ast.Walk(goldmark.DefaultParser().Parse(text.NewReader(source)), func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		switch n := n.(type) {
		case *ast.Text:
			if entering {
				b.Write(n.Value(source))
			}
		case *ast.String:
			if entering {
				b.Write(n.Value)
			}
		}
		return ast.WalkContinue, nil
	})
	return html.UnescapeString(b.String())
}
