package chunk

import "strings"

// maxContext bounds a context in bytes: it is stored with every piece.
const maxContext = 1024

// blocks returns the pieces of a section's own blocks, in order. Headings stay
// with what is below them, which is cut if they do not fit one piece together.
func (p *packer) blocks(s *section) []piece {
	f := filler{packer: p, path: s.path}
	for _, b := range s.blocks {
		f.begin, f.context = b.start, p.context(b)
		f.put(b.start, b.end, b.cost, b.form == heading, b.form.cutters())
	}
	f.flush()
	return f.tail()
}

// tail returns the pieces, a small last one put together with the one before.
func (f *filler) tail() []piece {
	k := len(f.out) - 1
	if k > 0 && f.out[k].cost < f.o.Min && f.out[k-1].cost+f.out[k].cost <= f.o.Max {
		f.out[k-1].end = f.out[k].end
		f.out[k-1].cost += f.out[k].cost
		f.out = f.out[:k]
	}
	if len(f.out) == 1 {
		f.out[0].whole = true
	}
	return f.out
}

// filler fills pieces with units, one after the other.
type filler struct {
	*packer
	out     []piece
	cur     piece // being filled; it has no bytes before its first unit
	text    bool  // cur has more than headings
	path    []string
	begin   int    // where the block begins that the units are of
	context string // what a piece needs that begins inside of this block
}

// put adds the unit [start, end) to the current piece, or to a new one, or cuts
// it into finer units if no piece can hold it.
func (f *filler) put(start, end, cost int, heading bool, finer []cutter) {
	switch {
	case f.fits(cost):
		f.add(start, end, cost, heading)
	case f.text:
		f.flush()
		f.put(start, end, cost, heading, finer)
	case len(finer) == 0: // one character
		f.add(start, end, cost, heading)
	default:
		body := f.packer.text[:end]
		for i := start; i < end; {
			next := finer[0](body, i)
			f.put(i, next, f.tokens.count(body[i:next]), false, finer[1:])
			i = next
		}
	}
}

// fits reports whether the current piece can take the tokens: up to the target,
// and up to the maximum while it is small or has only headings.
func (f *filler) fits(cost int) bool {
	limit := f.o.Target
	if !f.text || f.cur.cost < f.o.Min {
		limit = f.o.Max
	}
	return f.cur.cost+cost <= limit
}

func (f *filler) add(start, end, cost int, heading bool) {
	if f.cur.end == 0 {
		f.cur = piece{start: start, path: f.path}
		if start > f.begin {
			f.cur.context = f.context
		}
	}
	f.cur.end = end
	f.cur.cost += cost
	f.text = f.text || !heading
}

func (f *filler) flush() {
	if f.cur.end > 0 {
		f.out = append(f.out, f.cur)
	}
	f.cur, f.text = piece{}, false
}

// context returns what the pieces of a block after its first need: the header
// of a table with its rule, the first line of a fenced code block.
func (p *packer) context(b block) string {
	text := p.text[b.start:b.end]
	n := 0
	switch b.form {
	case table:
		n = afterLine(text, 0)
		if n < len(text) {
			n = afterLine(text, n)
		}
	case fenced:
		n = afterLine(text, 0)
	}
	context := strings.TrimSpace(text[:n])
	if len(context) > maxContext || p.tokens.count(context) > p.o.Max/2 {
		return ""
	}
	return context
}
