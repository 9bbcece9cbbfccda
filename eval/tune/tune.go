package tune

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"os"
	"slices"

	"ken/corpora"
	"ken/eval"
	"ken/eval/stats"
	"ken/retrieval"
)

// Knob is a parameter and the values to try besides the one in force.
type Knob struct {
	Name   string
	Values []string
}

// Knobs are those tried unless others are given: the weight of the vector leg,
// the boosts of BM25F, feedback and grams, in the order of what they move most.
func Knobs() []Knob {
	return []Knob{
		{"alpha", []string{"0", "0.05", "0.1", "0.2", "0.3", "0.5", "0.7"}},
		{"title", []string{"0", "1", "2", "5", "8"}},
		{"rm3_weight", []string{"1", "0.9", "0.7", "0.5"}},
		{"gram_weight", []string{"0", "0.15", "0.45", "0.6"}},
		{"b", []string{"0.3", "0.5", "0.9"}},
		{"k1", []string{"0.6", "0.9", "1.6", "2"}},
	}
}

// Options of a run. Set and Build are needed.
type Options struct {
	Set       eval.Set
	Build     eval.Build
	Retrieval retrieval.Options // Params are where the search for better ones begins
	Mode      retrieval.Mode    // "" is hybrid
	Personas  []string          // who asks; nil is everyone
	Metric    string            // "" is ndcg@10
	Folds     int               // 0 is 5
	Level     float64           // p-value below which a gain counts; 0 is .05
	Knobs     []Knob            // nil is Knobs
	Seed      uint64            // of the test; 0 is stats.Seed
	Progress  func(done, of int)
}

func (o Options) withDefaults() Options {
	o.Metric, o.Folds = cmp.Or(o.Metric, "ndcg@10"), cmp.Or(o.Folds, 5)
	o.Level, o.Seed = cmp.Or(o.Level, .05), cmp.Or(o.Seed, uint64(stats.Seed))
	if o.Knobs == nil {
		o.Knobs = Knobs()
	}
	if o.Retrieval.Params == (retrieval.Params{}) {
		o.Retrieval.Params = retrieval.DefaultParams()
	}
	return o
}

func (o Options) validate() error {
	if o.Set.Source == nil || o.Build == nil {
		return errors.New("a set and a way to build its index are needed")
	}
	if o.Folds < 2 {
		return fmt.Errorf("%d folds: want 2 or more", o.Folds)
	}
	for _, k := range o.Knobs {
		for _, v := range k.Values {
			p := o.Retrieval.Params
			if err := p.Set(k.Name + "=" + v); err != nil {
				return err
			}
		}
	}
	return eval.CheckMetric(o.Metric)
}

// Result is what tuning found.
type Result struct {
	Set       string `json:"set"`
	Metric    string `json:"metric"`
	Questions int    `json:"questions"`
	Folds     int    `json:"folds"`
	Tried     int    `json:"tried"` // settings measured

	// Means over the questions: with the parameters that were in force, with
	// those chosen without the question, and with those chosen on all questions,
	// which is what overfitting looks like.
	Before   float64 `json:"before"`
	HeldOut  float64 `json:"held_out"`
	InSample float64 `json:"in_sample"`

	Interval stats.Interval `json:"interval"` // of the held-out gain, 95 %
	P        float64        `json:"p"`        // two-sided
	Wins     int            `json:"wins"`
	Losses   int            `json:"losses"`

	Params      []string   `json:"params"`      // chosen on all questions, name=value, where they differ
	ByFold      [][]string `json:"by_fold"`     // chosen without each fold
	Recommended bool       `json:"recommended"` // the held-out gain is above 0 and significant
}

// Run tunes. The index is built once.
func Run(ctx context.Context, o Options) (Result, error) {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return Result{}, fmt.Errorf("tune: %w", err)
	}
	result, err := run(ctx, o)
	if err != nil {
		return Result{}, fmt.Errorf("tune on %s: %w", o.Set.Name, err)
	}
	return result, nil
}

func run(ctx context.Context, o Options) (_ Result, err error) {
	dir, err := os.MkdirTemp("", "ken-tune-")
	if err != nil {
		return Result{}, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	store, err := o.Build(ctx, dir, o.Set.Source)
	if err != nil {
		return Result{}, fmt.Errorf("build the index: %w", err)
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	t := &tuner{Options: o, store: store, known: make(map[retrieval.Params]map[string]float64)}
	return t.tune(ctx)
}

// tuner remembers what it measured: the folds try mostly the same settings.
type tuner struct {
	Options
	store eval.Index
	known map[retrieval.Params]map[string]float64
}

func (t *tuner) tune(ctx context.Context) (Result, error) {
	before, err := t.scores(ctx, t.Retrieval.Params)
	if err != nil {
		return Result{}, err
	}
	if len(before) < 2*t.Folds {
		return Result{}, fmt.Errorf("%d questions with %s are too few for %d folds", len(before), t.Metric, t.Folds)
	}
	r := Result{Set: t.Set.Name, Metric: t.Metric, Questions: len(before), Folds: t.Folds}
	heldOut := make(map[string]float64)
	folds := foldsOf(before, t.Folds)
	for _, fold := range folds {
		params, names, err := t.choose(ctx, func(query string) bool { return !slices.Contains(fold, query) })
		if err != nil {
			return Result{}, err
		}
		scores := t.known[params]
		for _, query := range fold {
			heldOut[query] = scores[query]
		}
		r.ByFold = append(r.ByFold, names)
	}
	all, names, err := t.choose(ctx, func(string) bool { return true })
	if err != nil {
		return Result{}, err
	}
	r.Params, r.Tried = names, len(t.known)
	r.compare(before, heldOut, t.known[all], t.Options)
	return r, nil
}

func (r *Result) compare(before, heldOut, inSample map[string]float64, o Options) {
	var gains []float64
	for _, query := range slices.Sorted(maps.Keys(before)) {
		gain := heldOut[query] - before[query]
		gains = append(gains, gain)
		if gain > 0 {
			r.Wins++
		} else if gain < 0 {
			r.Losses++
		}
	}
	every := func(string) bool { return true }
	r.Before, r.HeldOut, r.InSample = mean(before, every), mean(heldOut, every), mean(inSample, every)
	r.P, r.Interval = stats.Randomisation(gains, o.Seed), stats.Bootstrap(gains, o.Seed)
	r.Recommended = len(r.Params) > 0 && r.HeldOut > r.Before && r.P < o.Level
}

// noticeable is the least gain for which a knob is turned.
const noticeable = 1e-4

// choose turns one knob after the other to the value with the best mean over
// the questions that count, and returns the settings that differ by name.
func (t *tuner) choose(ctx context.Context, counts func(query string) bool) (retrieval.Params, []string, error) {
	best, changed := t.Retrieval.Params, []string{}
	scores, err := t.scores(ctx, best)
	if err != nil {
		return best, nil, err
	}
	most := mean(scores, counts)
	for _, k := range t.Knobs {
		from, turned := best, ""
		for _, value := range k.Values {
			p := from
			if err := p.Set(k.Name + "=" + value); err != nil {
				return best, nil, err
			}
			if scores, err = t.scores(ctx, p); err != nil {
				return best, nil, err
			}
			if x := mean(scores, counts); x > most+noticeable {
				best, most, turned = p, x, k.Name+"="+value
			}
		}
		if turned != "" {
			changed = append(changed, turned)
		}
	}
	return best, changed, nil
}

// scores asks every question with the parameters and returns each one's mean
// over those who ask it.
func (t *tuner) scores(ctx context.Context, p retrieval.Params) (map[string]float64, error) {
	if known, ok := t.known[p]; ok {
		return known, nil
	}
	options := t.Retrieval
	options.Params = p
	report, err := eval.Run(ctx, eval.Options{
		Set: t.Set, Retrieval: options, Mode: t.Mode, Personas: t.Personas, Metrics: []string{t.Metric}, Budgets: []int{},
		Build: func(context.Context, string, corpora.Source) (eval.Index, error) { return kept{t.store}, nil },
	})
	if err != nil {
		return nil, err
	}
	sums, askers := make(map[string]float64), make(map[string]float64)
	for _, o := range report.Outcomes {
		if x, ok := o.Metrics[t.Metric]; ok {
			sums[o.Query] += x
			askers[o.Query]++
		}
	}
	for query := range sums {
		sums[query] /= askers[query]
	}
	t.known[p] = sums
	if t.Progress != nil {
		t.Progress(len(t.known), t.most())
	}
	return sums, nil
}

// most is the number of settings that the search over all questions tries; the
// folds may add a few.
func (t *tuner) most() int {
	n := 1
	for _, k := range t.Knobs {
		n += len(k.Values)
	}
	return max(n, len(t.known))
}

// kept is an index that outlives the run that asks it.
type kept struct{ eval.Index }

func (kept) Close() error { return nil }

// foldsOf deals the questions out in the order of a hash of their ids, so that
// neighbours in the file, which are often of one kind, are spread.
func foldsOf(scores map[string]float64, n int) [][]string {
	queries := slices.Collect(maps.Keys(scores))
	slices.SortFunc(queries, func(a, b string) int { return cmp.Or(cmp.Compare(hash(a), hash(b)), cmp.Compare(a, b)) })
	folds := make([][]string, n)
	for i, q := range queries {
		folds[i%n] = append(folds[i%n], q)
	}
	return folds
}

func hash(s string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(s))
	return h.Sum64()
}

// mean adds in the order of ids, so that it is the same in every run.
func mean(scores map[string]float64, counts func(string) bool) float64 {
	var sum, n float64
	for _, query := range slices.Sorted(maps.Keys(scores)) {
		if counts(query) {
			sum += scores[query]
			n++
		}
	}
	if n == 0 {
		return 0
	}
	return sum / n
}
