package tune_test

import (
	"context"
	"reflect"
	"slices"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"ken/corpora"
	"ken/corpora/extract"
	"ken/corpora/sample"
	"ken/embed/hashed"
	"ken/eval"
	"ken/eval/tune"
	"ken/index/embedded"
	"ken/index/ingest"
	"ken/retrieval"
)

// options are those of one person over the bundled handbook.
func options(t *testing.T, change func(*retrieval.Params), knobs ...tune.Knob) tune.Options {
	t.Helper()
	set, err := eval.LoadFS(sample.Set(), sample.Name)
	if err != nil {
		t.Fatal(err)
	}
	e, err := hashed.New(hashed.Options{})
	if err != nil {
		t.Fatal(err)
	}
	params := retrieval.DefaultParams()
	change(&params)
	return tune.Options{
		Set: set, Personas: []string{"user:ines"}, Knobs: knobs,
		Retrieval: retrieval.Options{Embedder: e, Params: params},
		Build: func(ctx context.Context, _ string, source corpora.Source) (eval.Index, error) {
			store, err := embedded.Open("index", embedded.Options{FS: vfs.NewMem()})
			if err != nil {
				return nil, err
			}
			_, err = ingest.Run(ctx, ingest.Options{Store: store, Embedder: e, Extract: extract.Default()}, source)
			return store, err
		},
	}
}

// Parameters that are bad are found out, and the better ones recommended; the
// same run says the same.
func TestTuneFindsWhatIsBetter(t *testing.T) {
	o := options(t, func(p *retrieval.Params) { p.Alpha, p.GramWeight = .9, 0 }, tune.Knob{Name: "alpha", Values: []string{"0.1", "1"}})
	first, err := tune.Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if !first.Recommended || !slices.Equal(first.Params, []string{"alpha=0.1"}) || first.HeldOut <= first.Before || first.Interval.Low <= 0 {
		t.Errorf("result %+v", first)
	}
	if len(first.ByFold) != 5 || first.Tried != 3 || first.InSample < first.HeldOut {
		t.Errorf("result %+v", first)
	}
	again, err := tune.Run(t.Context(), o)
	if err != nil || !reflect.DeepEqual(first, again) {
		t.Errorf("second run %+v, error %v; first %+v", again, err, first)
	}
}

// A gain on the questions that chose it is none.
func TestTuneKeepsWhatIsGood(t *testing.T) {
	r, err := tune.Run(t.Context(), options(t, func(*retrieval.Params) {}, tune.Knob{Name: "k1", Values: []string{"1.1", "1.3"}}, tune.Knob{Name: "b", Values: []string{"0.7"}}))
	if err != nil || r.Recommended {
		t.Errorf("result %+v, error %v", r, err)
	}
}

func TestTuneRefuses(t *testing.T) {
	for name, change := range map[string]func(*tune.Options){
		"no set":          func(o *tune.Options) { o.Set.Source = nil },
		"one fold":        func(o *tune.Options) { o.Folds = 1 },
		"too many folds":  func(o *tune.Options) { o.Folds = 1_000 },
		"a wrong knob":    func(o *tune.Options) { o.Knobs = []tune.Knob{{Name: "alfa", Values: []string{"1"}}} },
		"a wrong value":   func(o *tune.Options) { o.Knobs = []tune.Knob{{Name: "b", Values: []string{"7"}}} },
		"a wrong metric":  func(o *tune.Options) { o.Metric = "ndcg" },
		"a wrong persona": func(o *tune.Options) { o.Personas = []string{"user:nobody"} },
	} {
		o := options(t, func(*retrieval.Params) {})
		change(&o)
		if r, err := tune.Run(t.Context(), o); err == nil {
			t.Errorf("%s: result %+v, want an error", name, r)
		}
	}
}
