package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"ken/cmd/ken/internal/config"
	"ken/cmd/ken/internal/wire"
	"ken/eval"
	"ken/retrieval"
)

func (p *program) evalCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "eval",
		Short:   "Measure ranking, leaks and latency",
		Example: `  ken eval run --set corpora/sample`,
	}
	cmd.AddCommand(p.evalRunCommand(), p.evalGateCommand(), p.evalCompareCommand(), p.evalTuneCommand(), p.evalJudgeCommand(), p.evalFeedbackCommand(), p.evalLoadCommand())
	return cmd
}

type evalOptions struct {
	set, mode, json string
	flags           searchFlags
	embedder        config.Embedder
	files           evalFiles // of a suite
	history         string
}

func (p *program) evalRunCommand() *cobra.Command {
	var o evalOptions
	cmd := &cobra.Command{
		Use:   "run SUITE | --set DIR",
		Short: "Run the questions of a suite or a data set",
		Long: `Run a suite: a YAML file that names sets, people, modes and thresholds. Its result
goes to eval.json (or --json), and exit code 1 says that a threshold was missed.
Or run one set, with --set.

Build an index of the set's documents, ask its questions and measure the answers.

The set is a folder in BEIR layout (corpus.jsonl, queries.jsonl, qrels.tsv, plain
or .gz), or one whose documents are a folder "corpus". With acl.jsonl and
users.jsonl it is run once per person, who is expected to get what is relevant
and readable. The index is the run's own and is removed at the end.`,
		Example: `  ken eval run eval/suites/bundled.yaml --html eval.html
  ken eval run --set corpora/sample
  ken eval run --set DIR --mode lexical --param k1=0.9 --param b=0.4 --json -
  ken eval run --set DIR --mode lexical --param title=1 --param rm3_terms=0 --param gram_weight=0    # plain BM25`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) == 1 && o.set == "":
				return p.evalSuite(cmd.Context(), args[0], o)
			case len(args) == 1 || o.set == "":
				return usage("name a suite, or a set with --set")
			}
			return p.evalRun(cmd.Context(), o)
		},
	}
	jsonFlag(cmd, &o.json)
	embedderFlags(cmd, &o.embedder)
	cmd.Flags().StringVar(&o.set, "set", "", "`DIR` of the data set")
	modeFlag(cmd, &o.mode)
	o.flags.add(cmd)
	reportFlags(cmd, &o.files)
	cmd.Flags().StringVar(&o.history, "history", "", "append a suite's figures to `FILE`, and draw those in it in the HTML report")
	return cmd
}

// useEmbedder chooses hashed vectors if no flag says otherwise.
func (o *evalOptions) useEmbedder() error {
	if o.embedder == (config.Embedder{}) {
		o.embedder.Kind = "hashed"
	}
	return checkEmbedder(o.embedder)
}

// evalOf is what asks the questions of a set, as the flags say.
func (p *program) evalOf(ctx context.Context, o evalOptions) (eval.Options, error) {
	set, err := eval.Load(p.path(o.set))
	if err != nil {
		return eval.Options{}, err
	}
	if err := o.useEmbedder(); err != nil {
		return eval.Options{}, err
	}
	embedder, err := wire.Embedder(ctx, o.embedder, p.getenv(config.EmbedKeyVar))
	if err != nil {
		return eval.Options{}, err
	}
	how, err := p.searchOptions("", config.Settings{}, o.flags)
	if err != nil {
		return eval.Options{}, err
	}
	options, err := wire.Retrieval(embedder, how)
	return eval.Options{Set: set, Mode: retrieval.Mode(o.mode), Retrieval: options, Build: p.evalBuild(embedder, o.flags.vectors)}, err
}

func (p *program) evalRun(ctx context.Context, o evalOptions) error {
	asked, err := p.evalOf(ctx, o)
	if err != nil {
		return err
	}
	bar := newBar(p.stderr, "questions")
	asked.Settings, asked.Progress = o.flags.settings(), bar.show
	report, err := eval.Run(ctx, asked)
	bar.finish()
	if err != nil {
		return err
	}
	if err := printReport(p.humanOut(o.json), report); err != nil || o.json == "" {
		return err
	}
	return p.writeJSON(o.json, report)
}

// printReport writes a report as a table: all first, then each person.
func printReport(out io.Writer, r eval.Report) error {
	fmt.Fprintf(out, "%s: %d questions, %d leaks, %.2f ms p50, %.2f ms p95, %.2f ms p99\n\n",
		r.Set, r.Queries, r.Leaks, r.LatencyMS.P50, r.LatencyMS.P95, r.LatencyMS.P99)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	names := slices.Sorted(maps.Keys(r.Metrics))
	fmt.Fprint(w, "\tquestions\t")
	for _, name := range names {
		fmt.Fprintf(w, "%s\t", name)
	}
	fmt.Fprintln(w)
	row := func(label string, queries int, m eval.Metrics) {
		fmt.Fprintf(w, "%s\t%d\t", label, queries)
		for _, name := range names {
			fmt.Fprintf(w, "%.4f\t", m[name])
		}
		fmt.Fprintln(w)
	}
	row("all", r.Queries, r.Metrics)
	for _, persona := range r.Personas {
		row(persona.Name, persona.Queries, persona.Metrics)
	}
	return w.Flush()
}
