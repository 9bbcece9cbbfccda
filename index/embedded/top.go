package embedded

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"

	"ken/index"
)

// top keeps the best k of the rows that it is given. The order of [index.Compare]
// is total, so the order in which they come does not matter.
type top struct {
	k        int
	segments []*segment
	kept     []scored // once full, a heap with the worst at its root
}

// scored is a row with its score.
type scored struct {
	score   float64
	key     uint64 // the beginning of its key, once it was needed; see keyOf
	segment uint32
	row     uint32
}

// full reports whether k were kept.
func (t *top) full() bool { return len(t.kept) >= t.k }

// least is the score of the worst that was kept; there must be one.
func (t *top) least() float64 { return t.kept[0].score }

// admits reports whether a row with the score might be kept.
func (t *top) admits(score float64) bool { return !t.full() || score >= t.least() }

func (t *top) push(segment, row int, score float64) {
	s := scored{score: score, segment: uint32(segment), row: uint32(row)}
	if !t.full() {
		t.kept = append(t.kept, s)
		if t.full() {
			for i := t.k/2 - 1; i >= 0; i-- {
				t.sink(i)
			}
		}
		return
	}
	if t.worse(&t.kept[0], &s) {
		t.kept[0] = s
		t.sink(0)
	}
}

func (t *top) sink(i int) {
	for {
		worst := i
		for _, child := range [2]int{2*i + 1, 2*i + 2} {
			if child < len(t.kept) && t.worse(&t.kept[child], &t.kept[worst]) {
				worst = child
			}
		}
		if worst == i {
			return
		}
		t.kept[i], t.kept[worst] = t.kept[worst], t.kept[i]
		i = worst
	}
}

// worse is compare(a, b) > 0.
func (t *top) worse(a, b *scored) bool {
	return a.score < b.score || a.score == b.score && t.compareKeys(a, b) > 0
}

// compare is [index.Compare] of the hits.
func (t *top) compare(a, b *scored) int {
	if c := cmp.Compare(b.score, a.score); c != 0 {
		return c
	}
	return t.compareKeys(a, b)
}

// compareKeys looks keys up, which stand in files, far apart: for ties alone.
func (t *top) compareKeys(a, b *scored) int {
	if c := cmp.Compare(t.keyOf(a), t.keyOf(b)); c != 0 {
		return c
	}
	x, y := t.segments[a.segment].lex.Key(int(a.row)), t.segments[b.segment].lex.Key(int(b.row))
	return bytes.Compare(x[:], y[:])
}

// keyOf returns the beginning of the key, which is enough to break nearly all ties.
// One that is 0 is looked up each time.
func (t *top) keyOf(s *scored) uint64 {
	if s.key == 0 {
		key := t.segments[s.segment].lex.Key(int(s.row))
		s.key = binary.BigEndian.Uint64(key[:])
	}
	return s.key
}

// sorted returns the hits, best first.
func (t *top) sorted() []index.Hit {
	slices.SortFunc(t.kept, func(a, b scored) int { return t.compare(&a, &b) })
	out := make([]index.Hit, len(t.kept))
	for i, s := range t.kept {
		lex, row := t.segments[s.segment].lex, int(s.row)
		out[i] = index.Hit{ID: index.ChunkID(lex.Ordinal(row)), Score: s.score, Key: lex.Key(row)}
	}
	return out
}
