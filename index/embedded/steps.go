package embedded

import (
	"math"
	"sync"
)

// line is the readable sets that were made one from the other, as commits came.
type line struct {
	scale
	average float64 // body that the scale was made for, at least 1
}

func newLine(average float64) *line { return &line{newScale(average), average} }

// fits reports whether most bodies of that average length are in different steps.
func (l *line) fits(average float64) bool { return average <= 2*l.average && l.average <= 2*average }

// scale divides lengths of bodies into steps: it has the least length of each. What
// is as long as the average is the least of the middle one, and four steps are twice
// the length.
type scale [16]uint32

func newScale(average float64) (out scale) {
	for s := range out {
		out[s] = max(1, uint32(math.Ceil(average*math.Exp2(float64(s-len(out)/2)/4))))
	}
	out[0] = 1 // what has a term in the body is not shorter
	return out
}

func (s *scale) step(length uint32) byte {
	at := len(s) - 1
	for at > 0 && s[at] > length {
		at--
	}
	return byte(at)
}

// steps are those of the readable chunks of a segment, by rank, each 16 times. They
// are made when they are first asked for.
type steps struct {
	mu sync.Mutex
	of []byte
}

// stepsOf returns the steps of a segment, as many as are taken at once.
func (v *view) stepsOf(segment int) ([]byte, error) {
	r, lex := &v.readable.ranks[segment], v.state.segments[segment].lex
	r.steps.mu.Lock()
	defer r.steps.mu.Unlock()
	if r.steps.of != nil {
		return r.steps.of, nil
	}
	if err := lex.CheckSet(r.rows); err != nil {
		return nil, err
	}
	out, rank := make([]byte, aligned(r.len())), 0
	for row := range setBits(r.rows) {
		_, body := lex.Lengths(row)
		out[rank] = v.readable.line.step(body) << 4
		rank++
	}
	r.steps.of = out
	return out, nil
}
