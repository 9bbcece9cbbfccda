package embedded

import (
	"bytes"
	"slices"

	"ken/index"
)

// top keeps the best k of the hits that it is given. The order of [index.Compare]
// is total, so the order in which they come does not matter.
type top struct {
	k    int
	hits []index.Hit // once full, a heap with the worst at its root
}

// admits reports whether a hit with the score might be kept.
func (t *top) admits(score float64) bool {
	return len(t.hits) < t.k || score >= t.hits[0].Score
}

func (t *top) push(h index.Hit) {
	if len(t.hits) < t.k {
		t.hits = append(t.hits, h)
		if len(t.hits) == t.k {
			for i := t.k/2 - 1; i >= 0; i-- {
				t.sink(i)
			}
		}
		return
	}
	if worse(&t.hits[0], &h) {
		t.hits[0] = h
		t.sink(0)
	}
}

func (t *top) sink(i int) {
	for {
		worst := i
		for _, child := range [2]int{2*i + 1, 2*i + 2} {
			if child < len(t.hits) && worse(&t.hits[child], &t.hits[worst]) {
				worst = child
			}
		}
		if worst == i {
			return
		}
		t.hits[i], t.hits[worst] = t.hits[worst], t.hits[i]
		i = worst
	}
}

// sorted returns the hits, best first.
func (t *top) sorted() []index.Hit {
	slices.SortFunc(t.hits, index.Compare)
	return t.hits
}

// worse is index.Compare(*a, *b) > 0 of scores that are numbers.
func worse(a, b *index.Hit) bool {
	return a.Score < b.Score || a.Score == b.Score && bytes.Compare(a.Key[:], b.Key[:]) > 0
}
