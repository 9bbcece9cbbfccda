package retrieval

import (
	"cmp"
	"context"
	"slices"

	"ken/index"
)

// passageFloor is the share of its document's best score that a chunk needs to
// be a passage: what matches half as well is not why the document was found.
const passageFloor = .5

// packer fills the answer up to its budget of tokens.
type packer struct {
	ctx    context.Context
	view   *snapshot
	left   int // tokens
	cut    Cut
	picked []map[int]index.Chunk // per document: chunks by place
}

// pack spends the budget in three rounds: the best chunk of every document;
// then the other chunks that matched, best first; then, if none of those had
// to be left out, one chunk after and one before the best of each document. A
// chunk that does not fit is left out whole, and smaller ones may still fit.
func pack(ctx context.Context, v *snapshot, docs []*found, budget int) ([]Result, Cut, error) {
	p := &packer{ctx: ctx, view: v, left: budget, picked: make([]map[int]index.Chunk, len(docs))}
	for i := range docs {
		p.picked[i] = make(map[int]index.Chunk)
	}
	for _, want := range append(firstRound(docs), secondRound(docs)...) {
		if err := p.take(want.doc, want.ID); err != nil {
			return nil, Cut{}, err
		}
	}
	if p.cut == (Cut{}) {
		if err := p.widen(docs); err != nil {
			return nil, Cut{}, err
		}
	}
	results := make([]Result, len(docs))
	for i, d := range docs {
		results[i] = Result{Document: d.Document, Score: d.score, Passages: passages(d, p.picked[i]), Duplicates: d.duplicates}
	}
	return results, p.cut, nil
}

// wish is a chunk for the document in this place of the answer.
type wish struct {
	doc int
	Ranked
}

func firstRound(docs []*found) []wish {
	out := make([]wish, len(docs))
	for i, d := range docs {
		out[i] = wish{i, d.ranked[0]}
	}
	return out
}

func secondRound(docs []*found) []wish {
	var out []wish
	for i, d := range docs {
		for _, r := range d.ranked[1:] {
			if r.Score >= passageFloor*d.ranked[0].Score {
				out = append(out, wish{i, r})
			}
		}
	}
	slices.SortFunc(out, func(a, b wish) int { return index.Compare(a.Hit, b.Hit) })
	return out
}

// take adds the chunk if it fits and counts it as cut if not.
func (p *packer) take(doc int, id index.ChunkID) error {
	fits, c, err := p.add(doc, id)
	if err == nil && !fits {
		p.cut.Passages++
		p.cut.Tokens += c.Tokens
	}
	return err
}

func (p *packer) add(doc int, id index.ChunkID) (bool, index.Chunk, error) {
	chunks, err := p.view.load(p.ctx, []index.ChunkID{id})
	if err != nil {
		return false, index.Chunk{}, err
	}
	c := chunks[0]
	if _, have := p.picked[doc][c.N]; have {
		return true, c, nil
	}
	if c.Tokens > p.left {
		return false, c, nil
	}
	p.left -= c.Tokens
	p.picked[doc][c.N] = c
	return true, c, nil
}

// widen adds the neighbours of the best chunks. Neighbours did not match, so
// one that does not fit is not counted as cut.
func (p *packer) widen(docs []*found) error {
	for i, d := range docs {
		best, err := p.view.load(p.ctx, []index.ChunkID{d.ranked[0].ID})
		if err != nil {
			return err
		}
		for _, n := range []int{best[0].N + 1, best[0].N - 1} {
			if n < 0 || n >= len(d.document.chunks) {
				continue
			}
			if _, _, err := p.add(i, d.document.chunks[n]); err != nil {
				return err
			}
		}
	}
	return nil
}

// passages returns the picked chunks in document order, merged where they touch.
func passages(d *found, picked map[int]index.Chunk) []Passage {
	chunks := make([]index.Chunk, 0, len(picked))
	for _, c := range picked {
		chunks = append(chunks, c)
	}
	slices.SortFunc(chunks, func(a, b index.Chunk) int { return cmp.Compare(a.N, b.N) })
	var out []Passage
	for i, c := range chunks {
		if i > 0 && chunks[i-1].N+1 == c.N {
			last := &out[len(out)-1]
			last.Text += c.Text
			last.Span.End = c.Span.End
			last.Tokens += c.Tokens
			continue
		}
		out = append(out, Passage{Text: c.Text, Span: c.Span, Heading: c.Heading, Context: c.Context, Tokens: c.Tokens})
	}
	for i := range out {
		out[i].Citation = cite(d.Document, out[i].Span, out[i].Text)
	}
	return out
}
