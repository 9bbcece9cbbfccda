package extracttest

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"math/rand/v2"
	"strings"
	"unicode/utf16"
)

// Layout says how a PDF is set.
type Layout struct {
	Columns int    // of text; 0 is one
	Shuffle uint64 // not 0: the lines are drawn in a random order of this seed
	Justify bool   // lines are stretched to the width of the column
	Rotate  int    // degrees that pages are turned by: 0, 90, 180, 270
	Wide    bool   // a font with 16-bit codes and a ToUnicode map, as for Chinese
}

// The page, in points.
const (
	pageWidth, pageHeight = 595.0, 842.0
	margin, gutter        = 56.0, 24.0
	body, leading         = 10.0, 13.0
)

// PDF sets blocks on as many pages as they need.
func PDF(blocks []Block, l Layout) []byte {
	s := setter{Layout: l, columns: max(1, l.Columns)}
	s.width = (pageWidth - 2*margin - gutter*float64(s.columns-1)) / float64(s.columns)
	s.newPage()
	for _, b := range blocks {
		s.block(b)
	}
	return s.file()
}

// Pictures writes a PDF whose pages hold a picture each and no text.
func Pictures(pages int) []byte {
	s := setter{columns: 1}
	for range pages {
		s.pages = append(s.pages, []string{"100 100 300 300 re f"})
	}
	return s.file()
}

// setter sets lines on pages.
type setter struct {
	Layout
	columns int
	width   float64
	pages   [][]string // drawing operators of each line
	column  int
	y       float64
	top     float64 // where the columns of the page begin
	used    map[rune]bool
}

func (s *setter) newPage() {
	s.pages = append(s.pages, nil)
	s.column, s.y, s.top = 0, pageHeight-margin, pageHeight-margin
}

func (s *setter) x() float64 { return margin + float64(s.column)*(s.width+gutter) }

// room makes sure that there is room for a height.
func (s *setter) room(height float64) {
	if s.y-height > margin {
		return
	}
	if s.column+1 < s.columns {
		s.column, s.y = s.column+1, s.top
		return
	}
	s.newPage()
}

func (s *setter) block(b Block) {
	switch b.Kind {
	case Heading:
		s.room(60)
		s.y -= 10
		s.lines(b.Text, 14, false)
		s.y -= 4
	case List:
		for _, item := range b.Items {
			s.lines(item, body, false)
		}
		s.y -= 8
	case Table:
		s.table(b.Rows)
	default:
		s.lines(b.Text, body, s.Justify)
		s.y -= 8
	}
}

func (s *setter) lines(text string, size float64, justify bool) {
	words := strings.Fields(text)
	for len(words) > 0 {
		n := 1
		for n < len(words) && s.measure(strings.Join(words[:n+1], " "), size) <= s.width {
			n++
		}
		s.room(leading)
		line := strings.Join(words[:n], " ")
		space := 0.0
		if justify && n > 1 && n < len(words) {
			space = (s.width - s.measure(line, size)) / float64(n-1)
		}
		s.draw(line, s.x(), s.y, size, space)
		s.y -= leading * size / body
		words = words[n:]
	}
}

func (s *setter) table(rows [][]string) {
	s.room(leading * float64(len(rows)+1))
	step := s.width / float64(len(rows[0]))
	for _, row := range rows {
		for c, cell := range row {
			s.draw(cell, s.x()+float64(c)*step, s.y, body, 0)
		}
		s.y -= leading
	}
	s.y -= 8
}

func (s *setter) draw(text string, x, y, size, space float64) {
	font, show := "F1", "("+winAnsi(text)+")"
	if s.Wide {
		font, show = "F2", "<"+s.hex(text)+">"
		space = 0
	}
	op := fmt.Sprintf("BT /%s %g Tf %.2f Tw 1 0 0 1 %.2f %.2f Tm %s Tj ET", font, size, space, x, y, show)
	s.pages[len(s.pages)-1] = append(s.pages[len(s.pages)-1], op)
}

// hex gives each character the code that it has in Unicode.
func (s *setter) hex(text string) string {
	if s.used == nil {
		s.used = map[rune]bool{}
	}
	var b strings.Builder
	for _, r := range text {
		s.used[r] = true
		fmt.Fprintf(&b, "%04X", r)
	}
	return b.String()
}

// winAnsi writes a string with the codes of windows-1252, which are those of Unicode
// for all that is used here.
func winAnsi(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '(' || r == ')' || r == '\\':
			b.WriteByte('\\')
			b.WriteByte(byte(r))
		case r < 0x80:
			b.WriteByte(byte(r))
		default:
			fmt.Fprintf(&b, "\\%03o", byte(r))
		}
	}
	return b.String()
}

// measure returns the width of a text in points.
func (s *setter) measure(text string, size float64) float64 {
	n := 0
	for _, r := range text {
		n += s.advance(r)
	}
	return float64(n) * size / 1000
}

func (s *setter) advance(r rune) int {
	switch {
	case s.Wide && r > 0x2000:
		return 1000
	case s.Wide:
		return 500
	case r >= ' ' && r <= '~':
		return helvetica[r-' ']
	}
	return 556
}

// helvetica are the widths of the characters from space to tilde in Helvetica, one of the
// fonts that every reader has (Adobe Core 14 font metrics).
var helvetica = [...]int{278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556,
	1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556,
	333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584}

// file writes the objects and where they begin.
func (s *setter) file() []byte {
	var b bytes.Buffer
	var offsets []int
	object := func(text string) int {
		offsets = append(offsets, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", len(offsets), text)
		return len(offsets)
	}
	b.WriteString("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
	helv := object("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>")
	wide := s.wideFont(object)
	parent := len(offsets) + 2*len(s.pages) + 1
	var kids []string
	for _, lines := range s.pages {
		if s.Shuffle != 0 {
			rand.New(rand.NewPCG(s.Shuffle, 1)).Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
		}
		matrix, width, height := s.turned()
		content := object(stream(matrix + strings.Join(lines, "\n")))
		page := object(fmt.Sprintf("<< /Type /Page /Parent %d 0 R /MediaBox [0 0 %g %g] /Rotate %d /Contents %d 0 R /Resources << /Font << /F1 %d 0 R /F2 %d 0 R >> >> >>",
			parent, width, height, s.Rotate, content, helv, wide))
		kids = append(kids, fmt.Sprintf("%d 0 R", page))
	}
	object(fmt.Sprintf("<< /Type /Pages /Kids [%s] /Count %d >>", strings.Join(kids, " "), len(kids)))
	root := object(fmt.Sprintf("<< /Type /Catalog /Pages %d 0 R >>", parent))
	at := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(offsets)+1)
	for _, o := range offsets {
		fmt.Fprintf(&b, "%010d 00000 n \n", o)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root %d 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(offsets)+1, root, at)
	return b.Bytes()
}

// turned returns what turns the drawing so that a page that is turned when it is
// shown is upright, and the size of the page before that.
func (s *setter) turned() (matrix string, width, height float64) {
	switch s.Rotate {
	case 90:
		return fmt.Sprintf("0 1 -1 0 %g 0 cm\n", pageHeight), pageHeight, pageWidth
	case 180:
		return fmt.Sprintf("-1 0 0 -1 %g %g cm\n", pageWidth, pageHeight), pageWidth, pageHeight
	case 270:
		return fmt.Sprintf("0 -1 1 0 0 %g cm\n", pageWidth), pageHeight, pageWidth
	}
	return "", pageWidth, pageHeight
}

func stream(text string) string {
	var z bytes.Buffer
	w := zlib.NewWriter(&z)
	_, _ = w.Write([]byte(text)) // a buffer does not fail
	_ = w.Close()
	return fmt.Sprintf("<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream", z.Len(), z.String())
}

// wideFont writes a composite font whose codes are mapped to Unicode.
func (s *setter) wideFont(object func(string) int) int {
	var maps strings.Builder
	for r := rune(1); r < 0x10000 && len(s.used) > 0; r++ {
		if s.used[r] {
			fmt.Fprintf(&maps, "<%04X> <%04X>\n", r, utf16.Encode([]rune{r})[0])
		}
	}
	toUnicode := object(stream(fmt.Sprintf("/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /A def /CMapType 2 def\n1 begincodespacerange <0000> <FFFF> endcodespacerange\n%d beginbfchar\n%sendbfchar\nendcmap end end",
		len(s.used), maps.String())))
	descriptor := object("<< /Type /FontDescriptor /FontName /Wide /Flags 4 /FontBBox [0 -200 1000 800] /ItalicAngle 0 /Ascent 800 /Descent -200 /CapHeight 700 /StemV 80 >>")
	cid := object(fmt.Sprintf("<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Wide /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> /FontDescriptor %d 0 R /DW 1000 /W [1 8191 500] /CIDToGIDMap /Identity >>", descriptor))
	return object(fmt.Sprintf("<< /Type /Font /Subtype /Type0 /BaseFont /Wide /Encoding /Identity-H /DescendantFonts [%d 0 R] /ToUnicode %d 0 R >>", cid, toUnicode))
}

// Drawing writes a PDF of one page with the operators that draw it, compressed.
func Drawing(operators string) []byte {
	s := setter{columns: 1, pages: [][]string{{operators}}}
	return s.file()
}
