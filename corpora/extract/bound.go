package extract

import (
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

const (
	// maxLists is how many lists and quotes may stand in each other. Markdown
	// repeats the marks of all of them on every line.
	maxLists = 8
	// maxDepth is how many elements may stand in each other before those that
	// only group others are taken away. The conversion copies the text once for
	// each.
	maxDepth = 64
)

// bound changes what is small as HTML and would be huge as Markdown, or slow to
// become it: a table whose cells span or lack many others, and elements deep in
// each other. The text stays, what holds it goes.
func bound(doc *html.Node) {
	var b bounder
	b.walk(doc, 0, 0)
	for _, n := range b.plain {
		n.Data, n.DataAtom, n.Attr = "div", atom.Div, nil
	}
	for _, n := range b.gone { // outer ones first, so that what they hold moves once
		unwrap(n)
	}
}

// bounder collects the elements that become plain and those that go.
type bounder struct{ plain, gone []*html.Node }

func (b *bounder) walk(n *html.Node, depth, lists int) { // the parser bounds the depth
	isList := isOne(n, "ul", "ol", "blockquote", "dl")
	if isList {
		lists++
	}
	switch {
	case lists > maxLists && (isList || isOne(n, "li", "dt", "dd")), depth > maxDepth && isOne(n, grouping...):
		b.gone = append(b.gone, n)
	case isOne(n, "table"):
		b.plain = append(b.plain, boundTable(n)...)
	}
	for c := range n.ChildNodes() {
		b.walk(c, depth+1, lists)
	}
}

// grouping are the elements without which a text still reads the same.
var grouping = []string{"div", "section", "article", "main", "header", "footer", "aside", "figure", "center", "form", "details", "summary", "ul", "ol", "li",
	"dl", "dt", "dd", "blockquote", "span", "font", "b", "i", "u", "s", "em", "strong", "small", "big", "sub", "sup", "mark", "ins", "del", "cite", "abbr", "label"}

// unwrap puts the children of an element in its place, with space around them.
func unwrap(n *html.Node) {
	space := func() *html.Node { return &html.Node{Type: html.TextNode, Data: "\n"} }
	n.Parent.InsertBefore(space(), n)
	for c := n.FirstChild; c != nil; c = n.FirstChild {
		n.RemoveChild(c)
		n.Parent.InsertBefore(c, n)
	}
	n.Parent.InsertBefore(space(), n)
	n.Parent.RemoveChild(n)
}

func isOne(n *html.Node, names ...string) bool {
	return n.Type == html.ElementNode && slices.Contains(names, n.Data)
}

// boundTable removes the spans of a table if they make it much larger than it
// is, and returns its elements if it is much larger without them too, since
// Markdown fills up its rows.
func boundTable(table *html.Node) []*html.Node {
	parts := []*html.Node{table}
	var spanning []*html.Node
	rows, columns, cells, area := 0, 0, 0, 0
	inRow := 0
	for n := range tableParts(table) {
		parts = append(parts, n)
		switch n.Data {
		case "tr":
			rows, inRow = rows+1, 0
		case "td", "th":
			width, height := spanOf(n, "colspan"), spanOf(n, "rowspan")
			if width*height > 1 {
				spanning = append(spanning, n)
			}
			cells, area, inRow = cells+1, area+width*height, inRow+width
			columns = max(columns, inRow)
		}
	}
	most := 32*cells + 1024
	if area <= most && rows*columns <= most {
		return nil
	}
	for _, n := range spanning {
		n.Attr = slices.DeleteFunc(n.Attr, func(a html.Attribute) bool { return a.Key == "colspan" || a.Key == "rowspan" })
	}
	if len(spanning) > 0 {
		return boundTable(table)
	}
	return parts
}

// tableParts are the rows and cells of a table, those of tables in it left out.
func tableParts(table *html.Node) func(yield func(*html.Node) bool) {
	var walk func(n *html.Node, yield func(*html.Node) bool) bool
	walk = func(n *html.Node, yield func(*html.Node) bool) bool {
		for c := range n.ChildNodes() {
			switch {
			case isOne(c, "table"):
				continue
			case isOne(c, "tr", "td", "th", "tbody", "thead", "tfoot", "caption", "colgroup", "col"):
				if !yield(c) {
					return false
				}
			}
			if !walk(c, yield) {
				return false
			}
		}
		return true
	}
	return func(yield func(*html.Node) bool) { walk(table, yield) }
}

func spanOf(n *html.Node, key string) int {
	v, err := strconv.Atoi(strings.TrimSpace(attr(n, key)))
	if err != nil || v < 1 {
		return 1
	}
	return min(v, 1<<16)
}

// manyBrackets reports whether a block has so many opening brackets in so much
// text that telling which of them would be read as links, which is quadratic,
// takes longer than a tenth of a second.
func manyBrackets(doc *html.Node) bool {
	const most = 1 << 26
	type size struct{ brackets, bytes int }
	sizes := map[*html.Node]size{}
	for n := range doc.Descendants() {
		if n.Type != html.TextNode {
			continue
		}
		block := n.Parent
		for block.Parent != nil && !isOne(block, "p", "li", "td", "th", "div", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "blockquote", "section", "article", "body") {
			block = block.Parent
		}
		s := sizes[block]
		s.brackets += strings.Count(n.Data, "[")
		s.bytes += len(n.Data)
		if s.brackets*s.bytes > most {
			return true
		}
		sizes[block] = s
	}
	return false
}
