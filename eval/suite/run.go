package suite

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/eval"
	"ken/index"
	"ken/retrieval"
)

// Options say how the sets of a suite are measured.
type Options struct {
	Load      func(path string) (eval.Set, error) // a set by the path in the suite
	Build     eval.Build
	Retrieval retrieval.Options
	Budgets   []int // tokens at which answers are looked for; nil is eval's

	// Baseline makes plain RAG over the set's documents; it is needed if the
	// suite asks for it.
	Baseline func(context.Context, eval.Set) (eval.Searcher, error)

	Progress func(run string, done, of int)
}

// Measure runs the suite and holds it against its thresholds.
func Measure(ctx context.Context, s Suite, o Options) (Result, error) {
	result := Result{Suite: s.Name}
	var first, plain []Run
	for _, set := range s.Sets {
		runs, baseline, err := s.set(ctx, set, o)
		if err != nil {
			return Result{}, fmt.Errorf("suite %s: %w", s.Name, err)
		}
		first = append(first, runs[0])
		result.Runs = append(result.Runs, runs...)
		if baseline != nil {
			plain = append(plain, *baseline)
			result.Runs = append(result.Runs, *baseline)
		}
	}
	calibrate := s.Calibrate
	if calibrate == "" {
		calibrate = s.Sets[0].Name
	}
	result.Answers = answers(Ken, calibrate, first)
	result.Accuracy, result.AbstentionF1 = result.Answers.All.Accuracy, result.Answers.HeldOut.F1
	if plain != nil {
		b := answers(Plain, calibrate, plain)
		result.Baseline = &b
	}
	for _, r := range result.Runs {
		if r.System == Ken {
			result.Leaks += r.Leaks
		}
	}
	result.Fail(s.check(result)...)
	return result, nil
}

// set measures one set in each of its modes, and plain RAG on it.
func (s Suite) set(ctx context.Context, set Set, o Options) ([]Run, *Run, error) {
	loaded, err := o.Load(set.Path)
	if err != nil {
		return nil, nil, err
	}
	loaded.Name = set.Name
	var runs []Run
	for _, mode := range set.Modes {
		report, err := eval.Run(ctx, s.options(set, loaded, mode, o))
		if err != nil {
			return nil, nil, err
		}
		runs = append(runs, Run{Ken, string(mode), report})
	}
	if !s.Baseline || o.Baseline == nil {
		return runs, nil, nil
	}
	options := s.options(set, loaded, retrieval.Vector, o)
	options.Build = func(context.Context, string, corpora.Source) (eval.Index, error) { return noIndex{}, nil }
	options.Searcher = func(eval.Index, retrieval.Options) (eval.Searcher, error) { return o.Baseline(ctx, loaded) }
	report, err := eval.Run(ctx, options)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", Plain, err)
	}
	return runs, &Run{Plain, string(retrieval.Vector), report}, nil
}

func (s Suite) options(set Set, loaded eval.Set, mode retrieval.Mode, o Options) eval.Options {
	out := eval.Options{
		Set: loaded, Build: o.Build, Retrieval: o.Retrieval, Mode: mode, Metrics: s.Metrics, Personas: set.Personas, Budgets: o.Budgets, Canaries: s.Canaries,
	}
	if o.Progress != nil {
		out.Progress = func(done, of int) { o.Progress(set.Name+", "+string(mode), done, of) }
	}
	return out
}

// noIndex stands where plain RAG has no use for an index of ken's.
type noIndex struct{}

func (noIndex) View(context.Context, acl.Principal, time.Time) (index.View, error) {
	return nil, errors.New("plain RAG has no view")
}

func (noIndex) Close() error { return nil }
