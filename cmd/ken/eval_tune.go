package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"ken/eval/tune"
)

type tuneOptions struct {
	evalOptions
	out      string
	metric   string
	folds    int
	personas []string
}

func (p *program) evalTuneCommand() *cobra.Command {
	var o tuneOptions
	cmd := &cobra.Command{
		Use:   "tune --set DIR",
		Short: "Look for better ranking parameters on judged questions",
		Long: `Try other weights of the vector leg, of BM25F's fields, of feedback and of grams on
the judged questions of a set, and say what they would gain on questions that had
no part in choosing them (cross-validation by question).

If the gain is significant, the parameters chosen on all questions are written to
a file that search, serve and eval run read with --params. If not, nothing is
written, and the defaults are the recommendation.`,
		Example: `  ken eval tune --set DIR --out params.yaml
  ken search --params params.yaml "who signs off a release?"`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.evalTune(cmd.Context(), o) },
	}
	jsonFlag(cmd, &o.json)
	embedderFlags(cmd, &o.embedder)
	f := cmd.Flags()
	f.StringVar(&o.set, "set", "", "`DIR` of the data set")
	f.StringVar(&o.out, "out", "params.yaml", "`FILE` for what is recommended")
	f.StringVar(&o.metric, "metric", "ndcg@10", "what to improve")
	f.IntVar(&o.folds, "folds", 5, "parts of the questions")
	f.StringSliceVar(&o.personas, "persona", nil, "ask as these people only")
	modeFlag(cmd, &o.mode)
	o.flags.add(cmd)
	cobra.CheckErr(cmd.MarkFlagRequired("set"))
	return cmd
}

func (p *program) evalTune(ctx context.Context, o tuneOptions) error {
	asked, err := p.evalOf(ctx, o.evalOptions)
	if err != nil {
		return err
	}
	bar := newBar(p.stderr, "settings")
	result, err := tune.Run(ctx, tune.Options{
		Set: asked.Set, Build: asked.Build, Retrieval: asked.Retrieval, Mode: asked.Mode,
		Personas: o.personas, Metric: o.metric, Folds: o.folds, Progress: bar.show,
	})
	bar.finish()
	if err != nil {
		return err
	}
	if o.json != "" {
		if err := p.writeJSON(o.json, result); err != nil {
			return err
		}
	}
	if result.Recommended {
		if err := writeParams(o.out, result); err != nil {
			return err
		}
	}
	printTuned(p.humanOut(o.json), result, o.out)
	return nil
}

// writeParams writes what config.LoadParams reads.
func writeParams(file string, r tune.Result) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# Chosen by `ken eval tune` on %q: %s %.4f -> %.4f on questions held out (p %.4f).\nversion: 1\nparams:\n", r.Set, r.Metric, r.Before, r.HeldOut, r.P)
	for _, a := range r.Params {
		name, value, _ := strings.Cut(a, "=")
		fmt.Fprintf(&b, "  %s: %s\n", name, value)
	}
	if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
		return fmt.Errorf("write parameters: %w", err)
	}
	return nil
}

func printTuned(out io.Writer, r tune.Result, file string) {
	fmt.Fprintf(out, "%s: %s of %d questions, %d folds, %d settings\n\n", r.Set, r.Metric, r.Questions, r.Folds, r.Tried)
	fmt.Fprintf(out, "  in force                         %.4f\n", r.Before)
	fmt.Fprintf(out, "  tuned, on questions held out     %.4f  (%+.4f, 95 %% interval %+.4f to %+.4f, p %.4f; %d better, %d worse)\n",
		r.HeldOut, r.HeldOut-r.Before, r.Interval.Low, r.Interval.High, r.P, r.Wins, r.Losses)
	fmt.Fprintf(out, "  tuned, on the questions it saw   %.4f\n\n", r.InSample)
	for i, fold := range r.ByFold {
		fmt.Fprintf(out, "  without fold %d: %s\n", i+1, named(fold))
	}
	fmt.Fprintf(out, "  on all:         %s\n\n", named(r.Params))
	if r.Recommended {
		fmt.Fprintf(out, "%s has what is recommended: use it with --params %s\n", file, file)
		return
	}
	fmt.Fprintln(out, "Nothing beats the parameters in force significantly: keep them.")
}

func named(params []string) string {
	if len(params) == 0 {
		return "as in force"
	}
	return strings.Join(params, " ")
}
