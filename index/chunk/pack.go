package chunk

// section is a heading, the blocks below it and the sections below those. The
// root has no heading.
type section struct {
	level  int
	path   []string
	blocks []block
	subs   []*section
}

// sections sorts the blocks under their headings.
func sections(blocks []block) *section {
	root := &section{}
	open := []*section{root} // the path to the section being filled
	for _, b := range blocks {
		if b.form == heading {
			for len(open) > 1 && open[len(open)-1].level >= b.level {
				open = open[:len(open)-1]
			}
			parent := open[len(open)-1]
			s := &section{level: b.level, path: parent.path}
			if b.title != "" {
				s.path = append(parent.path[:len(parent.path):len(parent.path)], b.title)
			}
			parent.subs = append(parent.subs, s)
			open = append(open, s)
		}
		s := open[len(open)-1]
		s.blocks = append(s.blocks, b)
	}
	return root
}

func (s *section) cost() int {
	n := 0
	for _, b := range s.blocks {
		n += b.cost
	}
	for _, sub := range s.subs {
		n += sub.cost()
	}
	return n
}

// span returns where the section begins and ends; it has a block.
func (s *section) span() (start, end int) {
	last := s
	for len(last.subs) > 0 {
		last = last.subs[len(last.subs)-1]
	}
	first := s
	for len(first.blocks) == 0 {
		first = first.subs[0]
	}
	return first.blocks[0].start, last.blocks[len(last.blocks)-1].end
}

// bare reports whether the section has headings but no text of its own.
func (s *section) bare() bool {
	for _, b := range s.blocks {
		if b.form != heading {
			return false
		}
	}
	return true
}

// piece is a chunk in the making. The pieces of a section are contiguous.
type piece struct {
	start, end int
	cost       int // tokens, about
	path       []string
	context    string
	whole      bool // all of a section, or all of what it says before its first subsection
}

// packer makes pieces of the sections of one text.
type packer struct {
	text   string
	o      Options
	tokens *counter
}

// section returns the pieces of a section: one if it fits, else those of its
// own blocks and of the sections below it, the small ones put together.
func (p *packer) section(s *section, root bool) []piece {
	if cost := s.cost(); cost <= p.o.Target {
		start, end := s.span()
		return []piece{{start: start, end: end, cost: cost, path: s.common(), whole: true}}
	}
	var out []piece
	if s.bare() && len(s.subs) > 0 {
		first := s.subs[0]
		first.blocks = append(s.blocks[:len(s.blocks):len(s.blocks)], first.blocks...)
	} else {
		out = p.blocks(s)
	}
	for _, sub := range s.subs {
		out = append(out, p.section(sub, false)...)
	}
	least := p.o.Min
	if root {
		least /= 4
	}
	return p.join(out, least)
}

// common returns the path that all text of the section stands under: its own,
// or that of its only part.
func (s *section) common() []string {
	for s.bare() && len(s.subs) == 1 {
		s = s.subs[0]
	}
	return s.path
}

// join puts whole sections together that are below least with their neighbours,
// as long as the result is no larger than the target.
func (p *packer) join(pieces []piece, least int) []piece {
	out := pieces[:0]
	for _, b := range pieces {
		if k := len(out) - 1; k >= 0 && out[k].whole && b.whole &&
			(out[k].cost < least || b.cost < least) && out[k].cost+b.cost <= p.o.Target {
			a := &out[k]
			a.end, a.cost, a.path = b.end, a.cost+b.cost, prefix(a.path, b.path)
			continue
		}
		out = append(out, b)
	}
	return out
}

// prefix returns what two paths begin with.
func prefix(a, b []string) []string {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return a[:n:n]
}
