package pdf

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"

	"github.com/klippa-app/go-pdfium"
	wrong "github.com/klippa-app/go-pdfium/errors"
	"github.com/klippa-app/go-pdfium/references"
	"github.com/klippa-app/go-pdfium/requests"
	"github.com/tetratelabs/wazero"

	"ken/corpora/extract/bounds"
	"ken/corpora/extract/mark"
)

const (
	memoryPages = 3072 // of 64 KiB
	maxBytes    = 64 << 20
	maxPages    = 5_000
	maxChars    = 200_000 // on one page
)

// Reader reads documents. The zero Reader is ready to use, by many goroutines.
type Reader struct {
	// Cache is a directory that keeps the compiled program, so that only the
	// first start of all takes two seconds and not the first of each process. ""
	// keeps nothing.
	Cache string

	mu    sync.Mutex
	cache wazero.CompilationCache
	idle  []*sandbox
}

// Text returns the title and the text as Markdown.
func (r *Reader) Text(ctx context.Context, data []byte) (title, markdown string, err error) {
	if len(data) > maxBytes {
		return "", "", fmt.Errorf("%w: %d bytes, at most %d are read", bounds.ErrLimit, len(data), maxBytes)
	}
	if err := ctx.Err(); err != nil {
		return "", "", err
	}
	s, err := r.take()
	if err != nil {
		return "", "", err
	}
	sound := false
	defer func() { r.put(s, sound) }()
	leave := context.AfterFunc(ctx, s.stop)
	title, markdown, err = s.read(ctx, data)
	if !leave() {
		return "", "", ctx.Err()
	}
	sound = err == nil
	return title, markdown, err
}

// document is one that is read.
type document struct {
	ctx    context.Context
	engine pdfium.Pdfium
	ref    references.FPDF_DOCUMENT
	w      mark.Writer
	texts  int    // pages with text
	large  string // the text of the first page in the largest type
}

func (d *document) read(data []byte) (title, markdown string, err error) {
	open, err := d.engine.OpenDocument(&requests.OpenDocument{File: &data})
	if err != nil {
		return "", "", openError(err)
	}
	d.ref = open.Document
	count, err := d.engine.FPDF_GetPageCount(&requests.FPDF_GetPageCount{Document: d.ref})
	if err != nil {
		return "", "", fmt.Errorf("%w: count of pages", bounds.ErrDamaged)
	}
	if count.PageCount > maxPages {
		return "", "", fmt.Errorf("%w: %d pages, at most %d are read; split it", bounds.ErrLimit, count.PageCount, maxPages)
	}
	pictures := 0
	for n := range count.PageCount {
		picture, err := d.page(n)
		if err != nil {
			return "", "", err
		}
		if picture {
			pictures++
		}
	}
	if d.texts == 0 && pictures > 0 {
		return "", "", bounds.ErrScanned
	}
	markdown, err = d.w.Text()
	return d.title(), markdown, err
}

func openError(err error) error {
	switch {
	case errors.Is(err, wrong.ErrPassword), errors.Is(err, wrong.ErrSecurity):
		return bounds.ErrLocked
	case errors.Is(err, wrong.ErrFormat), errors.Is(err, wrong.ErrFile):
		return fmt.Errorf("%w: it is no PDF that can be opened", bounds.ErrDamaged)
	}
	return bounds.ErrDamaged
}

// errPage says that PDFium gave up. Its own words are a stack trace.
var errPage = fmt.Errorf("%w: it cannot be read, or would take more than %d MiB", bounds.ErrDamaged, memoryPages/16)

// page writes one page and reports whether it is a picture without text.
func (d *document) page(n int) (bool, error) {
	if err := d.ctx.Err(); err != nil {
		return false, err
	}
	page := requests.Page{ByIndex: &requests.PageByIndex{Document: d.ref, Index: n}}
	words, err := d.words(page)
	if err != nil {
		return false, fmt.Errorf("page %d: %w", n+1, err)
	}
	if len(words) == 0 {
		picture := d.drawn(page)
		if picture {
			d.w.Heading(2, fmt.Sprintf("Page %d", n+1))
			d.w.Paragraph("(a picture without text)")
		}
		return picture, nil
	}
	d.texts++
	d.w.Heading(2, fmt.Sprintf("Page %d", n+1))
	blocks := layout(words)
	if n == 0 {
		d.large = largest(blocks)
	}
	for _, b := range blocks {
		b.write(&d.w)
	}
	if d.w.Full() {
		_, err := d.w.Text()
		return false, err
	}
	return false, nil
}

// drawn reports whether anything is drawn on the page.
func (d *document) drawn(page requests.Page) bool {
	c, err := d.engine.FPDFPage_CountObjects(&requests.FPDFPage_CountObjects{Page: page})
	return err == nil && c.Count > 0
}

// words returns the words of a page and where they stand.
func (d *document) words(page requests.Page) ([]word, error) {
	text, err := d.engine.FPDFText_LoadPage(&requests.FPDFText_LoadPage{Page: page})
	if err != nil {
		return nil, errPage
	}
	defer d.engine.FPDFText_ClosePage(&requests.FPDFText_ClosePage{TextPage: text.TextPage})
	count, err := d.engine.FPDFText_CountChars(&requests.FPDFText_CountChars{TextPage: text.TextPage})
	if err != nil {
		return nil, errPage
	}
	switch {
	case count.Count > maxChars:
		return nil, fmt.Errorf("%w: %d characters, at most %d are read", bounds.ErrLimit, count.Count, maxChars)
	case count.Count <= 0:
		return nil, nil
	}
	all, err := d.engine.FPDFText_GetText(&requests.FPDFText_GetText{TextPage: text.TextPage, StartIndex: 0, Count: count.Count})
	if err != nil {
		return nil, errPage
	}
	return d.place(text.TextPage, split(all.Text))
}

// place finds out where the words stand. One without a place is left out with
// those too small to be seen.
func (d *document) place(page references.FPDF_TEXTPAGE, words []word) ([]word, error) {
	turn := d.direction(page, words)
	out := words[:0]
	for _, w := range words {
		first, ok := d.box(page, w.from, turn)
		if !ok {
			continue
		}
		if last, ok := d.box(page, w.to-1, turn); ok {
			first = first.union(last)
		}
		if err := d.ctx.Err(); err != nil {
			return nil, err
		}
		w.box = first
		if w.box.height() < 2 {
			continue
		}
		out = append(out, w)
	}
	return out, nil
}

// direction is the number of quarters that most of the words are turned by,
// counter-clockwise. Pages in landscape are often drawn so and turned back when they are shown.
func (d *document) direction(page references.FPDF_TEXTPAGE, words []word) int {
	const few = 16
	var counts [4]int
	for i := 0; i < len(words); i += max(1, len(words)/few) {
		at, err := d.engine.FPDFText_GetCharIndexFromTextIndex(&requests.FPDFText_GetCharIndexFromTextIndex{TextPage: page, NTextIndex: words[i].from})
		if err != nil || at.CharIndex < 0 {
			continue
		}
		a, err := d.engine.FPDFText_GetCharAngle(&requests.FPDFText_GetCharAngle{TextPage: page, Index: at.CharIndex})
		if err != nil {
			continue
		}
		if quarters := float64(a.CharAngle) * 2 / math.Pi; !math.IsNaN(quarters) && math.Abs(quarters) < 100 {
			counts[-int(math.Round(quarters))&3]++ // the angle is clockwise
		}
	}
	best := 0
	for q, n := range counts {
		if n > counts[best] {
			best = q
		}
	}
	return best
}

// box returns the place of the character at an index of the text: as wide as it
// is drawn, and as high as its font.
func (d *document) box(page references.FPDF_TEXTPAGE, at, turn int) (box, bool) {
	i, err := d.engine.FPDFText_GetCharIndexFromTextIndex(&requests.FPDFText_GetCharIndexFromTextIndex{TextPage: page, NTextIndex: at})
	if err != nil || i.CharIndex < 0 {
		return box{}, false
	}
	if turn != 0 {
		return d.turnedBox(page, i.CharIndex, turn)
	}
	b, err := d.engine.FPDFText_GetLooseCharBox(&requests.FPDFText_GetLooseCharBox{TextPage: page, Index: i.CharIndex})
	if err != nil {
		return box{}, false
	}
	out := box{left: float64(b.Rect.Left), right: float64(b.Rect.Right), bottom: float64(b.Rect.Bottom), top: float64(b.Rect.Top)}
	return out, out.valid()
}

// turnedBox is box for text that is turned, of which PDFium knows only how it is
// drawn: the height is made from the size of the font and the line that it stands on.
func (d *document) turnedBox(page references.FPDF_TEXTPAGE, char, turn int) (box, bool) {
	b, err := d.engine.FPDFText_GetCharBox(&requests.FPDFText_GetCharBox{TextPage: page, Index: char})
	if err != nil {
		return box{}, false
	}
	origin, err := d.engine.FPDFText_GetCharOrigin(&requests.FPDFText_GetCharOrigin{TextPage: page, Index: char})
	if err != nil {
		return box{}, false
	}
	size, err := d.engine.FPDFText_GetFontSize(&requests.FPDFText_GetFontSize{TextPage: page, Index: char})
	if err != nil {
		return box{}, false
	}
	scale := 1.0
	if m, err := d.engine.FPDFText_GetMatrix(&requests.FPDFText_GetMatrix{TextPage: page, Index: char}); err == nil {
		a, b := float64(m.Matrix.A), float64(m.Matrix.B)
		scale = math.Sqrt(float64(a*a) + float64(b*b))
	}
	out := box{left: b.Left, right: b.Right, bottom: b.Bottom, top: b.Top}.turned(turn)
	line := box{left: origin.X, right: origin.X, bottom: origin.Y, top: origin.Y}.turned(turn).bottom
	height := size.FontSize * scale
	out.bottom, out.top = line-float64(.2*height), line+float64(.8*height)
	return out, out.valid()
}

func (b box) valid() bool {
	for _, v := range []float64{b.left, b.right, b.top, b.bottom} {
		if math.IsNaN(v) || math.Abs(v) > 1e6 {
			return false
		}
	}
	return true
}
