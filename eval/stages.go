package eval

import (
	"context"
	"sync"
	"time"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/embed"
	"ken/index"
)

// The stages of a search, as they are timed from outside, at the interfaces that
// a search calls. Two searches by words are made where feedback is on, and both
// are StageLexical; scoring, fusing, folding and packing are StageRest. The legs run
// side by side, so the stages may add up to more than the whole.
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

// since is for defer: defer c.since(stage, time.Now()).
func (c *stageClock) since(stage string, started time.Time) {
	took := time.Since(started)
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

type timedEmbedder struct {
	embed.Embedder
	clock *stageClock
}

func (e timedEmbedder) Embed(ctx context.Context, kind embed.Kind, texts []string) ([]embed.Vector, error) {
	defer e.clock.since(StageEmbed, time.Now())
	return e.Embedder.Embed(ctx, kind, texts)
}

type timedIndex struct {
	Index
	clock *stageClock
}

func (t timedIndex) View(ctx context.Context, p acl.Principal, at time.Time) (index.View, error) {
	defer t.clock.since(StageView, time.Now())
	v, err := t.Index.View(ctx, p, at)
	if err != nil {
		return nil, err
	}
	return timedView{v, t.clock}, nil
}

type timedView struct {
	index.View
	clock *stageClock
}

func (v timedView) SearchText(ctx context.Context, q index.TextQuery, k int) ([]index.Hit, error) {
	defer v.clock.since(StageLexical, time.Now())
	return v.View.SearchText(ctx, q, k)
}

func (v timedView) SearchVector(ctx context.Context, q embed.Vector, f index.Filter, k int) ([]index.Hit, error) {
	defer v.clock.since(StageVector, time.Now())
	return v.View.SearchVector(ctx, q, f, k)
}

func (v timedView) Chunks(ctx context.Context, ids []index.ChunkID) ([]index.Chunk, error) {
	defer v.clock.since(StageGate, time.Now())
	return v.View.Chunks(ctx, ids)
}

func (v timedView) Outlines(ctx context.Context, ids []index.ChunkID, grams bool) ([]index.Outline, error) {
	defer v.clock.since(StageGate, time.Now())
	return v.View.Outlines(ctx, ids, grams)
}

func (v timedView) Document(ctx context.Context, id corpora.DocID) (corpora.Document, []index.ChunkID, error) {
	defer v.clock.since(StageGate, time.Now())
	return v.View.Document(ctx, id)
}
