package ooxml

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// cell returns the value of a cell as text.
func (b *book) cell(kind, value string, style int) string {
	switch kind {
	case "s":
		if i, err := strconv.Atoi(strings.TrimSpace(value)); err == nil && i >= 0 && i < len(b.strings) {
			return b.strings[i]
		}
		return ""
	case "b":
		if strings.TrimSpace(value) == "1" {
			return "TRUE"
		}
		return "FALSE"
	case "str", "inlineStr", "e", "d":
		return value
	}
	return b.number(strings.TrimSpace(value), style)
}

// number formats a number: dates and times in ISO 8601, percentages with their
// sign, others with at most 15 digits, which are those that a sheet keeps.
func (b *book) number(value string, style int) string {
	f, err := strconv.ParseFloat(value, 64)
	if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
		return value
	}
	switch layout, percent := b.format(style); {
	case layout != "" && f >= 0 && f < 2958466: // the year 10,000
		return b.date(f, layout)
	case percent:
		return digits(f*100) + "%"
	}
	return digits(f)
}

func digits(f float64) string {
	s := strconv.FormatFloat(f, 'g', 15, 64)
	if v, err := strconv.ParseFloat(s, 64); err == nil {
		f = v
	}
	if a := math.Abs(f); a != 0 && (a < 1e-9 || a >= 1e15) {
		return strconv.FormatFloat(f, 'g', -1, 64)
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

func (b *book) date(days float64, layout string) string {
	epoch := time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)
	switch {
	case b.since04:
		epoch = time.Date(1904, 1, 1, 0, 0, 0, 0, time.UTC)
	case days < 60: // the sheet's calendar has a 29 February 1900
		epoch = epoch.AddDate(0, 0, 1)
	}
	whole := math.Floor(days)
	seconds := math.Round((days - whole) * 86400)
	return epoch.AddDate(0, 0, int(whole)).Add(time.Duration(seconds) * time.Second).Format(layout)
}

// format returns the layout of a cell style that shows dates or times, "" for one
// that shows numbers, and whether it shows percentages.
func (b *book) format(style int) (layout string, percent bool) {
	if style < 0 || style >= len(b.cells) {
		return "", false
	}
	id := b.cells[style]
	if code, ok := b.formats[id]; ok {
		return layoutOf(code), strings.Contains(code, "%")
	}
	switch { // ECMA-376, part 1, section 18.8.30
	case id >= 14 && id <= 17, id >= 27 && id <= 31, id == 36, id >= 50 && id <= 58:
		return time.DateOnly, false
	case id >= 18 && id <= 21, id >= 32 && id <= 35, id >= 45 && id <= 47:
		return time.TimeOnly, false
	case id == 22:
		return "2006-01-02 15:04", false
	}
	return "", id == 9 || id == 10
}

// layoutOf reads a number format of a book.
func layoutOf(code string) string {
	code, _, _ = strings.Cut(code, ";")
	code = strings.ToLower(bare(code))
	date := strings.ContainsAny(code, "yd") || strings.Contains(code, "mmm")
	clock := strings.ContainsAny(code, "hs")
	switch {
	case date && clock:
		return "2006-01-02 15:04"
	case date:
		return time.DateOnly
	case clock:
		return time.TimeOnly
	}
	return ""
}

// bare is a format without what it shows as written: "text", \x, [Red], and the
// word General.
func bare(code string) string {
	var b strings.Builder
	for i := 0; i < len(code); i++ {
		switch code[i] {
		case '\\', '_', '*':
			i++
		case '"':
			n := strings.IndexByte(code[i+1:], '"')
			if n < 0 {
				return b.String()
			}
			i += n + 1
		case '[':
			n := strings.IndexByte(code[i:], ']')
			if n < 0 {
				return b.String()
			}
			if inner := strings.ToLower(code[i+1 : i+n]); strings.Trim(inner, "hms") == "" {
				b.WriteString(inner) // elapsed time
			}
			i += n
		default:
			b.WriteByte(code[i])
		}
	}
	return strings.ReplaceAll(b.String(), "General", "")
}
