package embedded

import (
	"context"
	"math"
	"slices"
	"sort"

	"ken/index/embedded/chromem"
)

// chromemLeg has a collection of chromem-go for each ACL class. A collection
// only grows, also while older states use it: what is not in a state's readable
// rows is passed over. One that holds more dead vectors than live ones is built
// anew.
type chromemLeg struct {
	model       string
	collections map[uint32]*chromem.Collection // by class
}

func (l chromemLeg) follow(ctx context.Context, segments []*segment, cs classes) (vectorLeg, error) {
	next := chromemLeg{collections: map[uint32]*chromem.Collection{}}
	for _, s := range segments {
		if s.vec == nil { // no model yet: all segments have vectors, or none
			return next, nil
		}
		if err := s.checkAll(ctx, nil); err != nil {
			return nil, err
		}
		next.model = s.vec.ModelHash()
	}
	for id, c := range cs.all() {
		collection := l.collections[id]
		if collection == nil || l.model != next.model || collection.Len() > 2*int(c.live.GetCardinality())+1024 {
			var err error
			if collection, err = chromem.New(); err != nil {
				return nil, err
			}
		}
		if err := fill(ctx, collection, c, segments); err != nil {
			return nil, err
		}
		next.collections[id] = collection
	}
	return next, nil
}

// fill adds the vectors of the class that the collection does not have.
func fill(ctx context.Context, to *chromem.Collection, c *class, segments []*segment) error {
	for it := to.Missing(c.live).Iterator(); it.HasNext(); {
		ordinal := it.Next()
		p, ok := placeOf(segments, ordinal)
		if !ok {
			continue
		}
		if err := to.Add(ctx, ordinal, segments[p.segment].vec.Row(p.row)); err != nil {
			return err
		}
	}
	return nil
}

// placeOf finds the row of an ordinal.
func placeOf(segments []*segment, ordinal uint32) (place, bool) {
	i := sort.Search(len(segments), func(i int) bool { return segments[i].Last >= ordinal })
	if i == len(segments) {
		return place{}, false
	}
	s := segments[i]
	if ordinal >= s.First && s.Last-s.First == uint32(s.Chunks-1) { // no ordinal is missing
		return place{i, int(ordinal - s.First)}, true
	}
	row, ok := s.lex.Find(ordinal)
	return place{i, row}, ok
}

func (l chromemLeg) candidates(ctx context.Context, v *view, unit []float32, rows [][]uint64, k int, out []near) ([]near, error) {
	keep := func(ordinal uint32) bool {
		p, ok := placeOf(v.state.segments, ordinal)
		return ok && has(rows[p.segment], p.row)
	}
	slack := rounding(len(unit)) + 2*unitTolerance // chromem-go scales what it stores
	var all []uint32
	for _, class := range v.readable.classes {
		collection := l.collections[class]
		if collection == nil {
			continue
		}
		found, err := collection.Candidates(ctx, unit, k, slack, keep)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	slices.Sort(all) // a document that changed its class is in two collections
	for _, ordinal := range slices.Compact(all) {
		if p, ok := placeOf(v.state.segments, ordinal); ok {
			out = append(out, near{p, 0, math.Inf(1)})
		}
	}
	return out, nil
}

// rounding bounds the error of a float32 dot product of two vectors of unit length
// and dim dimensions, in whatever order it was added up: n·u / (1 - n·u) with
// u = 2^-24 (Higham, "Accuracy and Stability of Numerical Algorithms", section
// 3.1), doubled for vectors whose length is off by rounding.
func rounding(dim int) float64 {
	const u = 1.0 / (1 << 24)
	n := float64(float64(dim+4) * u)
	return 2 * n / (1 - n)
}
