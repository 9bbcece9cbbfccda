package protect

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// fieldKey is the name of a field without what differs between spellings: case,
// spaces, hyphens, underscores, quotes and emphasis.
func fieldKey(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsNumber(r) || r == '.' {
			return unicode.ToLower(r)
		}
		return -1
	}, name)
}

// named reports whether the rule is for a field.
func (r Rule) named(name string) bool {
	key := fieldKey(name)
	return key != "" && slices.Contains(r.Fields, key)
}

// fields finds the values of the fields that a rule names: the cells of a
// column, the cells beside a name in the first column, and what follows
// "name:" or "name =" on its line, with the lines below that are indented
// further.
func (r Rule) fields(text string) (out []match) {
	var columns []bool // of the table that the line is in; nil: of none
	previous := ""     // the line before, which may be the header of a table
	below := -1        // indentation of the field whose lines are read; -1: none
	at := 0
	for line := range strings.Lines(text) {
		start := at
		at += len(line)
		body := strings.TrimRight(line, "\r\n")
		if below >= 0 && (indentation(body) > below || strings.TrimSpace(body) == "" && indentation(nextLine(text[at:])) > below) {
			out = appendMatch(out, text, start+indentation(body), start+len(body))
			continue
		}
		below = -1
		switch {
		case isRow(body) && columns == nil && isRule(body):
			columns = r.header(previous)
		case isRow(body):
			out = r.row(out, text, start, body, columns)
		default:
			columns = nil
			if from, ok := r.line(body); ok {
				out = appendMatch(out, text, start+from, start+len(body))
				below = indentation(body)
			}
		}
		previous = body
		if !isRow(body) {
			columns = nil
		}
	}
	return out
}

func appendMatch(out []match, text string, start, end int) []match {
	for start < end && (text[start] == ' ' || text[start] == '\t') {
		start++
	}
	for end > start && (text[end-1] == ' ' || text[end-1] == '\t' || text[end-1] == ',') {
		end--
	}
	if start == end {
		return out
	}
	return append(out, match{start, end, text[start:end]})
}

func nextLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

func indentation(line string) int {
	return len(line) - len(strings.TrimLeft(line, " \t"))
}

func isRow(line string) bool { return strings.HasPrefix(strings.TrimLeft(line, " "), "|") }

// isRule reports whether a row is the line below the header of a table.
func isRule(line string) bool {
	return strings.Trim(line, "|:- \t") == "" && strings.Contains(line, "-")
}

func (r Rule) header(line string) []bool {
	columns := []bool{}
	for _, c := range cells(line) {
		columns = append(columns, r.named(line[c[0]:c[1]]))
	}
	return columns
}

// row finds the cells of a row. The header of a table, which is read before the
// line below it shows that it is one, holds no values.
func (r Rule) row(out []match, text string, start int, line string, columns []bool) []match {
	all := cells(line)
	beside := len(all) > 1 && r.named(line[all[0][0]:all[0][1]]) && !isRule(strings.TrimSpace(nextLine(text[min(len(text), start+len(line)+1):])))
	for i, c := range all {
		if beside && i > 0 || i < len(columns) && columns[i] {
			out = appendMatch(out, text, start+c[0], start+c[1])
		}
	}
	return out
}

// cells returns where the cells of a row of a Markdown table stand.
func cells(line string) (out [][2]int) {
	from := -1
	for i := range len(line) {
		if line[i] != '|' || i > 0 && line[i-1] == '\\' {
			continue
		}
		if from >= 0 {
			out = append(out, [2]int{from, i})
		}
		from = i + 1
	}
	if from >= 0 && strings.TrimSpace(line[from:]) != "" {
		out = append(out, [2]int{from, len(line)})
	}
	return out
}

// label matches the name of a field at the beginning of a line.
var label = regexp.MustCompile(`^[ \t]*(?:[-*+][ \t]+)?((?:export )?["'*_` + "`" + `]{0,3}[\pL\pN][\pL\pN _./()-]{0,63}["'*_` + "`" + `]{0,3})[ \t]*(?::[*_]{0,2}|=>|=)(?:[ \t]|$|["'\[{0-9])`)

// line returns where the value begins of a field that a line gives.
func (r Rule) line(line string) (from int, ok bool) {
	at := label.FindStringSubmatchIndex(line)
	if at == nil || !r.named(strings.TrimPrefix(line[at[2]:at[3]], "export ")) {
		return 0, false
	}
	end := at[1]
	if last := line[end-1]; strings.IndexByte(`"'[{0123456789`, last) >= 0 {
		end--
	}
	return end, true
}
