package mark

import (
	"slices"
	"strings"
)

// partRows is after how many rows a table begins anew with its header.
const partRows = 256

// Table writes rows of cells; the first row is the header.
type Table struct {
	w      *Writer
	header []string
	rows   int
}

// Table begins a table. Columns without a name get none.
func (w *Writer) Table(header []string) *Table {
	return &Table{w: w, header: slices.Clone(header)}
}

// Row writes a row. It is filled up or cut to the columns of the header; cells
// beyond them are put into the last, so that nothing is lost.
func (t *Table) Row(cells []string) {
	if len(t.header) == 0 || t.w.over {
		return
	}
	if t.rows%partRows == 0 {
		t.begin()
	}
	t.rows++
	if over := len(cells) - len(t.header); over > 0 {
		last := strings.TrimSpace(strings.Join(cells[len(t.header)-1:], " "))
		cells = append(slices.Clone(cells[:len(t.header)-1]), last)
	}
	t.line(cells)
}

// Close writes the header of a table that has no rows.
func (t *Table) Close() {
	if t.rows == 0 && len(t.header) > 0 {
		t.begin()
	}
}

func (t *Table) begin() {
	t.w.gap()
	t.line(t.header)
	t.w.write("|", strings.Repeat(" --- |", len(t.header)), "\n")
}

func (t *Table) line(cells []string) {
	t.w.write("|")
	for i := range t.header {
		cell := ""
		if i < len(cells) {
			cell = Cell(cells[i])
		}
		t.w.write(" ", cell, " |")
	}
	t.w.write("\n")
}

// Cell returns the text of a cell on one line.
func Cell(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	return strings.ReplaceAll(inline(s), "|", `\|`)
}

// Table of rows at once; rows of blanks are left out.
func (w *Writer) Rows(rows [][]string) {
	rows = slices.DeleteFunc(slices.Clone(rows), Blank)
	if len(rows) == 0 {
		return
	}
	width := 0
	for _, r := range rows {
		width = max(width, len(r))
	}
	header := slices.Clone(rows[0])
	for len(header) < width {
		header = append(header, "")
	}
	t := w.Table(header)
	for _, r := range rows[1:] {
		t.Row(r)
	}
	t.Close()
}

// Blank reports whether no cell has text.
func Blank(cells []string) bool {
	return !slices.ContainsFunc(cells, func(c string) bool { return strings.TrimSpace(c) != "" })
}
