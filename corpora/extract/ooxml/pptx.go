package ooxml

import (
	"cmp"
	"context"
	"encoding/xml"
	"fmt"
	"strconv"
	"strings"

	"ken/corpora/extract/bounds"
	"ken/corpora/extract/mark"
)

// Pptx reads a presentation into Markdown.
func Pptx(ctx context.Context, data []byte, budget *bounds.Budget) (title, markdown string, err error) {
	p, err := open(ctx, data, budget)
	if err != nil {
		return "", "", err
	}
	main, err := p.main("ppt/presentation.xml")
	if err != nil {
		return "", "", err
	}
	slides, err := p.slides(main)
	if err != nil {
		return "", "", err
	}
	var w mark.Writer
	first := ""
	for i, part := range slides {
		name, err := p.slide(&w, i+1, part)
		if err != nil {
			return "", "", err
		}
		first = cmp.Or(first, name)
	}
	named, err := p.title()
	if err != nil {
		return "", "", err
	}
	markdown, err = w.Text()
	if named == "PowerPoint Presentation" { // what the program writes if nobody says anything
		named = ""
	}
	return cmp.Or(named, first), markdown, err
}

// slides returns the parts of the slides in the order in which they are shown.
func (p pkg) slides(main string) (out []string, err error) {
	all, err := p.relations(main)
	if err != nil {
		return nil, err
	}
	targets := map[string]string{}
	for _, r := range all {
		targets[r.id] = r.target
	}
	err = p.read(main, func(t xml.Token) error {
		if e, ok := t.(xml.StartElement); ok && e.Name.Local == "sldId" {
			if part := targets[prefixed(e, "r", "id")]; part != "" {
				out = append(out, part)
			}
		}
		return nil
	})
	return out, err
}

// slide writes a slide, and returns its title. A hidden one is left out.
func (p pkg) slide(w *mark.Writer, n int, part string) (string, error) {
	var s slide
	if err := p.read(part, s.token); err != nil || s.hidden {
		return "", err
	}
	heading := fmt.Sprintf("Slide %d", n)
	if s.title != "" {
		heading += ": " + s.title
	}
	w.Heading(2, heading)
	s.write(w)
	all, err := p.relations(part)
	if err != nil {
		return "", err
	}
	for _, r := range all {
		switch r.kind {
		case "diagramData":
			var d slide
			if err := p.optional(r.target, d.token); err != nil {
				return "", err
			}
			d.write(w)
		case "notesSlide":
			var notes slide
			notes.bodyOnly = true
			if err := p.optional(r.target, notes.token); err != nil {
				return "", err
			}
			if len(notes.blocks) > 0 {
				w.Heading(3, "Notes")
				notes.write(w)
			}
		}
	}
	return s.title, nil
}

// slide is the state while the tokens of a slide go by.
type slide struct {
	title    string
	hidden   bool
	bodyOnly bool // of notes, the rest is a picture of the slide and its number
	blocks   []shown

	path  []string
	kind  string // of the placeholder that the shape is; "" if it is none
	text  strings.Builder
	level int
	rows  [][]string // of the open table
	cell  strings.Builder
	skip  int // open elements that are not shown
	shape struct{ hidden bool }
}

// shown is a paragraph or a table of a slide.
type shown struct {
	text  string
	depth int // of a list item; -1 is a paragraph
	rows  [][]string
}

func (s *slide) write(w *mark.Writer) {
	for _, b := range s.blocks {
		switch {
		case b.rows != nil:
			w.Rows(b.rows)
		case b.depth >= 0:
			w.Item(b.depth, b.text)
		default:
			w.Paragraph(b.text)
		}
	}
}

func (s *slide) token(t xml.Token) error {
	switch t := t.(type) {
	case xml.StartElement:
		s.path = append(s.path, t.Name.Local)
		s.start(t)
	case xml.EndElement:
		s.end(t.Name.Local)
		s.path = s.path[:max(0, len(s.path)-1)]
	case xml.CharData:
		if len(s.path) > 0 && s.path[len(s.path)-1] == "t" && s.skip == 0 {
			s.text.Write(t)
		}
	}
	return nil
}

func (s *slide) start(e xml.StartElement) {
	switch e.Name.Local {
	case "sld":
		s.hidden = attr(e, "show") == "0"
	case "sp", "graphicFrame":
		s.kind, s.shape.hidden = "", false
	case "cNvPr":
		s.shape.hidden = attr(e, "hidden") == "1"
	case "ph":
		s.kind = cmp.Or(attr(e, "type"), "body")
	case "pPr":
		s.level, _ = strconv.Atoi(attr(e, "lvl"))
	case "br":
		s.text.WriteByte('\n')
	case "Fallback":
		s.skip++
	case "fld":
		if attr(e, "type") == "slidenum" {
			s.skip++
		}
	case "tbl":
		s.rows = [][]string{}
	case "tr":
		if s.rows != nil {
			s.rows = append(s.rows, nil)
		}
	}
}

func (s *slide) end(name string) {
	switch name {
	case "p":
		s.flush()
	case "Fallback", "fld":
		s.skip = max(0, s.skip-1)
	case "tc":
		if n := len(s.rows); n > 0 {
			s.rows[n-1] = append(s.rows[n-1], s.cell.String())
			s.cell.Reset()
		}
	case "tbl":
		if len(s.rows) > 0 && s.seen() {
			s.blocks = append(s.blocks, shown{rows: s.rows})
		}
		s.rows = nil
	}
}

// seen reports whether the shape is a part of what is shown.
func (s *slide) seen() bool {
	switch s.kind {
	case "dt", "ftr", "hdr", "sldNum", "sldImg":
		return false
	}
	return !s.shape.hidden && (!s.bodyOnly || s.kind == "body")
}

func (s *slide) flush() {
	text, level := s.text.String(), s.level
	s.text.Reset()
	s.level = 0
	switch {
	case strings.TrimSpace(text) == "" || !s.seen():
	case s.rows != nil:
		s.cell.WriteString(text + "\n")
	case s.kind == "title" || s.kind == "ctrTitle":
		s.title = strings.TrimSpace(s.title + " " + strings.Join(strings.Fields(text), " "))
	case s.kind == "body" && !s.bodyOnly:
		s.blocks = append(s.blocks, shown{text: text, depth: level})
	default:
		s.blocks = append(s.blocks, shown{text: text, depth: -1})
	}
}
