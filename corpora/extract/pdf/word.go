package pdf

import (
	"strings"
	"unicode"
)

// word is what stands between spaces, and where.
type word struct {
	text     string
	from, to int // characters of the page's text
	box      box
}

// box is a place on a page, in points; y grows upwards.
type box struct{ left, right, bottom, top float64 }

func (b box) height() float64 { return b.top - b.bottom }
func (b box) middle() float64 { return (b.top + b.bottom) / 2 }

func (b box) union(o box) box {
	return box{min(b.left, o.left), max(b.right, o.right), min(b.bottom, o.bottom), max(b.top, o.top)}
}

// turned returns the place on the page held so that text that was turned by
// quarters, counter-clockwise, is upright.
func (b box) turned(quarters int) box {
	switch quarters & 3 {
	case 1:
		return box{b.bottom, b.top, -b.right, -b.left}
	case 2:
		return box{-b.right, -b.left, -b.top, -b.bottom}
	case 3:
		return box{-b.top, -b.bottom, b.left, b.right}
	}
	return b
}

// hyphen is what PDFium writes for a hyphen at the end of a line.
const hyphen = "\u0002"

// split cuts a text at its spaces.
func split(text string) (out []word) {
	var b strings.Builder
	n, from := 0, 0
	flush := func() {
		if b.Len() > 0 {
			out = append(out, word{text: b.String(), from: from, to: n})
			b.Reset()
		}
	}
	for _, r := range text {
		switch {
		case unicode.IsSpace(r) || r == 0:
			flush()
		case r == '\ufffe' || r == 2:
			b.WriteString(hyphen)
			n++
			flush()
			continue
		default:
			if b.Len() == 0 {
				from = n
			}
			b.WriteRune(r)
		}
		n++
	}
	flush()
	return out
}
