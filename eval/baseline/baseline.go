package baseline

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/philippgille/chromem-go"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/corpora/extract"
	"ken/embed"
	"ken/index"
	"ken/index/analyze"
	"ken/index/chunk"
	"ken/retrieval"
)

// The usual figures.
const (
	ChunkTokens = 512
	TopK        = 10
)

// System is a filled baseline. It is safe for concurrent use.
type System struct {
	embedder embed.Embedder
	vectors  *chromem.Collection
	pieces   []piece
	docs     map[corpora.DocID]document
	now      func() time.Time
}

type document struct {
	corpora.Document
	text string
}

type piece struct {
	doc    corpora.DocID
	span   index.Span
	tokens int
}

// batch is how many chunks are embedded at once.
const batch = 64

// New extracts, cuts and embeds the documents of the source. Documents that
// cannot be read or extracted are left out, as ken leaves them out.
func New(ctx context.Context, source corpora.Source, e embed.Embedder, now func() time.Time) (*System, error) {
	vectors, err := chromem.NewDB().CreateCollection("chunks", nil, noText)
	if err != nil {
		return nil, fmt.Errorf("baseline: %w", err)
	}
	s := &System{embedder: e, vectors: vectors, docs: make(map[corpora.DocID]document), now: now}
	mux := extract.Default()
	for change, err := range source.Changes(ctx, "") {
		if err != nil && change.ID == "" {
			return nil, fmt.Errorf("baseline: %w", err)
		}
		if err == nil && change.Op == corpora.Put {
			s.add(ctx, mux, change)
		}
	}
	for from := 0; from < len(s.pieces); from += batch {
		if err := s.embed(ctx, from, min(from+batch, len(s.pieces))); err != nil {
			return nil, fmt.Errorf("baseline: %w", err)
		}
	}
	return s, nil
}

// noText stands where chromem-go would call a remote embedder by default.
func noText(context.Context, string) ([]float32, error) {
	return nil, errors.New("the collection takes vectors only")
}

func (s *System) add(ctx context.Context, mux *extract.Mux, change corpora.Change) {
	doc, data, err := change.Load(ctx)
	if err != nil {
		return
	}
	text, err := mux.Extract(ctx, extract.Input{Path: doc.Path, MediaType: doc.MediaType, Data: data})
	if err != nil {
		return
	}
	if doc.Title == "" {
		doc.Title = text.Title
	}
	if doc.Language == "" {
		doc.Language = analyze.Detect(text.Body)
	}
	s.docs[doc.ID] = document{doc, text.Body}
	for _, span := range Cut(text.Body, ChunkTokens) {
		s.pieces = append(s.pieces, piece{doc.ID, span, chunk.Tokens(text.Body[span.Start:span.End])})
	}
}

func (s *System) embed(ctx context.Context, from, to int) error {
	var texts []string
	for _, p := range s.pieces[from:to] {
		texts = append(texts, s.text(p))
	}
	vectors, err := s.embedder.Embed(ctx, embed.Passage, texts)
	if err != nil {
		return err
	}
	for i, v := range vectors {
		id := strconv.Itoa(from + i)
		if err := s.vectors.AddDocument(ctx, chromem.Document{ID: id, Embedding: v}); err != nil {
			return err
		}
	}
	return nil
}

func (s *System) text(p piece) string { return s.docs[p.doc].text[p.span.Start:p.span.End] }

// Explain answers as retrieval.Searcher does. Mode and Filter are not used.
func (s *System) Explain(ctx context.Context, p acl.Principal, r retrieval.Request) (retrieval.Response, []retrieval.Ranked, error) {
	ranked, err := s.search(ctx, p, r.Query)
	if err != nil {
		return retrieval.Response{}, nil, fmt.Errorf("baseline: %w", err)
	}
	budget := r.Budget
	if budget == 0 {
		budget = retrieval.DefaultBudget
	}
	return s.paste(ranked, budget), rankedChunks(ranked), nil
}

type hit struct {
	piece
	score float64
}

func (s *System) search(ctx context.Context, p acl.Principal, query string) ([]hit, error) {
	k := min(TopK, s.vectors.Count())
	if k == 0 {
		return nil, nil
	}
	vectors, err := s.embedder.Embed(ctx, embed.Query, []string{query})
	if err != nil {
		return nil, err
	}
	found, err := s.vectors.QueryEmbedding(ctx, vectors[0], k, nil, nil)
	if err != nil {
		return nil, err
	}
	var out []hit
	for _, f := range found {
		i, err := strconv.Atoi(f.ID)
		if err != nil {
			return nil, fmt.Errorf("chunk %q: %w", f.ID, err)
		}
		if s.docs[s.pieces[i].doc].ACL.Admits(p, s.now()) {
			out = append(out, hit{s.pieces[i], float64(f.Similarity)})
		}
	}
	return out, nil
}

func rankedChunks(hits []hit) []retrieval.Ranked {
	out := make([]retrieval.Ranked, len(hits))
	for i, h := range hits {
		out[i] = retrieval.Ranked{Hit: index.Hit{Score: h.score}, Doc: h.doc, Vector: h.score}
	}
	return out
}

// paste puts whole chunks into the answer, best first; one that does not fit is
// left out.
func (s *System) paste(hits []hit, budget int) retrieval.Response {
	var r retrieval.Response
	place := make(map[corpora.DocID]int)
	for _, h := range hits {
		if h.tokens > budget {
			r.Cut.Passages++
			r.Cut.Tokens += h.tokens
			continue
		}
		budget -= h.tokens
		i, ok := place[h.doc]
		if !ok {
			i = len(r.Results)
			place[h.doc] = i
			r.Results = append(r.Results, retrieval.Result{Document: s.visible(h.doc), Score: h.score})
		}
		r.Results[i].Passages = append(r.Results[i].Passages, retrieval.Passage{
			Text: s.text(h.piece), Span: h.span, Tokens: h.tokens,
			Citation: retrieval.Citation{Document: h.doc, Span: h.span},
		})
	}
	return r
}

func (s *System) visible(id corpora.DocID) corpora.Document {
	d := s.docs[id].Document
	d.ACL, d.Stamp = acl.List{}, ""
	return d
}

// Fetch returns a readable document whole, or retrieval.ErrNotFound.
func (s *System) Fetch(_ context.Context, p acl.Principal, id corpora.DocID, _, _ int) (retrieval.Page, error) {
	d, ok := s.docs[id]
	if !ok || !d.ACL.Admits(p, s.now()) {
		return retrieval.Page{}, fmt.Errorf("baseline: %w", retrieval.ErrNotFound)
	}
	return retrieval.Page{Document: s.visible(id), Text: d.text, Span: index.Span{End: len(d.text)}, Length: len(d.text)}, nil
}
