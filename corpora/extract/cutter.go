package extract

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"github.com/yuin/goldmark/ast"
	"golang.org/x/net/html"
)

// visibleText is the source without its comments and hidden elements.
func (p page) visibleText() string {
	c := cutter{source: p.source}
	for _, r := range p.regions {
		c.region(r)
	}
	if c.hiding != "" {
		c.show(c.limit())
	}
	return c.text()
}

// cutter collects what to cut while it reads the HTML of a page in order. What
// stands between two pieces of HTML is cut with the hidden element around it.
type cutter struct {
	source []byte
	cuts   []cut

	hiding string   // name of the hidden element that is open, "" if none
	open   int      // elements of that name that are open in it, itself included
	from   int      // where it began
	leaf   ast.Node // what ends it if nothing closes it; nil: the end of the page
}

// cut is a range of bytes [start, stop) in the source.
type cut struct{ start, stop int }

func (c *cutter) region(r region) {
	if c.hiding != "" && c.leaf != nil && c.leaf != r.leaf {
		c.show(c.limit())
	}
	var text []byte
	for _, s := range r.segments {
		if r.drop {
			c.cuts = append(c.cuts, cut{s.Start, s.Stop})
		}
		text = append(text, c.source[s.Start:s.Stop]...)
	}
	if r.drop {
		return
	}
	z := html.NewTokenizer(bytes.NewReader(text))
	for at, kind := 0, html.TextToken; kind != html.ErrorToken; {
		kind = z.Next()
		end := at + len(z.Raw())
		c.token(kind, z, r.place(at), r.place(end), r.leaf)
		at = end
	}
}

// place turns an offset into the region's text into one into the source. The
// end of a segment stays there, so that a cut does not take the marks after it.
func (r region) place(offset int) int {
	for _, s := range r.segments {
		if n := s.Stop - s.Start; offset > n {
			offset -= n
		} else {
			return s.Start + offset
		}
	}
	return r.segments[len(r.segments)-1].Stop
}

func (c *cutter) token(kind html.TokenType, z *html.Tokenizer, at, end int, leaf ast.Node) {
	switch kind {
	case html.CommentToken, html.DoctypeToken:
		c.cuts = append(c.cuts, cut{at, end})
	case html.StartTagToken, html.SelfClosingTagToken: // in HTML the slash means nothing
		c.startTag(z.Token(), at, end, leaf)
	case html.EndTagToken:
		c.endTag(z.Token(), end)
	}
}

func (c *cutter) startTag(t html.Token, at, end int, leaf ast.Node) {
	switch {
	case c.hiding == "" && isHidden(t.Data, t.Attr):
		if isVoid(t.Data) {
			c.cuts = append(c.cuts, cut{at, end})
			return
		}
		c.hiding, c.open, c.from, c.leaf = t.Data, 1, at, leaf
	case t.Data == c.hiding:
		c.open++
	}
}

func (c *cutter) endTag(t html.Token, end int) {
	if t.Data != c.hiding {
		return
	}
	if c.open--; c.open == 0 {
		c.show(end)
	}
}

// show ends the hidden element.
func (c *cutter) show(end int) {
	c.cuts = append(c.cuts, cut{c.from, max(end, c.from)})
	c.hiding, c.leaf = "", nil
}

// limit is where a hidden element ends that nothing closes.
func (c *cutter) limit() int {
	if c.leaf == nil || c.leaf.Lines().Len() == 0 {
		return len(c.source)
	}
	lines := c.leaf.Lines()
	return lines.At(lines.Len() - 1).Stop
}

// text is the source without the cuts.
func (c *cutter) text() string {
	slices.SortFunc(c.cuts, func(a, b cut) int { return cmp.Compare(a.start, b.start) })
	var b strings.Builder
	at := 0
	for _, x := range c.cuts {
		if x.start > at {
			b.Write(c.source[at:x.start])
		}
		at = max(at, x.stop)
	}
	b.Write(c.source[at:])
	return b.String()
}
