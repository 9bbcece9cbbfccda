package extract

import (
	"bytes"
	"slices"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
	"golang.org/x/net/html"
)

// page is a Markdown text with what matters here of its structure.
type page struct {
	source  []byte
	heading []byte // first heading of level one, as written
	regions []region
}

// region is one piece of HTML, or, with drop, of what is shown nowhere. It has
// more than one segment where the marks of a quote or a list stand between its
// lines.
type region struct {
	segments []text.Segment
	leaf     ast.Node // the paragraph that inline HTML cannot reach out of; nil for blocks
	drop     bool
}

// parseMarkdown knows blocks, code spans and raw HTML. Links and emphasis are
// left out: they hide nothing, and their parsers are quadratic in their marks.
func parseMarkdown(source []byte) page {
	p := parser.NewParser(
		parser.WithBlockParsers(parser.DefaultBlockParsers()...),
		parser.WithInlineParsers(
			util.Prioritized(parser.NewCodeSpanParser(), 100),
			util.Prioritized(parser.NewRawHTMLParser(), 400)),
		parser.WithParagraphTransformers(parser.DefaultParagraphTransformers()...),
	)
	out := page{source: source}
	root := p.Parse(text.NewReader(source))
	// The visitor never fails.
	_ = ast.Walk(root, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if entering {
			out.visit(n)
		}
		return ast.WalkContinue, nil
	})
	return out
}

func (p *page) visit(n ast.Node) {
	switch n := n.(type) {
	case *ast.Heading:
		if n.Level == 1 && p.heading == nil {
			p.heading = n.Lines().Value(p.source)
		}
	case *ast.HTMLBlock:
		segments := all(n.Lines())
		if n.HasClosure() {
			segments = append(segments, n.ClosureLine)
		}
		p.regions = append(p.regions, region{segments: segments})
	case *ast.RawHTML:
		p.regions = append(p.regions, region{segments: all(n.Segments), leaf: leafOf(n)})
	case *ast.LinkReferenceDefinition:
		if isComment(n) {
			p.regions = append(p.regions, region{segments: all(n.Lines()), drop: true})
		}
	}
}

func all(s *text.Segments) []text.Segment { return slices.Clone(s.Sliced(0, s.Len())) }

func leafOf(n ast.Node) ast.Node {
	for n.Type() == ast.TypeInline {
		n = n.Parent()
	}
	return n
}

// isComment recognises a definition that nothing links to and that people write
// as a comment: [//]: # (note), [comment]: <> (note).
func isComment(n *ast.LinkReferenceDefinition) bool {
	return len(n.Title) > 0 && (len(n.Destination) == 0 || string(n.Destination) == "#")
}

// title is the heading's text without markup.
func (p page) title() string {
	const longest = 1000 // bytes; what is longer is no title, and links in it are dear to parse
	if len(p.heading) > longest {
		return string(bytes.ToValidUTF8(p.heading[:longest], nil))
	}
	var b strings.Builder
	root := goldmark.DefaultParser().Parse(text.NewReader(append([]byte("# "), p.heading...)))
	_ = ast.Walk(root, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		switch n := n.(type) {
		case *ast.Text:
			if entering {
				b.Write(n.Value([]byte("# " + string(p.heading))))
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
