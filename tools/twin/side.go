package twin

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/embed"
	said "ken/eval/feedback"
	"ken/index"
	"ken/index/chunk"
	"ken/retrieval"
	"ken/tools"
)

// Store is an index under test. What it holds survives Close.
type Store interface {
	Replace(ctx context.Context, entries ...index.Entry) error
	SetACL(ctx context.Context, id corpora.DocID, l acl.List) error
	Delete(ctx context.Context, ids ...corpora.DocID) error
	Reembed(ctx context.Context, m embed.Model, embed func(context.Context, []index.Chunk) ([]embed.Vector, error)) error
	View(ctx context.Context, p acl.Principal, at time.Time) (index.View, error)
	Close() error
}

// side is one of the two servers, with what it holds.
type side struct {
	world    *world
	embedder embed.Embedder
	reopen   func() (Store, error)
	store    Store
	held     *Held
	server   *tools.Server
	leak     Leak
	wires    map[string]*wire
}

// current is the store of a side, whichever one is open.
type current struct{ side *side }

func (c current) View(ctx context.Context, p acl.Principal, at time.Time) (index.View, error) {
	return c.side.store.View(ctx, p, at)
}

func newSide(ctx context.Context, w *world, o Options, leak Leak, docs []document) (*side, error) {
	s := &side{world: w, embedder: o.Embedder, leak: leak, wires: map[string]*wire{}}
	s.held = &Held{world: w, docs: map[corpora.DocID]document{}, past: map[corpora.DocID][]document{}}
	open, err := o.Place()
	if err != nil {
		return nil, err
	}
	s.reopen = open
	if s.store, err = open(); err != nil {
		return nil, err
	}
	if err := s.rewrite(ctx); err != nil {
		return nil, err
	}
	if err := s.put(ctx, slices.Concat(docs, w.ops)...); err != nil {
		return nil, err
	}
	return s, s.serve()
}

func (s *side) serve() error {
	clock := func() time.Time { return s.world.now }
	var store retrieval.Store = current{s}
	if s.leak.store != nil {
		store = s.leak.store(store, s.held)
	}
	found, err := retrieval.New(store, retrieval.Options{Embedder: s.embedder, Clock: clock})
	if err != nil {
		return err
	}
	var searcher tools.Searcher = found
	if s.leak.searcher != nil {
		searcher = s.leak.searcher(searcher, s.held)
	}
	who, err := newRoles()
	if err != nil {
		return err
	}
	synced := func(context.Context) (map[string]time.Time, error) { // of all sources, on both servers
		out := map[string]time.Time{}
		for i, name := range sources {
			out[name] = s.world.now.Add(-time.Duration(i) * 50 * time.Hour)
		}
		return out, nil
	}
	s.server, err = tools.New(searcher, tools.Options{
		Version: "twin", Clock: clock, CursorKey: []byte(strings.Repeat("k", 32)), Authority: who, Administrator: steward{s}, Writer: steward{s}, Feedback: forgotten{},
		Freshness: synced,
	})
	return err
}

// forgotten takes feedback and keeps none: nothing is ever answered from it.
type forgotten struct{}

func (forgotten) Record(context.Context, said.Record) error { return nil }

// small chunks, so that short documents have several.
var small = chunk.Options{Max: 40, Target: 24, Min: 6}

func (s *side) entry(ctx context.Context, d document) (index.Entry, error) {
	e := index.Entry{Document: d.Document, Chunks: chunk.Split(d.text, d.MediaType, small)}
	for i := range e.Chunks {
		e.Chunks[i].Doc = d.ID
	}
	var err error
	e.Vectors, err = s.vectors(ctx, e.Chunks, func(corpora.DocID) document { return d })
	return e, err
}

// vectors are those of the texts, or what stands in their place.
func (s *side) vectors(ctx context.Context, chunks []index.Chunk, of func(corpora.DocID) document) ([]embed.Vector, error) {
	texts := make([]string, len(chunks))
	for i, c := range chunks {
		texts[i] = index.EmbedText(of(c.Doc).Document, c)
	}
	out, err := s.embedder.Embed(ctx, embed.Passage, texts)
	if err != nil {
		return nil, err
	}
	for i, c := range chunks {
		if d := of(c.Doc); d.noise != 0 {
			out[i] = noise(d.noise, c.N, len(out[i]))
		}
	}
	return out, nil
}

// noise returns a unit vector that has nothing to do with the chunk's text.
func noise(seed uint64, chunk, dim int) embed.Vector {
	rng := rand.New(rand.NewPCG(seed, uint64(chunk)))
	v := make(embed.Vector, dim)
	for i := range v {
		v[i] = float32(rng.NormFloat64())
	}
	embed.Normalize(v)
	return v
}

func (s *side) put(ctx context.Context, docs ...document) error {
	entries := make([]index.Entry, len(docs))
	for i, d := range docs {
		var err error
		if entries[i], err = s.entry(ctx, d); err != nil {
			return err
		}
	}
	for batch := range slices.Chunk(entries, 16) { // several segments
		if err := s.store.Replace(ctx, batch...); err != nil {
			return err
		}
	}
	for _, d := range docs {
		s.held.put(d)
	}
	return nil
}

func (s *side) setACL(ctx context.Context, d document) error {
	s.held.docs[d.ID] = d // no new generation: a permission is no content
	return s.store.SetACL(ctx, d.ID, d.ACL)
}

func (s *side) remove(ctx context.Context, id corpora.DocID) error {
	s.held.remove(id)
	return s.store.Delete(ctx, id)
}

// rewrite writes every vector and segment anew.
func (s *side) rewrite(ctx context.Context) error {
	return s.store.Reembed(ctx, s.embedder.Model(), func(ctx context.Context, chunks []index.Chunk) ([]embed.Vector, error) {
		return s.vectors(ctx, chunks, func(id corpora.DocID) document { return s.held.docs[id] })
	})
}

func (s *side) restart() error {
	if err := s.store.Close(); err != nil {
		return err
	}
	var err error
	s.store, err = s.reopen()
	return err
}

// ask sends a request as p and returns every byte that came back.
func (s *side) ask(ctx context.Context, p acl.Principal, r request) ([]byte, error) {
	key := fmt.Sprintf("%v %s", r.modern, p.Key())
	w := s.wires[key]
	if w == nil {
		w = dial(ctx, s.server, p)
		s.wires[key] = w
		if !r.modern {
			if err := w.handshake(); err != nil {
				return nil, err
			}
		}
	}
	answer, err := w.ask(r.line)
	if s.leak.wire != nil && err == nil {
		answer = s.leak.wire(answer, s.held)
	}
	return answer, err
}

func (s *side) close() error {
	var errs []error
	for _, w := range s.wires {
		errs = append(errs, w.close())
	}
	if s.store != nil {
		errs = append(errs, s.store.Close())
	}
	return errors.Join(errs...)
}
