package embedded

import (
	"slices"
	"sort"

	"ken/index/embedded/bounds"
	"ken/index/embedded/lexical"
)

// window is how many readable rows are searched together.
const window = 4096

// list is the postings of a form in the readable chunks of one segment, by rank; see
// ranking. A posting takes two bytes, or half a byte for each rank where many have
// the form: how long a chunk is, and so what the posting adds to a score, is known
// elsewhere.
type list struct {
	postings int
	each     []byte   // a code for each rank, two to a byte, the lower half first; nil where few have the form
	some     []uint16 // else, of each posting: 16 times its rank in its window, and its code
	starts   []uint32 // where each window begins in some, and the end
	others   []said   // those whose code is other, by rank
}

// said is how often a form stands in the fields of a chunk.
type said struct{ rank, title, body uint32 }

// A code is how often a form stands in the fields of a chunk, in four bits: 0 not at
// all; others tells of what has none.
const (
	bodies = 9  // as many times in the body, and not in the title
	titled = 10 // once in the title, and this less than the code in the body
	other  = 15
)

func codeOf(title, body uint32) byte {
	switch {
	case title == 0 && body <= bodies:
		return byte(body)
	case title == 1 && body < other-titled:
		return byte(titled + body)
	}
	return other
}

// fromCode is the inverse of codeOf, for codes that say it.
func fromCode(code byte) (title, body uint32) {
	if code <= bodies {
		return 0, uint32(code)
	}
	return 1, uint32(code - titled)
}

func (l *list) size() int {
	return 112 + len(l.each) + 2*len(l.some) + 4*len(l.starts) + 12*len(l.others)
}

// in returns those of some that are in the window that begins at the rank.
func (l *list) in(from int) []uint16 {
	w := from / window
	if w+1 >= len(l.starts) {
		return nil
	}
	return l.some[l.starts[w]:l.starts[w+1]]
}

// code returns the code of a rank, of which each tells.
func (l *list) code(rank int) byte { return l.each[rank/2] >> (rank % 2 * 4) & 15 }

// said returns how often the form stands in the chunk with the rank and the code.
func (l *list) said(rank int, code byte) (title, body uint32) {
	if code != other {
		return fromCode(code)
	}
	i := sort.Search(len(l.others), func(i int) bool { return int(l.others[i].rank) >= rank })
	return l.others[i].title, l.others[i].body
}

// listMaker makes one list after the other.
type listMaker struct {
	found    [512]lexical.Posting // room to read them into
	ranks    *ranking
	postings int
	some     []uint16
	starts   []uint32
	others   []said
}

func (m *listMaker) begin(r *ranking) {
	m.ranks, m.postings, m.some, m.starts, m.others = r, 0, m.some[:0], m.starts[:0], m.others[:0]
}

// add takes postings of readable chunks, each after those before it.
func (m *listMaker) add(found []lexical.Posting) {
	m.postings += len(found)
	for _, p := range found {
		rank, code := m.ranks.rank(p.Chunk), codeOf(p.Title, p.Body)
		for len(m.starts) <= int(rank/window) {
			m.starts = append(m.starts, uint32(len(m.some)))
		}
		if code == other {
			m.others = append(m.others, said{rank, p.Title, p.Body})
		}
		m.some = append(m.some, uint16(rank%window)<<4|uint16(code))
	}
}

// From one posting for so many chunks on, each chunk has a code: it is looked up with
// 63 others at once, and takes three times as much memory at most.
const perPosting = 12

func (m *listMaker) list() list {
	m.starts = append(m.starts, uint32(len(m.some)))
	l := list{postings: m.postings, some: m.some, starts: m.starts, others: slices.Clone(m.others)}
	if len(m.some)*perPosting < m.ranks.len() {
		l.some, l.starts = slices.Clone(m.some), slices.Clone(m.starts)
		return l
	}
	each := make([]byte, aligned(m.ranks.len())/2)
	for from := 0; from < m.ranks.len(); from += window {
		for _, p := range l.in(from) {
			rank := from + int(p>>4)
			each[rank/2] |= byte(p&15) << (rank % 2 * 4)
		}
	}
	l.each, l.some, l.starts = each, nil, nil
	return l
}

// aligned is n, and what makes it a multiple of what is taken at once.
func aligned(n int) int { return (n + bounds.Align - 1) / bounds.Align * bounds.Align }
