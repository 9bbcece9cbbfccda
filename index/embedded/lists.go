package embedded

import (
	"sync"

	"ken/index"
	"ken/index/embedded/lexical"
)

// list is the postings of a form in the readable chunks of one segment, with what
// each would add to a score but for the weight of its term.
type list struct {
	rows  []uint32 // ascending
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

// listCache keeps the lists of forms that were asked for. It belongs to one
// state, so that no write can leave a stale one, and its lists to one readable
// set. What is in it changes how long a search takes and nothing else.
type listCache struct {
	mu    sync.Mutex
	lists map[listKey]*lists
	size  int // postings
}

// maxCached bounds the postings of a cache; each takes 12 bytes. A full cache is
// emptied: what is asked for often comes back at once.
const maxCached = 4 << 20

func (c *listCache) get(key listKey) *lists {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lists[key]
}

func (c *listCache) put(key listKey, l *lists) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.lists == nil || c.size+l.df > maxCached {
		c.lists, c.size = map[listKey]*lists{}, 0
	}
	if _, ok := c.lists[key]; !ok {
		c.lists[key] = l
		c.size += l.df
	}
}

// listsOf reads the lists of a form. Unreadable postings are never counted.
func (v *view) listsOf(f index.Form, field *bm25f) (*lists, error) {
	key := listKey{v.readable, f, field.BM25}
	if l := v.state.lists.get(key); l != nil {
		return l, nil
	}
	out := &lists{segments: make([]list, len(v.state.segments))}
	var found []lexical.Posting
	for i, s := range v.state.segments {
		p := s.lex.Term(f.Language, f.Text)
		var err error
		if found, err = p.Within(v.readable.rows[i], found[:0]); err != nil {
			return nil, err
		}
		out.segments[i] = field.list(s.lex, found)
		out.df += len(found)
	}
	v.state.lists.put(key, out)
	return out, nil
}

func (b *bm25f) list(s *lexical.Segment, found []lexical.Posting) list {
	l := list{rows: make([]uint32, len(found)), parts: make([]float64, len(found))}
	for i, p := range found {
		l.rows[i], l.parts[i] = p.Chunk, b.quick(s, p)
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
