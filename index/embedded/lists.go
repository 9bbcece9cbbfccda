package embedded

import (
	"context"
	"slices"
	"sync"
	"weak"

	"ken/index"
	"ken/index/embedded/lexical"
)

// listKey names the lists of a form for one line of readable sets.
type listKey struct {
	line *line
	form index.Form
}

// lists are those of a form, one per segment, for one readable set. Those of the
// next set in the line have the same list of each segment whose readable rows are
// the same.
type lists struct {
	of       *counted
	segments []list
	df       int
}

func (l *lists) size() int {
	n := 256
	for i := range l.segments {
		n += l.segments[i].size()
	}
	return n
}

// counted is what lists know of the readable set that they are of. It keeps nothing
// of the set in memory: lists that nobody asks for again outlive many sets.
type counted struct {
	rows []weak.Pointer[uint64] // the first of each segment's rows, which no other rows have
}

func (r *readable) count() *counted {
	out := &counted{}
	for _, rows := range r.rows {
		out.rows = append(out.rows, weak.Make(&rows[0])) // no segment is empty
	}
	return out
}

// listsOf reads the lists of a form. Unreadable postings are never counted.
func (v *view) listsOf(ctx context.Context, f index.Form) (*lists, error) {
	key := listKey{v.readable.line, f}
	last, ok := v.state.kept.lists.get(key, v.state.truth.room.lists)
	if ok && last.of == v.readable.counted {
		return last, nil
	}
	if !ok {
		last = &lists{of: &counted{}}
	}
	out := &lists{of: v.readable.counted, segments: make([]list, len(v.state.segments))}
	m, _ := v.state.kept.makers.Get().(*listMaker)
	if m == nil {
		m = &listMaker{}
	}
	defer func() { m.ranks = nil; v.state.kept.makers.Put(m) }()
	read, from := v.postingsOf(ctx, f), 0
	for i, rows := range out.of.rows {
		if at := slices.Index(last.of.rows[from:], rows); at >= 0 {
			from += at + 1
			out.segments[i] = last.segments[from-1]
		} else {
			m.begin(&v.readable.ranks[i])
			if err := read(i, m); err != nil {
				return nil, err
			}
			out.segments[i] = m.list()
		}
		out.df += out.segments[i].postings
	}
	v.state.kept.lists.put(key, out, out.size(), v.state.truth.room.lists)
	return out, nil
}

// postingsOf returns what reads the postings of the form in the readable rows of a
// segment.
func (v *view) postingsOf(ctx context.Context, f index.Form) func(segment int, into *listMaker) error {
	if !f.Prefix {
		return func(i int, into *listMaker) error {
			p := v.state.segments[i].lex.Term(f.Language, f.Text)
			for {
				found := p.Some(v.readable.rows[i], into.found[:0])
				if len(found) == 0 {
					return p.Err()
				}
				into.add(found)
			}
		}
	}
	all := sync.OnceValues(func() ([][]lexical.Posting, error) { return v.prefixPostings(ctx, f) })
	return func(i int, into *listMaker) error {
		found, err := all()
		if err == nil {
			into.add(found[i])
		}
		return err
	}
}
