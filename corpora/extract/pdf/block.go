package pdf

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/klippa-app/go-pdfium/requests"

	"ken/corpora/extract/mark"
)

// block is a paragraph, a heading or a table.
type block struct {
	text    string
	size    float64 // height of its type
	heading bool
	rows    [][]string
}

func (b block) write(w *mark.Writer) {
	switch {
	case b.rows != nil:
		w.Rows(b.rows)
	case b.heading:
		w.Heading(3, b.text)
	default:
		w.Paragraph(b.text)
	}
}

// lines writes segments that are one column: lines that follow each other in the
// same type are a paragraph.
func (p *page) lines(segments []segment) {
	var open []word
	var last segment
	flush := func() {
		if len(open) > 0 {
			p.paragraph(open, last.size())
		}
		open = nil
	}
	for _, row := range lines(segments) {
		line := row[0]
		for _, s := range row[1:] {
			line.words = append(slices.Clone(line.words), s.words...)
			line.box = line.box.union(s.box)
		}
		if len(open) > 0 && (!near(last, line) || apart(last.size(), line.size())) {
			flush()
		}
		open = append(open, line.words...)
		last = line
	}
	flush()
}

func apart(a, b float64) bool { return max(a, b) > 1.12*min(a, b) }

// maxHeading is the longest heading in bytes.
const maxHeading = 200

func (p *page) paragraph(words []word, size float64) {
	text := join(words)
	p.blocks = append(p.blocks, block{text: text, size: size, heading: size > 1.15*p.body && len(text) <= maxHeading})
}

// join puts words together: with a space, but not between characters of scripts
// that have none, and the two parts of a word that was cut at the end of a line.
func join(words []word) string {
	var b strings.Builder
	cut := false
	for i, w := range words {
		text := w.text
		if i > 0 && !cut && spaced(words[i-1].text, text) {
			b.WriteByte(' ')
		}
		text, cut = strings.CutSuffix(text, hyphen)
		if cut && (i+1 == len(words) || !continuesWord(words[i+1].text)) {
			text += "-"
		}
		b.WriteString(strings.ReplaceAll(text, hyphen, "-"))
	}
	return b.String()
}

// continuesWord reports whether a word that follows a hyphen is the rest of a
// cut one: it begins with a small letter.
func continuesWord(next string) bool {
	r, _ := utf8.DecodeRuneInString(next)
	return unicode.IsLower(r)
}

func spaced(before, after string) bool {
	a, _ := utf8.DecodeLastRuneInString(before)
	b, _ := utf8.DecodeRuneInString(after)
	return !(wide(a) && wide(b))
}

// wide reports whether r belongs to a script that writes no spaces.
func wide(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana) || r >= 0x3000 && r <= 0x303f || r >= 0xff00 && r <= 0xffef
}

// largest returns the text in the largest type, if that is larger than the rest.
func largest(blocks []block) string {
	best := block{}
	for _, b := range blocks {
		if b.heading && b.size > best.size {
			best = b
		}
	}
	return best.text
}

// title is what the document is called in its properties, unless a program wrote
// that, or else its largest heading.
func (d *document) title() string {
	named := ""
	if t, err := d.engine.FPDF_GetMetaText(&requests.FPDF_GetMetaText{Document: d.ref, Tag: "Title"}); err == nil {
		named = strings.Join(strings.Fields(t.Value), " ")
	}
	lower := strings.ToLower(named)
	if lower == "untitled" || strings.HasPrefix(lower, "microsoft ") || strings.HasSuffix(lower, ".docx") || strings.HasSuffix(lower, ".doc") || strings.HasSuffix(lower, ".indd") {
		named = ""
	}
	return cmp.Or(named, d.large)
}
