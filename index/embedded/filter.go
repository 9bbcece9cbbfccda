package embedded

import (
	"context"
	"math/bits"
	"slices"
	"strings"
	"time"

	"ken/corpora"
	"ken/index"
)

// The kinds of exact terms that a chunk is stored under, the first byte of each.
const (
	bySource    = "s"
	byPath      = "p" // a path, and each part of it that ends at a slash
	byMediaType = "m"
	byLanguage  = "l"
	byTag       = "t"
	byClass     = "k"
	byDocument  = "d"
)

// keywords returns the exact terms of a document's chunks.
func keywords(d corpora.Document) []string {
	out := []string{
		bySource + d.Source, byMediaType + d.MediaType, byLanguage + languageOf(d), byClass + d.Class, byDocument + string(d.ID),
	}
	for _, t := range d.Tags {
		out = append(out, byTag+t)
	}
	for i := range len(d.Path) {
		if d.Path[i] == '/' {
			out = append(out, byPath+d.Path[:i+1])
		}
	}
	if d.Path != "" && !strings.HasSuffix(d.Path, "/") {
		out = append(out, byPath+d.Path)
	}
	return out
}

// filtered returns the rows, per segment, that are readable and pass the filter.
func (v *view) filtered(ctx context.Context, f index.Filter) ([][]uint64, error) {
	rows, err := v.passing(ctx, f)
	if rows == nil && err == nil {
		return v.readable.rows, nil
	}
	return rows, err
}

// passing is filtered, but nil if all readable rows pass. An unknown time of
// change passes no limit of time.
func (v *view) passing(ctx context.Context, f index.Filter) ([][]uint64, error) {
	groups := termGroups(f)
	limited := !f.After.IsZero() || !f.Before.IsZero()
	if len(groups) == 0 && !limited {
		if len(f.Phrases) == 0 {
			return nil, nil
		}
		return v.withPhrases(ctx, f, v.readable.rows)
	}
	out := make([][]uint64, len(v.state.segments))
	for i, s := range v.state.segments {
		out[i] = slices.Clone(v.readable.rows[i])
		for _, g := range groups {
			if err := s.intersect(out[i], g); err != nil {
				return nil, err
			}
		}
		if limited {
			if err := s.lex.CheckSet(out[i]); err != nil {
				return nil, err
			}
			s.limitTime(out[i], f.After, f.Before)
		}
	}
	if len(f.Phrases) > 0 {
		return v.withPhrases(ctx, f, out)
	}
	return out, nil
}

// termGroups returns, for each field that the filter has, its exact terms.
func termGroups(f index.Filter) [][]string {
	documents := make([]string, len(f.Documents))
	for i, id := range f.Documents {
		documents[i] = string(id)
	}
	var out [][]string
	for _, g := range []struct {
		kind   string
		values []string
	}{
		{bySource, f.Sources}, {byPath, f.Paths}, {byMediaType, f.MediaTypes}, {byLanguage, f.Languages},
		{byTag, f.Tags}, {byClass, f.Classes}, {byDocument, documents},
	} {
		if len(g.values) == 0 {
			continue
		}
		terms := make([]string, len(g.values))
		for i, value := range g.values {
			terms[i] = g.kind + value
		}
		out = append(out, terms)
	}
	return out
}

// intersect clears the rows that match none of the terms.
func (s *segment) intersect(rows []uint64, terms []string) error {
	either := make([]uint64, len(rows))
	for _, t := range terms {
		p := s.lex.Keyword(t)
		for p.Next() {
			either[p.Chunk/64] |= 1 << (p.Chunk % 64)
		}
		if p.Err() != nil {
			return p.Err()
		}
	}
	for i := range rows {
		rows[i] &= either[i]
	}
	return nil
}

func (s *segment) limitTime(rows []uint64, from, before time.Time) {
	for row := range setBits(rows) {
		t := s.lex.Modified(row)
		if t.IsZero() || t.Before(from) || !before.IsZero() && !t.Before(before) {
			rows[row/64] &^= 1 << (row % 64)
		}
	}
}

// setBits goes through the rows that are set.
func setBits(rows []uint64) func(yield func(int) bool) {
	return func(yield func(int) bool) {
		for w, word := range rows {
			for ; word != 0; word &= word - 1 {
				if !yield(w*64 + bits.TrailingZeros64(word)) {
					return
				}
			}
		}
	}
}
