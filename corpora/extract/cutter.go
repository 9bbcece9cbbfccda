package extract

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// visibleText is the source without its comments and hidden elements.
func (p page) visibleText() string {
	if p.cutter.hiding != "" {
		p.cutter.show(len(p.source))
	}
	return p.cutter.text()
}

// cutter collects what to cut while it reads the HTML of a page in order. What
// stands between two pieces of HTML is cut with the hidden element around it.
type cutter struct {
	source []byte
	cuts   []cut

	hiding string // name of the hidden element that is open, "" if none
	open   int    // elements of that name that are open in it, itself included
	from   int    // where it began
	inLeaf bool   // it began in the paragraph that is read
}

// cut is a range of bytes [start, stop).
type cut struct{ start, stop int }

func (c *cutter) cut(start, stop int) { c.cuts = append(c.cuts, cut{start, stop}) }

// block reads a block of HTML. What it opens and does not close goes on after it.
func (c *cutter) block(lines []cut) {
	m := mapper{ranges: lines}
	z := html.NewTokenizer(bytes.NewReader(join(c.source, lines)))
	for at, kind := 0, html.TextToken; kind != html.ErrorToken; {
		kind = z.Next()
		start := m.place(at)
		at += len(z.Raw())
		c.token(kind, z, start, m.place(at))
	}
}

// inline reads the raw HTML of a paragraph, given as ranges of its text.
func (c *cutter) inline(text []byte, lines []cut, tags []cut) {
	c.inLeaf = false
	m := mapper{ranges: lines}
	for len(tags) > 0 {
		n := batch(text, tags)
		c.tags(text, tags[:n], &m)
		tags = tags[n:]
	}
	if c.hiding != "" && c.inLeaf && endsWithParagraph(c.hiding) {
		c.show(lines[len(lines)-1].stop)
	}
}

// batch is how many of the ranges can be read together: tags, since each is one
// token. Others, which may hold tags in the eyes of a browser, are read alone.
func batch(text []byte, tags []cut) int {
	n := 0
	for n < len(tags) && isTag(text[tags[n].start:]) {
		n++
	}
	return max(n, 1)
}

func isTag(text []byte) bool {
	return isAlpha(text[1]) || text[1] == '/' && isAlpha(text[2])
}

func (c *cutter) tags(text []byte, tags []cut, lines *mapper) {
	if first := text[tags[0].start:tags[0].stop]; bytes.HasPrefix(first, []byte("<!--")) && !bytes.Contains(first, []byte("--!>")) {
		c.cut(lines.place(tags[0].start), lines.place(tags[0].stop))
		return
	}
	m := mapper{ranges: tags}
	z := html.NewTokenizer(bytes.NewReader(join(text, tags)))
	for at, kind := 0, html.TextToken; kind != html.ErrorToken; {
		kind = z.Next()
		start := lines.place(m.placeAfter(at))
		at += len(z.Raw())
		c.inLeaf = c.inLeaf || c.hiding == ""
		c.token(kind, z, start, lines.place(m.place(at)))
		z.NextIsNotRawText()
	}
}

// mapper turns offsets into ranges that are put together into offsets into what
// they are of. The offsets must not decrease.
type mapper struct {
	ranges []cut
	before int // bytes of the ranges that were passed
}

// place gives the end of a range rather than the beginning of the next, so that
// a cut does not take the marks of quotes and lists between them.
func (m *mapper) place(offset int) int {
	return m.find(offset, func(n int) bool { return offset-m.before > n })
}

// placeAfter gives the beginning of the next range rather than the end of one.
func (m *mapper) placeAfter(offset int) int {
	return m.find(offset, func(n int) bool { return offset-m.before >= n })
}

func (m *mapper) find(offset int, past func(n int) bool) int {
	for len(m.ranges) > 1 {
		n := m.ranges[0].stop - m.ranges[0].start
		if !past(n) {
			break
		}
		m.ranges, m.before = m.ranges[1:], m.before+n
	}
	return min(m.ranges[0].start+offset-m.before, m.ranges[0].stop)
}

func join(text []byte, ranges []cut) []byte {
	var out []byte
	for _, r := range ranges {
		out = append(out, text[r.start:r.stop]...)
	}
	return out
}

func (c *cutter) token(kind html.TokenType, z *html.Tokenizer, at, end int) {
	switch kind {
	case html.CommentToken, html.DoctypeToken:
		c.cut(at, end)
	case html.StartTagToken, html.SelfClosingTagToken: // in HTML the slash means nothing
		c.startTag(z.Token(), at, end)
	case html.EndTagToken:
		c.endTag(z.Token(), end)
	}
}

func (c *cutter) startTag(t html.Token, at, end int) {
	switch {
	case c.hiding == "" && isHidden(t.Data, t.Attr):
		if isVoid(t.Data) {
			c.cut(at, end)
			return
		}
		c.hiding, c.open, c.from = t.Data, 1, at
	case t.Data == c.hiding:
		c.open++
	case len(t.Attr) > 0 && t.Data != "a" && t.Data != "img":
		c.cut(at+1+len(t.Data), end-1) // attributes are shown to nobody
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
	c.cut(c.from, max(end, c.from))
	c.hiding = ""
}

// endsWithParagraph reports whether an element that is not closed ends where
// the paragraph does that it began in. In the trees that browsers make, blocks
// close the paragraph instead, formatting goes on in the next, and raw text and
// what has a scope of its own go on to the end of the page.
func endsWithParagraph(name string) bool {
	return !slices.Contains(outliving, name)
}

// outliving are the elements that no end of a paragraph closes (HTML standard,
// section 13.2.6.4.7).
var outliving = []string{
	"a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u",
	"address", "article", "aside", "blockquote", "center", "details", "dialog", "dir", "div", "dl", "fieldset", "figcaption", "figure", "footer",
	"header", "hgroup", "main", "menu", "nav", "ol", "p", "search", "section", "summary", "ul", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "listing",
	"form", "li", "dd", "dt", "plaintext", "table", "xmp", "script", "style", "template", "title", "textarea", "iframe", "noscript", "noframes",
	"noembed", "frameset", "head", "object", "applet", "marquee", "button", "select",
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
