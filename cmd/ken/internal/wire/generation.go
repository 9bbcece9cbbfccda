package wire

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"ken/cmd/ken/internal/config"
	"ken/corpora"
	"ken/corpora/acl"
	"ken/embed"
	"ken/index"
	"ken/index/chunk"
	"ken/index/embedded"
	"ken/index/ingest"
	"ken/retrieval"
)

// Making says how the chunks and vectors of a generation are made. It is kept
// with the generation, in the store.
type Making struct {
	Embedder config.Embedder `json:"embedder"`
	Chunk    chunk.Options   `json:"chunk,omitzero"`
}

// makingOf reads the settings of a generation; the zero Making if it has none.
func makingOf(g embedded.Generation) (m Making, err error) {
	if len(g.Settings) > 0 {
		if err = json.Unmarshal(g.Settings, &m); err != nil {
			err = fmt.Errorf("settings of generation %d: %w", g.ID, err)
		}
	}
	return m, err
}

// activeMaking returns how the active generation of the store is made, the zero
// Making if the store does not say.
func activeMaking(store ingest.Store) (Making, error) {
	s, ok := store.(interface {
		Generations() ([]embedded.Generation, error)
	})
	if !ok {
		return Making{}, nil
	}
	all, err := s.Generations()
	if err != nil {
		return Making{}, err
	}
	return makingOf(all[0])
}

// embedders are those of the generations, by the hash of their models.
type embedders struct {
	mu     sync.Mutex
	byHash map[string]embed.Embedder
}

func (e *embedders) add(one embed.Embedder) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.byHash == nil {
		e.byHash = map[string]embed.Embedder{}
	}
	e.byHash[one.Model().Hash] = one
}

func (e *embedders) of(m embed.Model) embed.Embedder {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.byHash[m.Hash]
}

// keepGenerations sees to it that what is written goes into every generation that
// is kept, and that questions to it can be embedded. One whose embedder cannot be
// used falls behind with the next write, and is served by words alone until then.
func (b *Base) keepGenerations(ctx context.Context, o Options) error {
	all, err := b.Store.Generations()
	if err != nil {
		return err
	}
	for _, g := range all {
		m, err := makingOf(g)
		if err != nil {
			return err
		}
		if m.Embedder == (config.Embedder{}) {
			m.Embedder = o.Settings.Embedder
		}
		e := b.Embedder
		if !g.Active {
			if e, err = Embedder(ctx, m.Embedder, o.Getenv(config.EmbedKeyVar)); err != nil {
				if o.Logger != nil {
					o.Logger.Warn("a generation's embedder cannot be used", "generation", g.ID, "error", err)
				}
				continue
			}
		}
		if e != nil {
			b.keep(g.ID, m, e)
		}
	}
	return nil
}

func (b *Base) keep(id uint32, m Making, e embed.Embedder) {
	b.embedders.add(e)
	b.Store.SetMaker(id, embedded.Maker{
		Cut: func(d corpora.Document, text string, was []index.Chunk) []index.Chunk {
			chunks := chunk.Split(text, textType(d, was), m.Chunk)
			for i := range chunks {
				chunks[i].Doc = d.ID
			}
			return chunks
		},
		Embed: func(ctx context.Context, texts []string) ([]embed.Vector, error) {
			return e.Embed(ctx, embed.Passage, texts)
		},
	})
}

// textType is the media type of a document's extracted text. Only Markdown has
// headings and tables, which leave their mark on its chunks.
func textType(d corpora.Document, was []index.Chunk) string {
	if slices.ContainsFunc(was, func(c index.Chunk) bool { return len(c.Heading) > 0 || c.Context != "" }) {
		return "text/markdown"
	}
	return d.MediaType
}

// Build makes a generation of the documents that the store has, beside those that
// it has, and returns its number. A failed build stays and can go on: see Resume.
func (b *Base) Build(ctx context.Context, m Making, getenv config.Getenv, now time.Time, progress func(done, of int)) (uint32, error) {
	e, err := Embedder(ctx, m.Embedder, getenv(config.EmbedKeyVar))
	if err != nil {
		return 0, fmt.Errorf("the embedder cannot be used: %w", err)
	}
	m.Embedder.Dim = e.Model().Dim // so that opening it need not ask the endpoint
	settings, err := json.Marshal(m)
	if err != nil {
		return 0, err
	}
	active, err := json.Marshal(b.Making)
	if err != nil {
		return 0, err
	}
	id, err := b.Store.AddGeneration(ctx, embedded.NewGeneration{
		Model: e.Model(), Settings: settings, Created: now.UTC().Round(time.Second), ActiveSettings: active,
	})
	if err != nil {
		return 0, err
	}
	b.keep(id, m, e)
	return id, b.Store.CatchUp(ctx, id, progress)
}

// Resume lets a generation catch up.
func (b *Base) Resume(ctx context.Context, id uint32, getenv config.Getenv, progress func(done, of int)) error {
	g, m, err := b.Generation(id)
	if err != nil {
		return err
	}
	e, err := Embedder(ctx, m.Embedder, getenv(config.EmbedKeyVar))
	if err != nil {
		return fmt.Errorf("the embedder cannot be used: %w", err)
	}
	if e.Model().Hash != g.Model.Hash {
		return fmt.Errorf("%w: the embedder of generation %d is now %s; it was %s: build a new generation", index.ErrModel, id, e.Model().Name, g.Model.Name)
	}
	b.keep(id, m, e)
	return b.Store.CatchUp(ctx, id, progress)
}

// Generation returns a generation and how it is made.
func (b *Base) Generation(id uint32) (g embedded.Generation, m Making, err error) {
	all, err := b.Store.Generations()
	if err != nil {
		return g, m, err
	}
	i := slices.IndexFunc(all, func(g embedded.Generation) bool { return g.ID == id })
	if i < 0 {
		return g, m, fmt.Errorf("%w: %d; `ken index generations` lists them", embedded.ErrGeneration, id)
	}
	m, err = makingOf(all[i])
	if m.Embedder == (config.Embedder{}) {
		m.Embedder = b.Making.Embedder
	}
	return all[i], m, err
}

// EmbedderOf returns the embedder of the model, nil if none can be used.
func (b *Base) EmbedderOf(m embed.Model) embed.Embedder { return b.embedders.of(m) }

// Served returns what searches of this process got from the generations.
func (b *Base) Served() map[uint32]Served { return b.meter.snapshot() }

// Search is retrieval.Searcher's, and counts which generation answered.
func (b *Base) Search(ctx context.Context, p acl.Principal, r retrieval.Request) (retrieval.Response, error) {
	id, started := b.Store.GenerationFor(p), time.Now()
	response, err := b.Searcher.Search(ctx, p, r)
	b.meter.add(id, time.Since(started), response, err)
	return response, err
}

// Describe names a model and how chunks are cut, for people.
func (m Making) Describe() string {
	parts := []string{m.Embedder.Kind}
	if m.Embedder.Model != "" {
		parts = append(parts, m.Embedder.Model)
	}
	if m.Embedder.Dim > 0 {
		parts = append(parts, fmt.Sprint(m.Embedder.Dim))
	}
	if m.Chunk != (chunk.Options{}) {
		c := m.Chunk.WithDefaults()
		parts = append(parts, fmt.Sprintf("chunks %d/%d/%d", c.Max, c.Target, c.Min))
	}
	return strings.Join(parts, " ")
}
