package lexical

import (
	"bytes"
	"context"
	"runtime"
	"slices"
)

// Part is a segment that goes into a merge, and which of its chunks stay.
type Part struct {
	Segment *Segment
	Keep    func(i int) bool
}

const dropped = ^uint32(0)

// Merge returns the segment of the chunks that stay. The parts must come in
// ascending order of their ordinals. Ordinals, lengths and frequencies stay as
// they are; terms of dropped chunks alone disappear. It ends early with ctx.
func Merge(ctx context.Context, parts ...Part) ([]byte, error) {
	var room room
	for _, p := range parts {
		room.rows += p.Segment.Len()
		room.terms += len(p.Segment.terms.lists)
		room.keywords += len(p.Segment.keywords.lists)
	}
	w, err := newWriter(room)
	if err != nil {
		return nil, err
	}
	renumber := make([][]uint32, len(parts))
	for i, p := range parts {
		if err := p.Segment.CheckAll(ctx, nil); err != nil { // or damage would get a checksum of its own
			return nil, err
		}
		renumber[i] = make([]uint32, p.Segment.Len())
		for c := range renumber[i] {
			if !p.Keep(c) {
				renumber[i][c] = dropped
				continue
			}
			renumber[i][c] = uint32(w.rows)
			if err := w.addRow(p.Segment.row(c)); err != nil {
				return nil, err
			}
		}
	}
	if err := mergeLists(ctx, parts, renumber, false, w.terms.add); err != nil {
		return nil, err
	}
	if err := mergeLists(ctx, parts, renumber, true, w.keywords.add); err != nil {
		return nil, err
	}
	return w.finish()
}

// mergeLists hands out the lists of all terms of one of the two dictionaries,
// in byte order of the terms.
func mergeLists(ctx context.Context, parts []Part, renumber [][]uint32, bare bool, add func([]byte, []run) error) error {
	cursors, keeping := make([]*cursor, len(parts)), make([]*keeper, len(parts))
	for i, p := range parts {
		in := &p.Segment.terms
		if bare {
			in = &p.Segment.keywords
		}
		cursors[i], keeping[i] = newCursor(p.Segment, in, bare, nil, nil), newKeeper(renumber[i])
	}
	var runs []run
	var key []byte
	for n := 0; ; n++ {
		if n%termsAtOnce == 0 {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			runtime.Gosched()
		}
		least, err := leastKey(cursors)
		if err != nil || least == nil {
			return err
		}
		runs, key = runs[:0], append(key[:0], least...)
		for i, c := range cursors {
			if c.done || !bytes.Equal(c.key, key) {
				continue
			}
			r, err := keeping[i].run(c.list())
			if err != nil {
				return err
			}
			runs = append(runs, r)
			c.next()
		}
		if err := add(key, runs); err != nil {
			return err
		}
	}
}

// leastKey returns the smallest key that a cursor stands on, nil at the end. It is
// valid until that cursor moves.
func leastKey(cursors []*cursor) ([]byte, error) {
	var least []byte
	for _, c := range cursors {
		if c.err != nil {
			return nil, c.err
		}
		if !c.done && (least == nil || bytes.Compare(c.key, least) < 0) {
			least = c.key
		}
	}
	return least, nil
}

// keeper gives the lists of one part with their new numbers.
type keeper struct {
	renumber []uint32
	all      bool // chunks stay; the new number is then that much higher
	kept     []Posting
	code     []byte
}

func newKeeper(renumber []uint32) *keeper {
	return &keeper{renumber: renumber, all: !slices.Contains(renumber, dropped)}
}

// run returns what stays of a list. It is valid until the next call.
func (k *keeper) run(p Postings) (r run, err error) {
	if k.all {
		r, err := p.run()
		if err == nil && r.n > 0 {
			r.first, r.last = k.renumber[r.first], k.renumber[r.last]
		}
		return r, err
	}
	k.kept = k.kept[:0]
	for p.Next() {
		if n := k.renumber[p.Chunk]; n != dropped {
			k.kept = append(k.kept, Posting{Chunk: n, Title: p.Title, Body: p.Body})
		}
	}
	if len(k.kept) == 0 || p.Err() != nil {
		return run{}, p.Err()
	}
	k.code = appendPostings(k.code[:0], k.kept, p.bare)
	return run{n: len(k.kept), first: k.kept[0].Chunk, last: k.kept[len(k.kept)-1].Chunk, rest: k.code}, nil
}
