package analyze

import "unicode/utf8"

const (
	gramWidth = 2    // characters of a gram in scripts without spaces
	maxRun    = 1024 // characters of a run that are kept
	maxMarks  = 32   // bytes of a character with its marks
)

// run emits the overlapping pairs of characters of the run of one class that
// begins at i, or its only character, and returns where the run ends. Combining
// marks belong to the character before them: on xquad/th that gives nDCG@10
// .966, marks as characters of their own .941, and no marks .922. Triples
// of such characters give .969 there, but miss words of two.
func (s *scanner) run(text string, i int, c class) int {
	s.buf, s.cuts = s.buf[:0], s.cuts[:0]
	for i < len(text) {
		r, n, next := next(text, i)
		switch next {
		case c:
			s.window()
			s.cuts = append(s.cuts, len(s.buf))
			s.buf = utf8.AppendRune(s.buf, lower(r))
		case mark:
			if len(s.buf)-s.cuts[len(s.cuts)-1] < maxMarks {
				s.buf = utf8.AppendRune(s.buf, r)
			}
		case hidden:
		default:
			s.rest()
			return i
		}
		i += n
	}
	s.rest()
	return i
}

// window emits the last gram, if there are as many characters, and forgets what
// no later one needs.
func (s *scanner) window() {
	k := len(s.cuts) - gramWidth
	if k < 0 {
		return
	}
	s.emit(s.buf[s.cuts[k]:], exact)
	if len(s.cuts) < maxRun {
		return
	}
	from := s.cuts[k]
	s.buf = append(s.buf[:0], s.buf[from:]...)
	s.cuts = append(s.cuts[:0], s.cuts[k:]...)
	for i := range s.cuts {
		s.cuts[i] -= from
	}
}

// rest ends the run: with its last gram, or with its only character.
func (s *scanner) rest() {
	if len(s.cuts) < gramWidth {
		s.emit(s.buf, exact)
		return
	}
	s.window()
}
