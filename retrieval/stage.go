package retrieval

import (
	"context"
	"sync/atomic"
	"time"
)

// The stages of a search that take place in this package. What they read through a
// view or ask of an embedder is timed where that is wrapped, with [Stage] too.
const (
	StageFeedback = "feedback" // terms of the best chunks, without the search for them
	StageRescore  = "rescore"  // 4-grams
	StageFuse     = "fuse"
	StageRerank   = "rerank"
	StageFold     = "fold" // near-duplicates, quotas
	StagePack     = "pack"
)

type stageKey struct{}

// stage is one that has begun; the outermost has no name.
type stage struct {
	tell   func(stage string, took time.Duration)
	inside atomic.Int64 // nanoseconds of the stages that took place in it
}

// WithStages returns a context under which searches tell how long each stage took,
// without what took place in it and is told by itself. Without it nothing is timed.
// Stages may end side by side, so tell may be called by several goroutines.
func WithStages(ctx context.Context, tell func(stage string, took time.Duration)) context.Context {
	return context.WithValue(ctx, stageKey{}, &stage{tell: tell})
}

// Stage begins a stage of the search under ctx; end ends it. What takes place in
// it gets the context that is returned.
func Stage(ctx context.Context, name string) (within context.Context, end func()) {
	outer, ok := ctx.Value(stageKey{}).(*stage)
	if !ok {
		return ctx, func() {}
	}
	own, started := &stage{tell: outer.tell}, time.Now()
	return context.WithValue(ctx, stageKey{}, own), func() {
		took := time.Since(started)
		outer.inside.Add(int64(took))
		own.tell(name, max(took-time.Duration(own.inside.Load()), 0))
	}
}
