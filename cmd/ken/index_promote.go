package main

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"ken/cmd/ken/internal/config"
	"ken/cmd/ken/internal/wire"
	"ken/corpora"
	"ken/embed"
	"ken/eval"
	"ken/eval/gate"
	"ken/eval/suite"
	"ken/index/embedded"
	"ken/retrieval"
)

type promoteOptions struct {
	percent    int
	suite, set string
	json       string
}

func (p *program) indexPromoteCommand() *cobra.Command {
	var o promoteOptions
	cmd := &cobra.Command{
		Use:   "promote (--suite FILE | --set DIR) GENERATION",
		Short: "Measure a generation and let it answer if its gates pass",
		Long: `Measure the generation and the one that answers now with the questions of a suite or
a set, and promote it if no threshold of the suite is missed, nothing leaks, and
nothing is significantly worse than now. Otherwise nothing changes, and exit code 1
comes with the metrics that failed and their worst questions.

Questions about documents that the index holds are put to the generation itself. A
set whose documents it does not hold is measured on an index of its own, made as the
generation is.

With --percent the generation answers that share of the users, always the same ones,
and the active one the others. ken index generations compares the two; a rollback
ends it.`,
		Example: `  ken index promote --suite suite.yaml --percent 10 1
  ken index promote --suite suite.yaml 1`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return p.indexPromote(cmd.Context(), args[0], o) },
	}
	jsonFlag(cmd, &o.json)
	f := cmd.Flags()
	f.IntVar(&o.percent, "percent", 100, "share of the users that it answers, 1 to 100")
	f.StringVar(&o.suite, "suite", "", "suite `FILE` with sets and thresholds")
	f.StringVar(&o.set, "set", "", "`DIR` of a set; its gates are leaks and what is worse than now")
	return cmd
}

func (p *program) indexPromote(ctx context.Context, which string, o promoteOptions) error {
	id, err := generationID(which)
	if err != nil {
		return err
	}
	if o.percent < 1 || o.percent > 100 {
		return usage("--percent %d: want 1 to 100", o.percent)
	}
	if (o.suite == "") == (o.set == "") {
		return usage("say what the generation has to pass: --suite FILE or --set DIR")
	}
	return p.onIndex(ctx, func(kb *wire.Base) error {
		result, err := p.measureGenerations(ctx, kb, id, o)
		if err != nil {
			return err
		}
		if err := note(ctx, kb.Store, id, result, p.now()); err != nil {
			return err
		}
		if o.json != "" {
			if err := p.writeJSON(o.json, result); err != nil {
				return err
			}
		}
		out := p.humanOut(o.json)
		if err := printGates(out, result); err != nil {
			fmt.Fprintf(out, "generation %d is not promoted\n", id)
			return err
		}
		if err := kb.Store.Promote(ctx, id, o.percent); err != nil {
			return err
		}
		fmt.Fprintf(out, "generation %d answers %d %% of the users\n", id, o.percent)
		return nil
	})
}

// measureGenerations measures the active generation and the other one, and holds
// the second against the first.
func (p *program) measureGenerations(ctx context.Context, kb *wire.Base, id uint32, o promoteOptions) (suite.Result, error) {
	other, making, err := kb.Generation(id)
	if err != nil {
		return suite.Result{}, err
	}
	if other.Missing > 0 {
		return suite.Result{}, fmt.Errorf("%w: generation %d lacks %d documents; `ken index build --resume %d` makes them", embedded.ErrBehind, id, other.Missing, id)
	}
	s, dir := suite.Suite{Name: filepath.Base(o.set), Sets: []suite.Set{{Name: filepath.Base(o.set), Path: o.set, Modes: []retrieval.Mode{retrieval.Hybrid}}}}, ""
	if o.suite != "" {
		o.suite = p.path(o.suite)
		if s, err = readSuite(o.suite); err != nil {
			return suite.Result{}, err
		}
		dir = filepath.Dir(o.suite)
	}
	s.Baseline = false
	all, err := kb.Store.Generations()
	if err != nil {
		return suite.Result{}, err
	}
	now, err := p.measureGeneration(ctx, kb, all[0], kb.Making, s, dir)
	if err != nil || all[0].ID == id {
		return now, err
	}
	then, err := p.measureGeneration(ctx, kb, other, making, s, dir)
	if err != nil {
		return suite.Result{}, err
	}
	gates := gate.Check(now, then, gate.Options{Metrics: rankingMetrics()})
	then.Gates = nil
	then.Fail(gates...)
	return then, nil
}

// rankingMetrics are what a generation must not be worse in. Latency is not one of
// them: the two are measured one after the other on a machine that serves others
// meanwhile. It is compared where both serve at the same time, with --percent.
func rankingMetrics() []string {
	return slices.DeleteFunc(gate.Gated(), func(m string) bool { return m == gate.LatencyMetric })
}

func (p *program) measureGeneration(ctx context.Context, kb *wire.Base, g embedded.Generation, m wire.Making, s suite.Suite, dir string) (suite.Result, error) {
	embedder := kb.EmbedderOf(g.Model)
	if embedder == nil && g.Model.Dim > 0 {
		var err error
		if embedder, err = wire.Embedder(ctx, m.Embedder, p.getenv(config.EmbedKeyVar)); err != nil {
			return suite.Result{}, fmt.Errorf("generation %d: the embedder cannot be used: %w", g.ID, err)
		}
	}
	options, err := wire.Retrieval(embedder, p.options("", config.Settings{}))
	if err != nil {
		return suite.Result{}, err
	}
	result, err := suite.Measure(ctx, s, suite.Options{
		Load: func(path string) (eval.Set, error) {
			if !filepath.IsAbs(path) {
				path = filepath.Join(dir, path)
			}
			return loadFor(ctx, kb.Store, p.path(path))
		},
		Build: func(ctx context.Context, scratch string, source corpora.Source) (eval.Index, error) {
			if _, own := source.(stored); own {
				return embedded.InGeneration{Store: kb.Store, ID: g.ID}, nil
			}
			return p.scratch(ctx, scratch, embedder, m, source)
		},
		Retrieval: options,
	})
	if err != nil {
		err = fmt.Errorf("measure generation %d: %w", g.ID, err)
	}
	return result, err
}

// scratch builds an index of a set of its own, made as a generation is.
func (p *program) scratch(ctx context.Context, dir string, e embed.Embedder, m wire.Making, source corpora.Source) (eval.Index, error) {
	store, err := embedded.Open(dir, embedded.Options{Process: p.process})
	if err != nil {
		return nil, err
	}
	if _, err := wire.IngestMade(ctx, store, e, m, source); err != nil {
		return nil, joinClose(err, store)
	}
	return store, nil
}

// generationNote is what is kept of a measurement.
type generationNote struct {
	Suite       string             `json:"suite"`
	At          time.Time          `json:"at"`
	Accuracy    float64            `json:"accuracy,omitempty"`
	Leaks       int                `json:"leaks"`
	GatesFailed int                `json:"gates_failed"`
	NDCG        map[string]float64 `json:"ndcg@10"` // by run
}

func note(ctx context.Context, store *embedded.Store, id uint32, r suite.Result, at time.Time) error {
	n := generationNote{
		Suite: r.Suite, At: at.UTC().Round(time.Second), Accuracy: r.Accuracy, Leaks: r.Leaks, GatesFailed: r.GatesFailed, NDCG: map[string]float64{},
	}
	for _, run := range r.Runs {
		n.NDCG[run.Name()] = run.Metrics["ndcg@10"]
	}
	text, err := json.Marshal(n)
	if err != nil {
		return err
	}
	return store.Annotate(ctx, id, text)
}

func describeNote(text json.RawMessage) string {
	var n generationNote
	if len(text) == 0 || json.Unmarshal(text, &n) != nil {
		return "-"
	}
	verdict := "passed"
	if n.GatesFailed > 0 {
		verdict = "failed gates: " + fmt.Sprint(n.GatesFailed)
	}
	var sum float64
	for _, x := range n.NDCG {
		sum += x
	}
	return fmt.Sprintf("%s: %s, nDCG@10 %.3f", n.Suite, verdict, sum/float64(max(len(n.NDCG), 1)))
}
