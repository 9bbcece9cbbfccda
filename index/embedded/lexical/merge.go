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
	w, err := newWriter()
	if err != nil {
		return nil, err
	}
	renumber := make([][]uint32, len(parts))
	for i, p := range parts {
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
	if err := mergeLists(ctx, parts, renumber, false, w.addTerm); err != nil {
		return nil, err
	}
	err = mergeLists(ctx, parts, renumber, true, func(key string, list []Posting) error {
		chunks := make([]uint32, len(list))
		for i, p := range list {
			chunks[i] = p.Chunk
		}
		return w.addKeyword(key, chunks)
	})
	if err != nil {
		return nil, err
	}
	return w.finish()
}

// mergeLists hands out the lists of all terms of one of the two dictionaries,
// in byte order of the terms.
func mergeLists(ctx context.Context, parts []Part, renumber [][]uint32, bare bool, add func(string, []Posting) error) error {
	cursors := make([]*cursor, len(parts))
	for i, p := range parts {
		in := p.Segment.terms
		if bare {
			in = p.Segment.keywords
		}
		cursors[i] = newCursor(p.Segment, in, bare, nil, nil)
	}
	var list []Posting
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
		list = list[:0]
		for i, c := range cursors {
			if c.done || !bytes.Equal(c.key, least) {
				continue
			}
			if list, err = appendKept(list, c.list(), renumber[i]); err != nil {
				return err
			}
			c.next()
		}
		if err := add(string(least), list); err != nil {
			return err
		}
	}
}

// leastKey returns the smallest key that a cursor stands on, nil at the end.
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
	return slices.Clone(least), nil
}

func appendKept(list []Posting, p Postings, renumber []uint32) ([]Posting, error) {
	for p.Next() {
		if n := renumber[p.Chunk]; n != dropped {
			list = append(list, Posting{Chunk: n, Title: p.Title, Body: p.Body})
		}
	}
	return list, p.Err()
}
