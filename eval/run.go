package eval

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/retrieval"
)

// Index is a filled index that can be searched and closed.
type Index interface {
	retrieval.Store
	Close() error
}

// Build fills a new index in dir, an empty folder, with the documents of the
// source. Run removes the folder when it ends.
type Build func(ctx context.Context, dir string, source corpora.Source) (Index, error)

// Options of a run.
type Options struct {
	Set       Set
	Build     Build
	Retrieval retrieval.Options // embedder, parameters, clock
	Mode      retrieval.Mode    // "" is Hybrid
	Settings  map[string]any    // what else decides the ranking, for the report
	Budgets   []int             // tokens at which to look for the gold answer; nil is 500, 1,000, 2,000 and 4,000
	Metrics   []string          // ranking metrics besides the usual ones; see CheckMetric
	Personas  []string          // who asks, by name; nil is every persona of the set
	Progress  func(done, of int)

	// Canaries adds documents that nobody who asks may read and that repeat the
	// questions, and counts every trace of them in an answer as a leak.
	Canaries bool

	// Case is handed every question of which the set says whether it has an
	// answer, with what was packed within AccuracyBudget; nil is nobody.
	Case func(Case)

	// Searcher makes what is measured from the filled index; nil is
	// retrieval.New. The options are those of the run, at its one instant.
	Searcher func(Index, retrieval.Options) (Searcher, error)
}

// Case is a question as one persona asked it, with what an answer can be made
// from and checked against.
type Case struct {
	Query      string
	Persona    string
	Text       string
	Answerable bool     // by a document that the persona may read
	Answers    []string // gold, each right by itself
	Response   retrieval.Response
}

// Searcher answers questions: a retrieval.Searcher, or what is compared with it.
type Searcher interface {
	Explain(context.Context, acl.Principal, retrieval.Request) (retrieval.Response, []retrieval.Ranked, error)
	Fetch(ctx context.Context, p acl.Principal, id corpora.DocID, offset, limit int) (retrieval.Page, error)
}

func product(store Index, o retrieval.Options) (Searcher, error) { return retrieval.New(store, o) }

func (o Options) withDefaults() Options {
	if o.Mode == "" {
		o.Mode = retrieval.Hybrid
	}
	if o.Budgets == nil {
		o.Budgets = []int{500, AccuracyBudget, retrieval.DefaultBudget, 4_000}
	}
	if o.Searcher == nil {
		o.Searcher = product
	}
	return o
}

// Run measures the set. It never touches an index but its own.
func Run(ctx context.Context, o Options) (Report, error) {
	report, err := run(ctx, o)
	if err != nil {
		return Report{}, fmt.Errorf("evaluate %s: %w", o.Set.Name, err)
	}
	return report, nil
}

func run(ctx context.Context, o Options) (_ Report, err error) {
	if o.Set.Source == nil || o.Build == nil {
		return Report{}, errors.New("a set and a way to build its index are needed")
	}
	var planted *canaries
	if o.Canaries {
		planted = newCanaries(o.Set)
		o.Set.Source = planted
	}
	dir, err := os.MkdirTemp("", "ken-eval-")
	if err != nil {
		return Report{}, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	store, err := o.Build(ctx, dir, o.Set.Source)
	if err != nil {
		return Report{}, fmt.Errorf("build the index: %w", err)
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	r, err := newRunner(ctx, o, store)
	if err != nil {
		return Report{}, err
	}
	r.truth.canaries = planted
	return r.all(ctx)
}

// runner asks every question as every persona.
type runner struct {
	Options
	searcher Searcher
	clocks   *stageClock
	metrics  []metric
	truth    *truth
	now      time.Time
	done     int
}

func newRunner(ctx context.Context, o Options, store Index) (*runner, error) {
	o = o.withDefaults()
	personas, err := o.Set.personas(o.Personas)
	if err != nil {
		return nil, err
	}
	o.Set.Personas = personas
	metrics, err := metricsNamed(o.Metrics)
	if err != nil {
		return nil, err
	}
	clock := o.Retrieval.Clock
	if clock == nil {
		clock = time.Now
	}
	now := clock() // one instant for the whole run: grants do not end in the middle of it
	o.Retrieval.Clock = func() time.Time { return now }
	clocks := newStageClock()
	timed := o.Retrieval
	store, timed.Embedder = Timed(store, timed.Embedder)
	searcher, err := o.Searcher(store, timed)
	if err != nil {
		return nil, err
	}
	truth, err := readTruth(ctx, o.Set.Source)
	if err != nil {
		return nil, err
	}
	return &runner{Options: o, searcher: searcher, clocks: clocks, metrics: metrics, truth: truth, now: now}, nil
}

func (r *runner) all(ctx context.Context) (Report, error) {
	total := newScorecard()
	report := Report{Set: r.Set.Name, Notes: r.Set.Notes, Settings: r.settings()}
	for _, persona := range r.Set.Personas {
		card := newScorecard()
		if err := r.persona(ctx, persona, card); err != nil {
			return Report{}, err
		}
		if persona.Name != "" {
			report.Personas = append(report.Personas, card.persona(persona.Name))
		}
		total.merge(card)
	}
	if total.questions == 0 && !slices.ContainsFunc(total.outcomes, func(o Outcome) bool { return o.Answer != nil }) {
		return Report{}, errors.New("no question has a relevant document that its asker may read: nothing to measure")
	}
	report.fill(total)
	return report, nil
}

func (r *runner) persona(ctx context.Context, persona Persona, card *scorecard) error {
	scope := r.truth.scope(persona.Principal, r.now)
	for _, q := range r.Set.Queries {
		if len(q.Relevant) > 0 || q.Known {
			if err := r.ask(ctx, persona, scope, q, card); err != nil {
				return fmt.Errorf("query %s: %w", q.ID, err)
			}
		}
		r.done++
		if r.Progress != nil {
			r.Progress(r.done, len(r.Set.Queries)*len(r.Set.Personas))
		}
	}
	return nil
}

// ask runs one question. One without a relevant document that the persona may
// read has no ranking to score, but what it returns is still looked at for
// leaks, and whether to answer it at all is measured.
func (r *runner) ask(ctx context.Context, persona Persona, scope *scope, q Query, card *scorecard) error {
	p, request := persona.Principal, retrieval.Request{Query: q.Text, Mode: r.Mode, Literal: true} // questions are prose: what they quote need not stand in the answer
	r.clocks.reset()
	started := time.Now()
	response, ranked, err := r.searcher.Explain(retrieval.WithStages(ctx, r.clocks.add), p, request)
	if err != nil {
		return err
	}
	took := time.Since(started)
	outcome := Outcome{Query: q.ID, Persona: persona.Name, Text: q.Text, Metrics: make(Metrics), LatencyMS: milliseconds(took), StagesMS: r.clocks.stages(took)}
	for _, service := range response.Degraded {
		card.degraded[service]++
	}
	ranking := documents(ranked)
	outcome.Leaks = scope.leaksOf(ranking, response)
	outcome.Top = places(ranked)
	leaks, err := r.fetchForbidden(ctx, p, scope, q)
	if err != nil {
		return err
	}
	outcome.Leaks += leaks
	if expected := scope.expected(q.Relevant); len(expected) > 0 {
		outcome.Expected = slices.Sorted(maps.Keys(expected))
		outcome.score(judge(ranking, expected), r.metrics)
		scope.scoreAnswer(q.goldFor(persona.Name).Answers, expected, response, &outcome)
	}
	if err := r.scoreGold(ctx, persona, scope, q, response, ranking, &outcome); err != nil {
		return err
	}
	card.add(outcome)
	return nil
}

// documents turns ranked chunks into ranked documents: each stands where its
// best chunk does.
func documents(ranked []retrieval.Ranked) []corpora.DocID {
	var out []corpora.DocID
	seen := make(map[corpora.DocID]bool)
	for _, c := range ranked {
		if !seen[c.Doc] {
			seen[c.Doc] = true
			out = append(out, c.Doc)
		}
	}
	return out
}

// fetchForbidden tries to read the question's documents that the persona may
// not, and counts those that it gets.
func (r *runner) fetchForbidden(ctx context.Context, p acl.Principal, scope *scope, q Query) (int, error) {
	leaks := 0
	for _, id := range slices.Sorted(maps.Keys(q.Relevant)) {
		if scope.readable[id] {
			continue
		}
		_, err := r.searcher.Fetch(ctx, p, id, 0, 0)
		if err == nil {
			leaks++
		} else if !isNotFound(err) {
			return leaks, err
		}
	}
	return leaks, nil
}
