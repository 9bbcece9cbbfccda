package ooxml

import (
	"context"
	"encoding/xml"
	"fmt"
	"path"
	"strconv"
	"strings"

	"ken/corpora/extract/bounds"
	"ken/corpora/extract/mark"
)

// Xlsx reads a workbook into Markdown. Each sheet is a section; rows without an
// empty row between them are a table, whose first row names the columns. A row of one
// cell above a table is a line of text.
func Xlsx(ctx context.Context, data []byte, budget *bounds.Budget) (title, markdown string, err error) {
	p, err := open(ctx, data, budget)
	if err != nil {
		return "", "", err
	}
	main, err := p.main("xl/workbook.xml")
	if err != nil {
		return "", "", err
	}
	b := book{formats: map[int]string{}}
	dir := path.Dir(main)
	if err := p.optional(dir+"/sharedStrings.xml", b.shared()); err != nil {
		return "", "", err
	}
	if err := p.optional(dir+"/styles.xml", b.styles()); err != nil {
		return "", "", err
	}
	sheets, err := p.sheets(main, &b)
	if err != nil {
		return "", "", err
	}
	for _, s := range sheets {
		b.w.Heading(2, s.name)
		r := sheet{book: &b, hiddenColumns: map[int]bool{}}
		if err := p.read(s.part, r.token); err != nil {
			return "", "", err
		}
		r.flush()
	}
	if title, err = p.title(); err != nil {
		return "", "", err
	}
	markdown, err = b.w.Text()
	return title, markdown, err
}

// book is what all sheets share.
type book struct {
	w       mark.Writer
	strings []string
	formats map[int]string // number formats that the book defines
	cells   []int          // number format of each cell style
	since04 bool           // dates count from 1904
}

type sheetPart struct{ name, part string }

// sheets returns the sheets that are shown, in order.
func (p pkg) sheets(main string, b *book) (out []sheetPart, err error) {
	all, err := p.relations(main)
	if err != nil {
		return nil, err
	}
	targets := map[string]relation{}
	for _, r := range all {
		targets[r.id] = r
	}
	err = p.read(main, func(t xml.Token) error {
		e, ok := t.(xml.StartElement)
		switch {
		case !ok:
		case e.Name.Local == "workbookPr":
			b.since04 = attr(e, "date1904") == "1" || attr(e, "date1904") == "true"
		case e.Name.Local == "sheet" && attr(e, "state") != "hidden" && attr(e, "state") != "veryHidden":
			if r := targets[prefixed(e, "r", "id")]; r.kind == "worksheet" {
				out = append(out, sheetPart{attr(e, "name"), r.target})
			}
		}
		return nil
	})
	return out, err
}

// shared visits the tokens of the strings that cells refer to.
func (b *book) shared() func(xml.Token) error {
	var text strings.Builder
	in, phonetic, size := false, false, 0
	return func(t xml.Token) error {
		switch t := t.(type) {
		case xml.StartElement:
			in = t.Name.Local == "t"
			phonetic = phonetic || t.Name.Local == "rPh"
		case xml.EndElement:
			in = false
			switch t.Name.Local {
			case "rPh":
				phonetic = false
			case "si":
				if size += text.Len() + 16; size > bounds.MaxPart {
					return fmt.Errorf("%w: its strings have more than %d MiB", bounds.ErrLimit, bounds.MaxPart>>20)
				}
				b.strings = append(b.strings, text.String())
				text.Reset()
			}
		case xml.CharData:
			if in && !phonetic {
				text.Write(t)
			}
		}
		return nil
	}
}

// styles visits the tokens of the styles for what number format a cell has.
func (b *book) styles() func(xml.Token) error {
	inCells := false
	return func(t xml.Token) error {
		switch t := t.(type) {
		case xml.StartElement:
			switch t.Name.Local {
			case "cellXfs":
				inCells = true
			case "numFmt":
				id, err := strconv.Atoi(attr(t, "numFmtId"))
				if err == nil {
					b.formats[id] = attr(t, "formatCode")
				}
			case "xf":
				if inCells {
					id, _ := strconv.Atoi(attr(t, "numFmtId"))
					b.cells = append(b.cells, id)
				}
			}
		case xml.EndElement:
			if t.Name.Local == "cellXfs" {
				inCells = false
			}
		}
		return nil
	}
}

// sheet is the state while the tokens of a sheet go by.
type sheet struct {
	*book
	hiddenColumns map[int]bool

	row       []string
	rowHidden bool
	number    int // of the row that was read last, from 1
	column    int // of the cell, from 0
	kind      string
	style     int
	value     strings.Builder
	inValue   bool
	phonetic  bool

	pending []string // a row that may be the header of a table
	table   *mark.Table
}

func (s *sheet) token(t xml.Token) error {
	switch t := t.(type) {
	case xml.StartElement:
		s.start(t)
	case xml.EndElement:
		s.end(t.Name.Local)
	case xml.CharData:
		if s.inValue && !s.phonetic {
			s.value.Write(t)
		}
	}
	if s.w.Full() {
		_, err := s.w.Text()
		return err
	}
	return nil
}

func (s *sheet) start(e xml.StartElement) {
	switch e.Name.Local {
	case "col":
		s.hide(e)
	case "row":
		n, err := strconv.Atoi(attr(e, "r"))
		if err != nil {
			n = s.number + 1
		}
		if n > s.number+1 {
			s.flush()
		}
		s.number, s.row, s.column = n, s.row[:0], -1
		s.rowHidden = attr(e, "hidden") == "1" || attr(e, "hidden") == "true"
	case "c":
		s.kind, s.style = attr(e, "t"), -1
		if n, err := strconv.Atoi(attr(e, "s")); err == nil {
			s.style = n
		}
		s.column++
		if n, ok := columnOf(attr(e, "r")); ok {
			s.column = n
		}
		s.value.Reset()
	case "v", "t":
		s.inValue = true
	case "rPh":
		s.phonetic = true
	}
}

// maxColumns is how many columns a sheet can have.
const maxColumns = 16384

func (s *sheet) hide(e xml.StartElement) {
	if attr(e, "hidden") != "1" && attr(e, "hidden") != "true" {
		return
	}
	from, _ := strconv.Atoi(attr(e, "min"))
	to, _ := strconv.Atoi(attr(e, "max"))
	for c := max(from, 1); c <= min(to, maxColumns); c++ {
		s.hiddenColumns[c-1] = true
	}
}

// columnOf returns the column of a cell's name: "AB12" is 27.
func columnOf(ref string) (int, bool) {
	n := 0
	for i := range len(ref) {
		c := ref[i] &^ 0x20
		if c < 'A' || c > 'Z' {
			break
		}
		if n = n*26 + int(c-'A') + 1; n > maxColumns {
			return 0, false
		}
	}
	return n - 1, n > 0
}

func (s *sheet) end(name string) {
	switch name {
	case "v", "t":
		s.inValue = false
	case "rPh":
		s.phonetic = false
	case "c":
		if !s.hiddenColumns[s.column] && s.column >= 0 && s.column < maxColumns {
			s.set(s.column, s.cell(s.kind, s.value.String(), s.style))
		}
	case "row":
		if !s.rowHidden {
			s.line(s.row)
		}
	case "sheetData":
		s.flush()
	}
}

func (s *sheet) set(column int, value string) {
	if value == "" {
		return
	}
	for len(s.row) <= column {
		s.row = append(s.row, "")
	}
	s.row[column] = value
}

// line takes a row. The first is held back until it is known whether it is the
// header of a table or a line of text above one.
func (s *sheet) line(row []string) {
	row = s.compact(row)
	switch {
	case mark.Blank(row):
		s.flush()
	case s.table != nil:
		s.table.Row(row)
	case s.pending == nil:
		s.pending = append([]string{}, row...)
	case filled(s.pending) == 1 && filled(row) > 1:
		s.w.Paragraph(strings.Join(s.pending, " "))
		s.pending = append([]string{}, row...)
	default:
		header := s.pending
		for len(header) < len(row) {
			header = append(header, "")
		}
		s.table = s.w.Table(header)
		s.table.Row(row)
		s.pending = nil
	}
}

// compact drops the hidden columns, so that they leave no gap.
func (s *sheet) compact(row []string) []string {
	if len(s.hiddenColumns) == 0 {
		return row
	}
	out := row[:0]
	for i, v := range row {
		if !s.hiddenColumns[i] {
			out = append(out, v)
		}
	}
	return out
}

func filled(row []string) (n int) {
	for _, v := range row {
		if v != "" {
			n++
		}
	}
	return n
}

// flush ends a table.
func (s *sheet) flush() {
	switch {
	case filled(s.pending) == 1:
		s.w.Paragraph(strings.Join(s.pending, " "))
	case s.pending != nil:
		s.w.Rows([][]string{s.pending})
	}
	s.pending, s.table = nil, nil
}
