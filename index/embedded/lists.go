package embedded

import (
	"context"

	"ken/index"
	"ken/index/embedded/lexical"
)

// list is the postings of a form in the readable chunks of one segment, with what
// each would add to a score but for the weight of its term.
type list struct {
	ranks []uint32 // of the chunks, ascending; see ranking
	parts []float64
	most  float64 // greatest of parts
}

// listKey names the lists of a form for one readable set and one set of parameters.
type listKey struct {
	readable *readable
	form     index.Form
	params   index.BM25
}

// lists are those of a form, one per segment.
type lists struct {
	segments []list
	df       int
}

// maxLists bounds the postings of a generation of the lists that a state keeps;
// each takes 12 bytes. A kept list belongs to one state, so that no write can leave
// a stale one, and to one readable set.
const maxLists = 2 << 20

// listsOf reads the lists of a form. Unreadable postings are never counted.
func (v *view) listsOf(ctx context.Context, f index.Form, field *bm25f) (*lists, error) {
	key := listKey{v.readable, f, field.BM25}
	if l, ok := v.state.lists.get(key, maxLists); ok {
		return l, nil
	}
	out := &lists{segments: make([]list, len(v.state.segments))}
	var prefixed [][]lexical.Posting
	if f.Prefix {
		var err error
		if prefixed, err = v.prefixPostings(ctx, f); err != nil {
			return nil, err
		}
	}
	var found []lexical.Posting
	for i, s := range v.state.segments {
		if f.Prefix {
			found = prefixed[i]
		} else {
			p := s.lex.Term(f.Language, f.Text)
			var err error
			if found, err = p.Within(v.readable.rows[i], found[:0]); err != nil {
				return nil, err
			}
		}
		if err := s.lex.CheckPostings(found); err != nil {
			return nil, err
		}
		out.segments[i] = field.list(s.lex, &v.readable.ranks[i], found)
		out.df += len(found)
	}
	v.state.lists.put(key, out, out.df+1, maxLists)
	return out, nil
}

func (b *bm25f) list(s *lexical.Segment, r *ranking, found []lexical.Posting) list {
	l := list{ranks: make([]uint32, len(found)), parts: make([]float64, len(found))}
	for i, p := range found {
		l.ranks[i], l.parts[i] = r.rank(p.Chunk), b.quick(s, p)
		l.most = max(l.most, l.parts[i])
	}
	return l
}

// quick is saturated with the results of common arguments remembered.
func (b *bm25f) quick(s *lexical.Segment, p lexical.Posting) float64 {
	_, body := s.Lengths(int(p.Chunk))
	if p.Title > 0 || p.Body >= knownFrequencies || body >= knownLengths {
		return b.saturated(s, p)
	}
	at := p.Body*knownLengths + body
	if b.known == nil {
		b.known = make([]float64, knownFrequencies*knownLengths)
	}
	if b.known[at] == 0 {
		b.known[at] = b.saturated(s, p)
	}
	return b.known[at]
}

// Body frequencies and lengths below these are remembered.
const (
	knownFrequencies = 8
	knownLengths     = 512
)
