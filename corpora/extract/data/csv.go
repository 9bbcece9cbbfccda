package data

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"ken/corpora/extract/bounds"
	"ken/corpora/extract/mark"
)

// CSV reads values separated by commas, semicolons, tabs or bars into a
// Markdown table. The first row names the columns.
func CSV(ctx context.Context, text string) (markdown string, err error) {
	text = strings.TrimPrefix(text, "\ufeff")
	r := csv.NewReader(strings.NewReader(text))
	r.Comma = Separator(text)
	r.LazyQuotes, r.FieldsPerRecord, r.ReuseRecord = true, -1, true
	var w mark.Writer
	var table *mark.Table
	for n := 0; ; n++ {
		row, err := r.Read()
		switch {
		case errors.Is(err, io.EOF):
			if table != nil {
				table.Close()
			}
			return w.Text()
		case err != nil:
			return "", fmt.Errorf("%w: row %d: %w", bounds.ErrDamaged, n+1, err)
		case mark.Blank(row):
		case table == nil:
			table = w.Table(row)
		default:
			table.Row(row)
		}
		if n%1024 == 0 && ctx.Err() != nil {
			return "", ctx.Err()
		}
		if w.Full() {
			return w.Text()
		}
	}
}

// Separator returns the sign that separates values: the one that most of the first
// lines have equally often, and of two such, the more frequent.
func Separator(text string) rune {
	best, most := ',', 0
	for _, sign := range []rune{',', ';', '\t', '|'} {
		counts := map[int]int{}
		lines := 0
		for line := range strings.Lines(text[:min(len(text), 64<<10)]) {
			if n := outside(line, sign); n > 0 {
				counts[n]++
			}
			if lines++; lines == 50 {
				break
			}
		}
		for n, times := range counts {
			if score := times*100 + min(n, 99); score > most {
				best, most = sign, score
			}
		}
	}
	return best
}

// outside counts a sign outside of quotes.
func outside(line string, sign rune) (n int) {
	quoted := false
	for _, r := range line {
		switch {
		case r == '"':
			quoted = !quoted
		case r == sign && !quoted:
			n++
		}
	}
	return n
}

// uniform reports whether all rows have the same few simple fields.
func uniform(rows []node) bool {
	if len(rows) < 2 || rows[0].kind != object || len(rows[0].kids) == 0 || len(rows[0].kids) > 20 {
		return false
	}
	names := keys(rows[0])
	for _, r := range rows {
		if r.kind != object || !slices.Equal(keys(r), names) {
			return false
		}
		for _, k := range r.kids {
			if k.kind != scalar || len(k.text) > 200 || strings.Contains(k.text, "\n") {
				return false
			}
		}
	}
	return true
}

func keys(n node) []string {
	out := make([]string, len(n.kids))
	for i, k := range n.kids {
		out[i] = k.key
	}
	return out
}
