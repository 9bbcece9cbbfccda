package pdf

import (
	"cmp"
	"math"
	"slices"
	"strings"
)

// table returns the cells of a region if it is a table, nil if it is columns of
// text. Both stand side by side; but lines of text fill their column, and
// cells seldom do. The first and last segments that stand alone on their lines
// are the end of the text above and the beginning of that below: lead and
// trail are how many.
func table(run []segment) (cells [][]string, lead, trail int) {
	rows := lines(run)
	for lead < len(rows) && len(rows[lead]) == 1 {
		lead++
	}
	for trail < len(rows)-lead && len(rows[len(rows)-1-trail]) == 1 && rows[len(rows)-1-trail][0].box.left < run[0].box.right {
		trail++
	}
	run = run[lead : len(run)-trail]
	return tableOf(run), lead, trail
}

func tableOf(run []segment) [][]string {
	columns := spans(run)
	rows := lines(run)
	if len(columns) < 2 || len(rows) < 2 {
		return nil
	}
	shared := 0
	for _, r := range rows {
		if len(r) > 1 {
			shared++
		}
	}
	if shared*2 < len(rows) || filled(run, columns) {
		return nil
	}
	out := make([][]string, 0, len(rows))
	for _, r := range rows {
		cells := make([]string, len(columns))
		for _, s := range r {
			i := columnOf(columns, s.box)
			cells[i] = strings.TrimSpace(cells[i] + " " + join(s.words))
		}
		if k := len(out) - 1; k > 0 && continues(cells) {
			for i, c := range cells {
				out[k][i] = strings.TrimSpace(out[k][i] + " " + c)
			}
			continue
		}
		out = append(out, cells)
	}
	return out
}

// continues reports whether a row is the second line of cells of the one before:
// it has nothing in the first column, and in less than half of all.
func continues(cells []string) bool {
	n := 0
	for _, c := range cells {
		if c != "" {
			n++
		}
	}
	return cells[0] == "" && 2*n <= len(cells)
}

// spans returns the columns of a region: what is covered by segments, from the
// left.
func spans(run []segment) (out []box) {
	sorted := slices.Clone(run)
	slices.SortFunc(sorted, func(a, b segment) int { return cmp.Compare(a.box.left, b.box.left) })
	for _, s := range sorted {
		if k := len(out) - 1; k >= 0 && s.box.left < out[k].right {
			out[k] = out[k].union(s.box)
			continue
		}
		out = append(out, s.box)
	}
	return out
}

func columnOf(columns []box, b box) int {
	for i, c := range columns {
		if b.left < c.right {
			return i
		}
	}
	return len(columns) - 1
}

// lines sorts segments into rows of the same height on the page.
func lines(run []segment) (out [][]segment) {
	sorted := slices.Clone(run)
	slices.SortStableFunc(sorted, func(a, b segment) int { return cmp.Compare(b.box.middle(), a.box.middle()) })
	for _, s := range sorted {
		if k := len(out) - 1; k >= 0 && math.Abs(out[k][0].box.middle()-s.box.middle()) < .5*min(s.size(), out[k][0].size()) {
			out[k] = append(out[k], s)
			continue
		}
		out = append(out, []segment{s})
	}
	for _, r := range out {
		slices.SortStableFunc(r, func(a, b segment) int { return cmp.Compare(a.box.left, b.box.left) })
	}
	return out
}

// filled reports whether lines fill their columns, as those of text do: the
// columns are wide, and half of the segments take four fifths of theirs.
func filled(run []segment, columns []box) bool {
	full, words := 0, 0
	for _, s := range run {
		c := columns[columnOf(columns, s.box)]
		if s.box.right-s.box.left > .8*(c.right-c.left) {
			full++
		}
		words += len(s.words)
	}
	size := 0.0
	for _, s := range run {
		size += s.size()
	}
	size /= float64(len(run))
	narrow := 0
	for _, c := range columns {
		if c.right-c.left < 10*size {
			narrow++
		}
	}
	return 2*full >= len(run) && narrow*2 <= len(columns)
}
