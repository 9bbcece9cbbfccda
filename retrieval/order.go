package retrieval

import (
	"context"
	"slices"

	"ken/corpora"
	"ken/index"
)

// order is a ranking, best first. A document that is not in force lowers the scores
// of its chunks, and which document a chunk belongs to must be read: of a few hundred
// chunks that were found an answer needs a dozen, so no more are read than can stand
// among those that were asked for.
type order struct {
	view    *snapshot
	factor  func(corpora.Status) float64 // 0 to 1
	found   []Ranked                     // as they were fused
	place   map[index.ChunkID]int        // in found
	settled []Ranked                     // the first of found, named and lowered, in order
}

// inOrder returns the order of what was fused.
func (s *Searcher) inOrder(v *snapshot, r Request, found []Ranked) *order {
	o := &order{view: v, factor: s.Params.standing, found: found}
	if r.History {
		o.factor = func(corpora.Status) float64 { return 1 }
	}
	return o
}

// settledOrder returns the order of chunks whose scores are final.
func settledOrder(v *snapshot, ranked []Ranked) *order {
	return &order{view: v, factor: func(corpora.Status) float64 { return 1 }, found: ranked, settled: ranked}
}

// someFound is how many chunks are named together.
const someFound = 16

// at returns the chunk in place i, nil if there are fewer.
func (o *order) at(ctx context.Context, i int) (*Ranked, error) {
	for len(o.settled) < len(o.found) && !o.final(i) {
		if err := o.settle(ctx, someFound); err != nil {
			return nil, err
		}
	}
	if i >= len(o.settled) {
		return nil, nil
	}
	return &o.settled[i], nil
}

// final reports whether no chunk that was not named yet can stand in place i or
// before: none gets a higher score than it has.
func (o *order) final(i int) bool {
	return i < len(o.settled) && index.Compare(o.settled[i].Hit, o.found[len(o.settled)].Hit) < 0
}

// all returns the whole ranking.
func (o *order) all(ctx context.Context) ([]Ranked, error) {
	err := o.settle(ctx, len(o.found))
	return o.settled, err
}

// settle names the documents of up to n more chunks and lowers what is not in force.
func (o *order) settle(ctx context.Context, n int) error {
	next := o.found[len(o.settled):]
	next = next[:min(n, len(next))]
	if len(next) == 0 {
		return nil
	}
	outlines, err := o.view.outlines(ctx, hitsOf(next), false)
	if err != nil {
		return err
	}
	for i, r := range next {
		r.Doc = outlines[i].Doc
		r.Score *= o.factor(outlines[i].Status)
		o.settled = append(o.settled, r)
	}
	sortRanked(o.settled)
	return nil
}

// match is a found chunk with its place in its document.
type match struct {
	Ranked
	n int
}

// of returns the chunks of a document that were found, best first.
func (o *order) of(d document) []match {
	if o.place == nil {
		o.place = make(map[index.ChunkID]int, len(o.found))
		for i := range o.found {
			o.place[o.found[i].ID] = i
		}
	}
	var out []match
	for n, id := range d.chunks {
		if i, ok := o.place[id]; ok {
			m := match{o.found[i], n}
			m.Doc = d.ID
			m.Score *= o.factor(d.Status)
			out = append(out, m)
		}
	}
	slices.SortFunc(out, func(a, b match) int { return index.Compare(a.Hit, b.Hit) })
	return out
}

// standing is the factor on the score of a document of this status.
func (p Params) standing(status corpora.Status) float64 {
	switch status {
	case corpora.Superseded:
		return p.Superseded
	case corpora.Draft:
		return p.Draft
	}
	return 1
}

func hitsOf(ranked []Ranked) []index.Hit {
	out := make([]index.Hit, len(ranked))
	for i := range ranked {
		out[i] = ranked[i].Hit
	}
	return out
}

// sortRanked sorts by [index.Compare]. What is sorted is places: a Ranked is large.
func sortRanked(ranked []Ranked) {
	type place struct {
		score float64
		at    int
	}
	places := make([]place, len(ranked))
	for i := range ranked {
		places[i] = place{ranked[i].Score, i}
	}
	slices.SortFunc(places, func(a, b place) int {
		switch {
		case a.score > b.score:
			return -1
		case a.score < b.score:
			return 1
		}
		return index.Compare(ranked[a.at].Hit, ranked[b.at].Hit)
	})
	before := slices.Clone(ranked)
	for i, p := range places {
		ranked[i] = before[p.at]
	}
}
