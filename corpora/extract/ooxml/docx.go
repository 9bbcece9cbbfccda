package ooxml

import (
	"cmp"
	"context"
	"encoding/xml"
	"path"
	"slices"
	"strconv"
	"strings"

	"ken/corpora/extract/bounds"
	"ken/corpora/extract/mark"
)

// Docx reads a Word document into Markdown.
func Docx(ctx context.Context, data []byte, budget *bounds.Budget) (title, markdown string, err error) {
	p, err := open(ctx, data, budget)
	if err != nil {
		return "", "", err
	}
	main, err := p.main("word/document.xml")
	if err != nil {
		return "", "", err
	}
	d := docx{styles: map[string]style{}}
	dir := path.Dir(main)
	if err := p.optional(dir+"/styles.xml", d.readStyle()); err != nil {
		return "", "", err
	}
	if err := p.read(main, d.token); err != nil {
		return "", "", err
	}
	if err := p.optional(dir+"/footnotes.xml", d.notes()); err != nil {
		return "", "", err
	}
	named, err := p.title()
	if err != nil {
		return "", "", err
	}
	markdown, err = d.w.Text()
	return cmp.Or(d.title, named, d.first), markdown, err
}

// style is what matters here of a paragraph style.
type style struct {
	level   int // of a heading; 0 is none
	title   bool
	basedOn string
}

// docx is the state while the tokens of a document go by.
type docx struct {
	w      mark.Writer
	styles map[string]style
	title  string // text of the first paragraph in the style Title
	first  string // text of the first heading

	paragraph
	tables []*grid  // open, outermost first
	path   []string // open elements
	hidden int      // open elements that are not shown
}

// paragraph is the one being read.
type paragraph struct {
	text    strings.Builder
	style   string
	outline int // level that the paragraph itself states
	list    int // depth in a list from 1; 0 is none
	vanish  bool
}

// grid is a table being read.
type grid struct {
	rows [][]string
	cell strings.Builder
}

// unseen are the elements whose content no reader sees, or sees elsewhere.
var unseen = []string{"moveFrom", "del", "Fallback", "instrText", "delText", "rt", "comment"}

func (d *docx) token(t xml.Token) error {
	switch t := t.(type) {
	case xml.StartElement:
		d.path = append(d.path, t.Name.Local)
		if slices.Contains(unseen, t.Name.Local) && !d.inProperties() {
			d.hidden++
		}
		d.start(t)
	case xml.EndElement:
		if slices.Contains(unseen, t.Name.Local) && !d.inProperties() {
			d.hidden--
		}
		d.end(t.Name.Local)
		d.path = d.path[:max(0, len(d.path)-1)]
	case xml.CharData:
		if len(d.path) > 0 && d.path[len(d.path)-1] == "t" && d.hidden == 0 && !d.vanish {
			d.text.Write(t)
		}
	}
	if d.w.Full() {
		_, err := d.w.Text()
		return err
	}
	return nil
}

// inProperties tells <w:del/> in the properties of a paragraph mark, which hides
// nothing, from one around text.
func (d *docx) inProperties() bool {
	return len(d.path) > 1 && (d.path[len(d.path)-2] == "rPr" || d.path[len(d.path)-2] == "trPr")
}

func (d *docx) start(e xml.StartElement) {
	switch e.Name.Local {
	case "r":
		d.vanish = false
	case "vanish", "specVanish", "webHidden":
		d.vanish = d.vanish || d.parent() == "rPr" && d.grandparent() == "r" && on(e)
	case "sz":
		if n, err := strconv.Atoi(attr(e, "val")); err == nil && n <= 2 && d.grandparent() == "r" {
			d.vanish = true
		}
	case "pStyle":
		d.style = attr(e, "val")
	case "outlineLvl":
		if n, err := strconv.Atoi(attr(e, "val")); err == nil && n < 9 && d.parent() == "pPr" {
			d.outline = n + 1
		}
	case "ilvl":
		if n, err := strconv.Atoi(attr(e, "val")); err == nil && n >= 0 {
			d.list = n + 1
		}
	case "numId":
		if attr(e, "val") == "0" {
			d.list = -1 // taken out of the list of its style
		} else if d.list == 0 {
			d.list = 1
		}
	case "tab", "ptab":
		if d.parent() == "r" {
			d.space("\t")
		}
	case "br", "cr":
		d.space("\n")
	case "noBreakHyphen":
		d.space("-")
	case "tbl":
		d.tables = append(d.tables, new(grid))
	case "tr":
		if g := d.table(); g != nil {
			g.rows = append(g.rows, nil)
		}
	}
}

func (d *docx) space(s string) {
	if d.hidden == 0 && !d.vanish {
		d.text.WriteString(s)
	}
}

func (d *docx) parent() string {
	if len(d.path) < 2 {
		return ""
	}
	return d.path[len(d.path)-2]
}

func (d *docx) grandparent() string {
	if len(d.path) < 3 {
		return ""
	}
	return d.path[len(d.path)-3]
}

func (d *docx) table() *grid {
	if len(d.tables) == 0 {
		return nil
	}
	return d.tables[len(d.tables)-1]
}

func (d *docx) end(name string) {
	switch name {
	case "r":
		d.vanish = false
	case "p":
		d.flush()
	case "tc":
		if g := d.table(); g != nil && len(g.rows) > 0 {
			last := &g.rows[len(g.rows)-1]
			*last = append(*last, g.cell.String())
			g.cell.Reset()
		}
	case "tbl":
		d.closeTable()
	}
}

// closeTable writes a table, or puts it into the cell that it stands in.
func (d *docx) closeTable() {
	g := d.table()
	if g == nil {
		return
	}
	d.tables = d.tables[:len(d.tables)-1]
	if outer := d.table(); outer != nil {
		for _, row := range g.rows {
			outer.cell.WriteString(strings.Join(row, " ") + "\n")
		}
		return
	}
	d.w.Rows(g.rows)
}

// flush writes the paragraph that ends.
func (d *docx) flush() {
	p := &d.paragraph
	text := p.text.String()
	level, list, isTitle := d.form()
	p.text.Reset()
	p.style, p.outline, p.list, p.vanish = "", 0, 0, false
	if strings.TrimSpace(text) == "" {
		return
	}
	if g := d.table(); g != nil {
		g.cell.WriteString(text + "\n")
		return
	}
	line := strings.Join(strings.Fields(text), " ")
	switch {
	case isTitle:
		d.title = cmp.Or(d.title, line)
		d.w.Heading(1, line)
	case level > 0:
		d.first = cmp.Or(d.first, line)
		d.w.Heading(level, line)
	case list > 0:
		d.w.Item(list-1, text)
	default:
		d.w.Paragraph(text)
	}
}

// form tells what the paragraph is by what it states and by its style.
func (d *docx) form() (level, list int, isTitle bool) {
	level, list = d.outline, d.list
	id := d.style
	for range 16 { // styles may be based on each other
		s, ok := d.styles[id]
		if !ok {
			break
		}
		isTitle = isTitle || s.title
		if level == 0 {
			level = s.level
		}
		if s.basedOn == "" || s.basedOn == id {
			break
		}
		id = s.basedOn
	}
	if level == 0 && !isTitle {
		level, isTitle = styleName(d.style)
	}
	return level, list, isTitle
}

// styleName reads the built-in names "heading 2" and "Title", which Word writes in
// English into every document, and their ids "Heading2".
func styleName(name string) (level int, isTitle bool) {
	name = strings.ToLower(strings.ReplaceAll(name, " ", ""))
	if name == "title" {
		return 0, true
	}
	if rest, ok := strings.CutPrefix(name, "heading"); ok {
		if n, err := strconv.Atoi(rest); err == nil && n >= 1 && n <= 9 {
			return n, false
		}
	}
	return 0, false
}

// readStyle visits the tokens of styles.xml.
func (d *docx) readStyle() func(xml.Token) error {
	id, s := "", style{}
	return func(t xml.Token) error {
		switch t := t.(type) {
		case xml.StartElement:
			switch t.Name.Local {
			case "style":
				id, s = attr(t, "styleId"), style{}
			case "name":
				s.level, s.title = styleName(attr(t, "val"))
			case "basedOn":
				s.basedOn = attr(t, "val")
			case "outlineLvl":
				if n, err := strconv.Atoi(attr(t, "val")); err == nil && n < 9 && s.level == 0 {
					s.level = n + 1
				}
			}
		case xml.EndElement:
			if t.Name.Local == "style" && id != "" {
				d.styles[id] = s
			}
		}
		return nil
	}
}

// notes visits the tokens of footnotes.xml, whose first two are separators
// without text.
func (d *docx) notes() func(xml.Token) error {
	began := false
	return func(t xml.Token) error {
		if e, ok := t.(xml.StartElement); ok && e.Name.Local == "footnote" && !began && attr(e, "type") == "" {
			began = true
			d.w.Heading(2, "Notes")
		}
		return d.token(t)
	}
}
