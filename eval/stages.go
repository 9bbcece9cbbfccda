package eval

import (
	"context"
	"sync"
	"time"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/embed"
	"ken/index"
	"ken/retrieval"
)

// The stages of a search that are timed from outside, at the interfaces that a
// search calls; those inside are retrieval's. None counts what another one tells.
// Two searches by words are made where feedback is on, and both are StageLexical. The legs
// run side by side, so the stages may add up to more than the whole.
const (
	StageEmbed   = "embed"
	StageView    = "view" // the snapshot and the readable set
	StageLexical = "lexical"
	StageVector  = "vector"
	StageGate    = "gate" // reading chunks, documents and outlines
	StageRest    = "rest"
)

// stageClock adds up the time of one search by stage.
type stageClock struct {
	mu    sync.Mutex
	spent map[string]time.Duration
}

func newStageClock() *stageClock { return &stageClock{spent: make(map[string]time.Duration)} }

func (c *stageClock) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.spent)
}

func (c *stageClock) add(stage string, took time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.spent[stage] += took
}

// stages returns milliseconds by stage of a search that took so long.
func (c *stageClock) stages(whole time.Duration) map[string]float64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	out, rest := make(map[string]float64), whole
	for stage, d := range c.spent {
		out[stage] = milliseconds(d)
		rest -= d
	}
	out[StageRest] = milliseconds(max(rest, 0))
	return out
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func stagePercentiles(outcomes []Outcome) map[string]Latency {
	spent := make(map[string][]float64)
	for _, o := range outcomes {
		for stage, ms := range o.StagesMS {
			spent[stage] = append(spent[stage], ms)
		}
	}
	out := make(map[string]Latency, len(spent))
	for stage, all := range spent {
		out[stage] = percentiles(all)
	}
	return out
}

type timedEmbedder struct{ embed.Embedder }

func (e timedEmbedder) Embed(ctx context.Context, kind embed.Kind, texts []string) ([]embed.Vector, error) {
	ctx, end := retrieval.Stage(ctx, StageEmbed)
	defer end()
	return e.Embedder.Embed(ctx, kind, texts)
}

// timedIndex times a store, and passes on whose model a question is for.
type timedIndex struct{ Index }

// Timed returns the index and the embedder so that searches with them tell their
// stages under retrieval.WithStages.
func Timed(store Index, e embed.Embedder) (Index, embed.Embedder) {
	if e != nil {
		e = timedEmbedder{e}
	}
	return timedIndex{store}, e
}

func (t timedIndex) ModelFor(p acl.Principal) embed.Model {
	if g, ok := t.Index.(retrieval.Generations); ok {
		return g.ModelFor(p)
	}
	return embed.Model{}
}

func (t timedIndex) View(ctx context.Context, p acl.Principal, at time.Time) (index.View, error) {
	ctx, end := retrieval.Stage(ctx, StageView)
	defer end()
	v, err := t.Index.View(ctx, p, at)
	if err != nil {
		return nil, err
	}
	return timedView{v}, nil
}

type timedView struct{ index.View }

func (v timedView) SearchText(ctx context.Context, q index.TextQuery, k int) ([]index.Hit, error) {
	ctx, end := retrieval.Stage(ctx, StageLexical)
	defer end()
	return v.View.SearchText(ctx, q, k)
}

func (v timedView) SearchVector(ctx context.Context, q embed.Vector, f index.Filter, k int) ([]index.Hit, error) {
	ctx, end := retrieval.Stage(ctx, StageVector)
	defer end()
	return v.View.SearchVector(ctx, q, f, k)
}

func (v timedView) Chunks(ctx context.Context, ids []index.ChunkID) ([]index.Chunk, error) {
	ctx, end := retrieval.Stage(ctx, StageGate)
	defer end()
	return v.View.Chunks(ctx, ids)
}

func (v timedView) Outlines(ctx context.Context, ids []index.ChunkID, grams bool) ([]index.Outline, error) {
	ctx, end := retrieval.Stage(ctx, StageGate)
	defer end()
	return v.View.Outlines(ctx, ids, grams)
}

func (v timedView) Document(ctx context.Context, id corpora.DocID) (corpora.Document, []index.ChunkID, error) {
	ctx, end := retrieval.Stage(ctx, StageGate)
	defer end()
	return v.View.Document(ctx, id)
}
