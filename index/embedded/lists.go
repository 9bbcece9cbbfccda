package embedded

import (
	"context"
	"math"
	"slices"
	"sync"
	"weak"

	"ken/index"
	"ken/index/embedded/lexical"
)

// list is the postings of a form in the readable chunks of one segment, with what
// each would add to a score but for the weight of its term.
type list struct {
	ranks []uint32     // of the chunks, ascending; see ranking
	said  []occurrence // what parts are made of; nil if one of them has no room
	parts []float64
	most  float64 // greatest of parts
}

// occurrence is how often a term stands in the fields of a chunk, and how long the
// fields are.
type occurrence struct{ title, body, titleLength, bodyLength uint16 }

// listKey names the lists of a form for one line of readable sets and one set of
// parameters.
type listKey struct {
	line   *line
	form   index.Form
	params index.BM25
}

// lists are those of a form, one per segment, for one readable set. Those of the
// next set in the line are made from them: a segment whose readable rows are the
// same has the same postings, and only what they add is computed anew, for the
// average lengths are others.
type lists struct {
	of       *counted
	segments []list
	df       int
}

func (l *lists) size() int { return 256 + 112*len(l.segments) + 20*l.df }

// listsOf reads the lists of a form. Unreadable postings are never counted.
func (v *view) listsOf(ctx context.Context, f index.Form, field *bm25f) (*lists, error) {
	key := listKey{v.readable.line, f, field.BM25}
	last, ok := v.state.kept.lists.get(key, v.state.truth.room.lists)
	if ok && last.of == v.readable.counted {
		return last, nil
	}
	if !ok {
		last = &lists{of: &counted{}}
	}
	out := &lists{of: v.readable.counted, segments: make([]list, len(v.state.segments))}
	postings, from := v.postingsOf(ctx, f), 0
	for i, rows := range out.of.rows {
		at := slices.Index(last.of.rows[from:], rows) + from
		known := at >= from
		if known {
			from = at + 1
		}
		switch {
		case known && last.of.averages == out.of.averages:
			out.segments[i] = last.segments[at]
		case known && last.segments[at].said != nil:
			out.segments[i] = field.scored(last.segments[at])
		default:
			found, err := postings(i)
			if err == nil {
				err = v.state.segments[i].lex.CheckPostings(found)
			}
			if err != nil {
				return nil, err
			}
			out.segments[i] = field.list(v.state.segments[i].lex, &v.readable.ranks[i], found)
		}
		out.df += len(out.segments[i].ranks)
	}
	v.state.kept.lists.put(key, out, out.size(), v.state.truth.room.lists)
	return out, nil
}

// postingsOf returns what reads the postings of the form in the readable rows of a
// segment, which hold until it is called again.
func (v *view) postingsOf(ctx context.Context, f index.Form) func(segment int) ([]lexical.Posting, error) {
	if !f.Prefix {
		var found []lexical.Posting
		return func(i int) (_ []lexical.Posting, err error) {
			p := v.state.segments[i].lex.Term(f.Language, f.Text)
			found, err = p.Within(v.readable.rows[i], found[:0])
			return found, err
		}
	}
	all := sync.OnceValues(func() ([][]lexical.Posting, error) { return v.prefixPostings(ctx, f) })
	return func(i int) ([]lexical.Posting, error) {
		found, err := all()
		if err != nil {
			return nil, err
		}
		return found[i], nil
	}
}

// counted is what lists know of the readable set that they are of. It keeps nothing
// of the set in memory: lists that nobody asks for again outlive many sets.
type counted struct {
	rows     []weak.Pointer[uint64] // the first of each segment's rows, which no other rows have
	averages averages
}

// averages is what average lengths are made of.
type averages struct{ chunks, title, body uint64 }

func (r *readable) count() *counted {
	out := &counted{averages: averages{r.chunks, r.title, r.body}}
	for _, rows := range r.rows {
		out.rows = append(out.rows, weak.Make(&rows[0])) // no segment is empty
	}
	return out
}

// list makes the list of the postings of a form.
func (b *bm25f) list(s *lexical.Segment, r *ranking, found []lexical.Posting) (l list) {
	n := len(found)
	l.ranks, l.parts, l.said = make([]uint32, n), make([]float64, n), make([]occurrence, n)
	for i, p := range found {
		title, body := s.Lengths(int(p.Chunk))
		l.ranks[i], l.parts[i] = r.rank(p.Chunk), b.quick(p.Title, p.Body, title, body)
		l.most = max(l.most, l.parts[i])
		if l.said != nil && max(p.Title, p.Body, title, body) <= math.MaxUint16 {
			l.said[i] = occurrence{uint16(p.Title), uint16(p.Body), uint16(title), uint16(body)}
		} else {
			l.said = nil
		}
	}
	return l
}

// scored returns the list with the parts that its postings have now.
func (b *bm25f) scored(l list) list {
	l.parts, l.most = make([]float64, len(l.said)), 0
	for i, o := range l.said {
		l.parts[i] = b.quick(uint32(o.title), uint32(o.body), uint32(o.titleLength), uint32(o.bodyLength))
		l.most = max(l.most, l.parts[i])
	}
	return l
}

// quick is saturated with the results of common arguments remembered.
func (b *bm25f) quick(title, body, titleLength, bodyLength uint32) float64 {
	if title > 0 || body >= knownFrequencies || bodyLength >= knownLengths {
		return b.saturated(title, body, titleLength, bodyLength)
	}
	at := body*knownLengths + bodyLength
	if b.known == nil {
		b.known = make([]float64, knownFrequencies*knownLengths)
	}
	if b.known[at] == 0 {
		b.known[at] = b.saturated(title, body, titleLength, bodyLength)
	}
	return b.known[at]
}

// Body frequencies and lengths below these are remembered.
const (
	knownFrequencies = 8
	knownLengths     = 512
)
