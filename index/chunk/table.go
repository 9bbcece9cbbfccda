package chunk

import (
	"bytes"
	"regexp"

	"github.com/yuin/goldmark/ast"
)

// tableStart returns where in a paragraph the header of a table begins, if it
// has one: the line above the first rule, if it has as many cells or more. The cells
// are counted and not read, since Markdown gives every row as many as the
// header has: a table of a megabyte could have 10^10.
func tableStart(n ast.Node, src []byte) (int, bool) {
	if n.Kind() != ast.KindParagraph && n.Kind() != ast.KindHeading {
		return 0, false
	}
	lines := n.Lines()
	for i := 1; i < lines.Len(); i++ {
		line, above := lines.At(i), lines.At(i-1)
		if n := ruleCells(src[line.Start:line.Stop]); n > 0 {
			return above.Start, n >= cells(src[above.Start:above.Stop])
		}
	}
	return 0, false
}

var ruleCell = regexp.MustCompile(`^[ \t]*:?-+:?[ \t]*$`)

// ruleCells returns the number of cells of the rule of a table, 0 if the line is
// none.
func ruleCells(line []byte) int {
	line = bytes.TrimSpace(line)
	if len(bytes.Trim(line, "-|: \t")) > 0 || !bytes.ContainsAny(line, "|:") {
		return 0
	}
	n := 0
	for cell := range bytes.SplitSeq(outerPipes(line), []byte("|")) {
		if !ruleCell.Match(cell) {
			return 0
		}
		n++
	}
	return n
}

// cells returns the number of cells of a row.
func cells(line []byte) int {
	line = outerPipes(bytes.TrimSpace(line))
	return 1 + bytes.Count(line, []byte("|")) - bytes.Count(line, []byte(`\|`))
}

func outerPipes(line []byte) []byte {
	return bytes.TrimSuffix(bytes.TrimPrefix(line, []byte("|")), []byte("|"))
}
