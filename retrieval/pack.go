package retrieval

import (
	"cmp"
	"context"
	"slices"

	"ken/index"
	"ken/index/analyze"
)

// What a chunk is worth, measured in docs/adr/0016-what-a-budget-buys.md.
const (
	// documentShare is the say of its document's best chunk in what a chunk is
	// worth: a page that answers the question usually answers it near there.
	documentShare = .3
	// nextTo is the part of its score that a chunk lends to the chunks before
	// and after it.
	nextTo = .5
	// passageFloor is the share of its document's best score from which a chunk
	// is counted as cut if there is no room for it: what matches half as well
	// is not why the document was found.
	passageFloor = .5
	// shortest is the fewest tokens that a chunk is shortened to, unless
	// nothing else is in the answer.
	shortest = 60
)

// offer is a chunk that may be taken into the answer.
type offer struct {
	doc     int // its document's place in the answer
	n       int // its place in the document
	id      index.ChunkID
	worth   float64
	matched bool // it was found, and not by its neighbours alone
	missed  bool // without it the answer lacks what was found
}

// packer fills the answer up to its budget of tokens.
type packer struct {
	view      *snapshot
	query     string
	left      int // tokens
	cut       Cut
	taken     [][]index.Chunk // per document
	shortened bool
}

// pack spends the budget on the chunks that are worth most, wherever they
// stand: several of one document before the first of another if they match
// better. The first chunk that does not fit is shortened to its best lines; from
// there on, what does not fit is left out, and smaller ones may still fit.
func pack(ctx context.Context, v *snapshot, docs []*found, r Request) ([]Result, Cut, error) {
	p := &packer{view: v, query: r.Query, left: r.Budget, taken: make([][]index.Chunk, len(docs))}
	for _, o := range offersOf(docs) {
		if p.left == 0 && !o.missed {
			continue
		}
		if err := p.take(ctx, o, docs[o.doc].Language); err != nil {
			return nil, Cut{}, err
		}
	}
	results := make([]Result, len(docs))
	for i, d := range docs {
		results[i] = Result{Document: d.Document, Score: d.score, Passages: passages(d, p.taken[i]), Duplicates: d.duplicates}
	}
	return results, p.cut, nil
}

// offersOf returns the documents' found chunks and the chunks next to them,
// those worth most first.
func offersOf(docs []*found) []offer {
	var out []offer
	for i, d := range docs {
		scores := make(map[int]float64, len(d.matches))
		for _, m := range d.matches {
			scores[m.n] = max(m.Score, 0)
		}
		has := func(n int) bool { _, ok := scores[n]; return ok }
		best := max(d.matches[0].Score, 0)
		add := func(n int) {
			own, matched := scores[n]
			lent := nextTo * max(scores[n-1], scores[n+1])
			if n < 0 || n >= len(d.chunks) || !matched && lent == 0 {
				return
			}
			out = append(out, offer{
				doc: i, n: n, id: d.chunks[n],
				worth:   float64((1-documentShare)*max(own, lent)) + float64(documentShare*best),
				matched: matched,
				missed:  matched && own >= passageFloor*best,
			})
		}
		for _, m := range d.matches {
			add(m.n)
			if !has(m.n + 1) {
				add(m.n + 1)
			}
			if !has(m.n-1) && !has(m.n-2) { // else it is the one after that
				add(m.n - 1)
			}
		}
	}
	slices.SortFunc(out, func(a, b offer) int {
		return cmp.Or(cmp.Compare(b.worth, a.worth), cmp.Compare(a.doc, b.doc), cmp.Compare(a.n, b.n))
	})
	return out
}

// take adds the chunk, or its best lines, or counts what there was no room for.
func (p *packer) take(ctx context.Context, o offer, language string) error {
	chunks, err := p.view.load(ctx, []index.ChunkID{o.id})
	if err != nil {
		return err
	}
	c, cut := chunks[0], 0
	if c.Tokens > p.left && o.matched && p.mayShorten() {
		short, ok := shorten(c, cmp.Or(language, analyze.Und), p.query, p.left)
		if ok {
			c, cut, p.shortened = short, c.Tokens-short.Tokens, true
		}
	}
	if c.Tokens > p.left {
		cut = c.Tokens
	} else {
		p.left -= c.Tokens
		p.taken[o.doc] = append(p.taken[o.doc], c)
	}
	if cut > 0 && o.missed {
		p.cut.Passages++
		p.cut.Tokens += cut
	}
	return nil
}

// mayShorten is true once, so that an answer does not end in crumbs.
func (p *packer) mayShorten() bool {
	empty := !slices.ContainsFunc(p.taken, func(c []index.Chunk) bool { return len(c) > 0 })
	return !p.shortened && (empty || p.left >= shortest)
}

// passages returns the chunks in document order, merged where they touch.
func passages(d *found, chunks []index.Chunk) []Passage {
	slices.SortFunc(chunks, func(a, b index.Chunk) int { return cmp.Compare(a.N, b.N) })
	var out []Passage
	for i, c := range chunks {
		if i > 0 && chunks[i-1].Span.End == c.Span.Start {
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
