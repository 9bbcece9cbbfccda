package embedded

import (
	"context"
	"reflect"
	"slices"
	"sync"

	"ken/index"
	"ken/index/analyze"
	"ken/index/embedded/lexical"
)

// matched remembers, for one view, the chunks in which the phrases of a filter
// stand: the searches of one question all ask for them.
type matched struct {
	mu     sync.Mutex
	filter index.Filter
	rows   [][]uint64
}

// withPhrases returns those of the rows in whose chunks the phrases of the filter
// stand. The postings know no places in the text, so they give candidates, and the
// text decides.
func (v *view) withPhrases(ctx context.Context, f index.Filter, rows [][]uint64) ([][]uint64, error) {
	m := &v.matched
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.rows != nil && reflect.DeepEqual(m.filter, f) {
		return m.rows, nil
	}
	for _, phrase := range f.Phrases {
		var err error
		if rows, err = v.withPhrase(ctx, phrase, rows); err != nil {
			return nil, err
		}
	}
	m.filter, m.rows = f, rows
	return rows, nil
}

func (v *view) withPhrase(ctx context.Context, text string, rows [][]uint64) ([][]uint64, error) {
	phrases := map[string]analyze.Phrase{}
	for language := range v.readable.languages {
		phrases[language] = analyze.NewPhrase(language, text)
	}
	candidates, out := make([][]uint64, len(rows)), make([][]uint64, len(rows))
	for i := range rows {
		candidates[i], out[i] = make([]uint64, len(rows[i])), make([]uint64, len(rows[i]))
		for language, p := range phrases {
			into := candidates[i]
			if _, one := p.Term(); one {
				into = out[i]
			}
			if err := v.state.segments[i].mayHold(language, p, rows[i], into); err != nil {
				return nil, err
			}
		}
	}
	at := placesOf(candidates)
	holds := make([]bool, len(at))
	err := v.read(ctx, at, func(i int, f fields) {
		p := phrases[v.state.segments[at[i].segment].lex.Language(at[i].row)]
		holds[i] = slices.ContainsFunc(f.apart, p.In)
	})
	if err != nil {
		return nil, err
	}
	for i, p := range at {
		if holds[i] {
			out[p.segment][p.row/64] |= 1 << (p.row % 64)
		}
	}
	return out, nil
}

// mayHold sets in out those of the rows whose chunks are of the language and have
// every term of the phrase.
func (s *segment) mayHold(language string, p analyze.Phrase, rows, out []uint64) error {
	terms := p.Terms()
	if len(terms) == 0 {
		for row := range setBits(rows) {
			if s.lex.Language(row) == language {
				out[row/64] |= 1 << (row % 64)
			}
		}
		return nil
	}
	all := rows
	for _, term := range terms {
		list := s.lex.Term(language, term)
		found, err := list.Within(all, nil)
		if err != nil {
			return err
		}
		all = rowsWith(found, len(rows))
	}
	for w, word := range all {
		out[w] |= word
	}
	return nil
}

func rowsWith(found []lexical.Posting, words int) []uint64 {
	rows := make([]uint64, words)
	for _, p := range found {
		rows[p.Chunk/64] |= 1 << (p.Chunk % 64)
	}
	return rows
}
