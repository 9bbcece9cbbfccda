package embedded

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"ken/corpora/acl"
)

// readable is what a principal may read of a state in [from, until).
type readable struct {
	from, until time.Time // until is zero if no grant starts or ends later
	classes     []*class  // those that admit, by id
	rows        [][]uint64
	chunks      uint64
	title, body uint64 // terms in the fields of the readable chunks
	languages   []string
}

func (r *readable) validAt(at time.Time) bool {
	return !at.Before(r.from) && (r.until.IsZero() || at.Before(r.until))
}

// admits reports whether the documents of the class are readable.
func (r *readable) admits(id uint32) bool {
	_, ok := slices.BinarySearchFunc(r.classes, id, func(c *class, id uint32) int { return int(c.id) - int(id) })
	return ok
}

// newReadable decides, class by class, what the principal may read.
func newReadable(st *state, p acl.Principal, at time.Time) *readable {
	r := &readable{from: at}
	names := map[string]bool{}
	for _, id := range slices.Sorted(maps.Keys(st.classes)) {
		c := st.classes[id]
		if b := c.list.Boundary(at); !b.IsZero() && (r.until.IsZero() || b.Before(r.until)) {
			r.until = b
		}
		if !c.list.Admits(p, at) {
			continue
		}
		r.classes = append(r.classes, c)
		r.chunks += c.live.GetCardinality()
		r.title += c.title
		r.body += c.body
		for name := range c.languages {
			names[name] = true
		}
	}
	r.languages = slices.Sorted(maps.Keys(names))
	r.rows = rowsOf(st.segments, r.classes)
	return r
}

// rowsOf returns, for each segment, a bit per row that belongs to the classes.
func rowsOf(segments []*segment, cs []*class) [][]uint64 {
	live := make([]*roaring.Bitmap, len(cs))
	for i, c := range cs {
		live[i] = c.live
	}
	it := roaring.FastOr(live...).Iterator()
	out := make([][]uint64, len(segments))
	for i, s := range segments {
		out[i] = make([]uint64, (s.Chunks+63)/64)
		dense := uint64(s.Last)-uint64(s.First)+1 == uint64(s.Chunks)
		for row := 0; it.HasNext() && it.PeekNext() <= s.Last; {
			ordinal := it.Next()
			if ordinal < s.First {
				continue
			}
			if dense {
				row = int(ordinal - s.First)
			}
			for row < s.Chunks && s.lex.Ordinal(row) < ordinal {
				row++
			}
			if row < s.Chunks && s.lex.Ordinal(row) == ordinal {
				out[i][row/64] |= 1 << (row % 64)
			}
		}
	}
	return out
}

// readableCache remembers the readable sets of the principals that asked last.
// It belongs to one state, so that a write or revoke cannot leave a stale set.
type readableCache struct {
	mu     sync.Mutex
	sets   map[string]*readable
	recent []string // keys, the one used last at the end
}

// maxReadable bounds the sets that a state remembers; each takes a bit per chunk.
const maxReadable = 64

func (st *state) readableFor(p acl.Principal, at time.Time) *readable {
	key := p.Key()
	c := &st.readable
	c.mu.Lock()
	defer c.mu.Unlock()
	if i := slices.Index(c.recent, key); i >= 0 {
		c.recent = append(slices.Delete(c.recent, i, i+1), key)
		if r := c.sets[key]; r.validAt(at) {
			return r
		}
	}
	r := newReadable(st, p, at)
	if c.sets == nil {
		c.sets = map[string]*readable{}
	}
	if _, ok := c.sets[key]; !ok {
		c.recent = append(c.recent, key)
	}
	c.sets[key] = r
	if len(c.recent) > maxReadable {
		delete(c.sets, c.recent[0])
		c.recent = slices.Delete(c.recent, 0, 1)
	}
	return r
}
