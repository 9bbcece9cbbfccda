package embedded

import (
	"context"

	"ken/index"
	"ken/index/analyze"
	"ken/index/embedded/lexical"
)

// A prefix is one term: its frequency in a chunk is that of all words that begin
// so, and its document frequency the number of readable chunks with one of them.
// So there is no list of words to cut, and the words of unreadable documents,
// which the dictionary holds too, add nothing to anything.

// prefixPostings returns, per segment, the postings of the prefix in the readable chunks.
func (v *view) prefixPostings(ctx context.Context, f index.Form) ([][]lexical.Posting, error) {
	out := make([][]lexical.Posting, len(v.state.segments))
	p, ok := analyze.NewPrefix(f.Language, f.Text)
	if !ok {
		return out, nil
	}
	counts := make([][]lexical.Posting, len(out)) // by segment and rank
	for i, s := range v.state.segments {
		counts[i] = make([]lexical.Posting, v.readable.ranks[i].len())
		if err := v.countTerms(ctx, s, p, f.Language, v.readable.rows[i], &v.readable.ranks[i], counts[i]); err != nil {
			return nil, err
		}
	}
	if err := v.countDoubtful(ctx, p, f.Language, counts); err != nil {
		return nil, err
	}
	for i := range out {
		rank := 0
		for row := range setBits(v.readable.rows[i]) {
			if n := counts[i][rank]; n.Title+n.Body > 0 {
				out[i] = append(out[i], lexical.Posting{Chunk: uint32(row), Title: n.Title, Body: n.Body})
			}
			rank++
		}
	}
	return out, nil
}

// countTerms counts the words whose terms tell that the prefix stands for them.
func (v *view) countTerms(ctx context.Context, s *segment, p analyze.Prefix, language string, rows []uint64, ranks *ranking, counts []lexical.Posting) error {
	var found []lexical.Posting
	add := func(list lexical.Postings) (err error) {
		if err := ctx.Err(); err != nil {
			return err
		}
		found, err = list.Within(rows, found[:0])
		for _, p := range found {
			n := &counts[ranks.rank(p.Chunk)]
			n.Title += p.Title
			n.Body += p.Body
		}
		return err
	}
	for _, list := range s.lex.Beginning(language, p.Text()) {
		if err := add(list); err != nil {
			return err
		}
	}
	if p.Stem() == "" {
		return nil
	}
	return add(s.lex.Term(language, p.Stem()))
}

// countDoubtful counts the words of which the text tells.
func (v *view) countDoubtful(ctx context.Context, p analyze.Prefix, language string, counts [][]lexical.Posting) error {
	candidates := make([][]uint64, len(counts))
	for i, s := range v.state.segments {
		candidates[i] = make([]uint64, len(v.readable.rows[i]))
		for _, term := range p.Doubtful() {
			list := s.lex.Term(language, term)
			found, err := list.Within(v.readable.rows[i], nil)
			if err != nil {
				return err
			}
			for w, word := range rowsWith(found, len(candidates[i])) {
				candidates[i][w] |= word
			}
		}
	}
	at := placesOf(candidates)
	return v.read(ctx, at, func(i int, f fields) {
		n := &counts[at[i].segment][v.readable.ranks[at[i].segment].rank(uint32(at[i].row))]
		n.Title += matching(p, f.title)
		n.Body += matching(p, f.body)
	})
}

func matching(p analyze.Prefix, tokens []analyze.Token) (n uint32) {
	for _, t := range tokens {
		if p.MatchesDoubtful(t) {
			n++
		}
	}
	return n
}
