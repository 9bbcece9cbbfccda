package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"ken/eval/gate"
	"ken/eval/stats"
	"ken/eval/suite"
)

type gateOptions struct {
	baseline string
	files    evalFiles
	check    gate.Options
}

func (p *program) evalGateCommand() *cobra.Command {
	var o gateOptions
	cmd := &cobra.Command{
		Use:   "gate [RESULT] --baseline FILE",
		Short: "Fail on a regression, a leak or a threshold",
		Long: `Hold the result of a suite (default eval.json) against an earlier one.

A loss counts if a paired randomisation test over the questions, corrected for
the number of tests by Holm's method, finds it significant. Latency must besides
be slower at the median by a factor and by milliseconds. Leaks, thresholds of the
suite, and questions that are no longer asked fail too. Exit code 1 says that a
gate failed; the worst questions are named.`,
		Example: `  ken eval run eval/suites/bundled.yaml && ken eval gate --baseline main.json
  ken eval gate new.json --baseline main.json --junit gate.xml --markdown -`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return p.evalGate(append(args, "eval.json")[0], o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.baseline, "baseline", "", "earlier result, a `FILE`")
	f.StringSliceVar(&o.check.Metrics, "metric", nil, "test these `METRICS` instead of the usual ones")
	f.Float64Var(&o.check.Level, "level", 0, "corrected p-value below which a loss counts (default 0.05)")
	f.Float64Var(&o.check.LatencyRatio, "latency-ratio", 0, "slower by this factor (default 1.5)")
	f.Float64Var(&o.check.LatencyMS, "latency-ms", 0, "and by these milliseconds (default 10)")
	f.Uint64Var(&o.check.Seed, "seed", 0, "of the tests' random numbers")
	reportFlags(cmd, &o.files)
	jsonFlag(cmd, &o.files.json)
	cobra.CheckErr(cmd.MarkFlagRequired("baseline"))
	return cmd
}

// reportFlags adds the flags of the reports beside JSON.
func reportFlags(cmd *cobra.Command, files *evalFiles) {
	cmd.Flags().StringVar(&files.junit, "junit", "", "write the gates as JUnit XML to `FILE`")
	cmd.Flags().StringVar(&files.markdown, "markdown", "", "write a summary as Markdown to `FILE` (- is standard output)")
	cmd.Flags().StringVar(&files.html, "html", "", "write a report as one HTML `FILE`")
}

func (p *program) evalGate(file string, o gateOptions) error {
	before, err := readResult(o.baseline)
	if err != nil {
		return err
	}
	now, err := readResult(file)
	if err != nil {
		return err
	}
	gates := gate.Check(before, now, o.check)
	now.Gates = nil
	now.Fail(gates...)
	if o.files.json != "" {
		if err := p.writeJSON(o.files.json, now); err != nil {
			return err
		}
	}
	if err := p.writeReports(o.files, now); err != nil {
		return err
	}
	return printGates(p.humanOut(cmp.Or(o.files.json, o.files.markdown)), now)
}

func readResult(file string) (suite.Result, error) {
	var r suite.Result
	data, err := os.ReadFile(file)
	if err != nil {
		return r, fmt.Errorf("read result: %w", err)
	}
	if err := json.Unmarshal(data, &r); err != nil {
		return r, fmt.Errorf("%s is not the result of a suite: %w", file, err)
	}
	if len(r.Runs) == 0 {
		return r, fmt.Errorf("%s holds no runs: write one with `ken eval run SUITE`", file)
	}
	return r, nil
}

func (p *program) evalCompareCommand() *cobra.Command {
	var jsonFile string
	var metrics []string
	cmd := &cobra.Command{
		Use:     "compare A B",
		Short:   "Compare two results question by question",
		Example: `  ken eval compare main.json eval.json`,
		Args:    cobra.ExactArgs(2),
		RunE: func(_ *cobra.Command, args []string) error {
			a, err := readResult(args[0])
			if err != nil {
				return err
			}
			b, err := readResult(args[1])
			if err != nil {
				return err
			}
			if len(metrics) == 0 {
				metrics = gate.Gated()
			}
			differences := gate.Compare(a, b, metrics, stats.Seed)
			if jsonFile != "" {
				return p.writeJSON(jsonFile, differences)
			}
			return printDifferences(p.stdout, a, b, differences)
		},
	}
	jsonFlag(cmd, &jsonFile)
	cmd.Flags().StringSliceVar(&metrics, "metric", nil, "compare these `METRICS`")
	return cmd
}

// printDifferences writes a table of the metrics, then for each that changed the
// questions that lost, with the first places of both results and why they stand
// there.
func printDifferences(out io.Writer, a, b suite.Result, differences []gate.Difference) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "run\tmetric\ta\tb\tchange\t95 % interval\tp\tcorrected\tbetter\tworse\t")
	for _, d := range differences {
		fmt.Fprintf(w, "%s\t%s\t%.4f\t%.4f\t%+.4f\t%+.4f..%+.4f\t%.4f\t%.4f\t%d\t%d\t\n",
			d.Run, d.Metric, d.A, d.B, d.Change, d.Interval.Low, d.Interval.High, d.P, d.PHolm, d.Wins, d.Losses)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, d := range differences {
		if d.Metric == gate.LatencyMetric || len(d.Worst) == 0 {
			continue
		}
		fmt.Fprintf(out, "\n%s, %s: questions that lost\n", d.Run, d.Metric)
		for _, c := range d.Worst {
			fmt.Fprintf(out, "  %s  %.3f -> %.3f\n", c.Query, c.A, c.B)
			fmt.Fprintf(out, "    a: %s\n    b: %s\n", firstPlaces(a, d.Run, c.Query), firstPlaces(b, d.Run, c.Query))
		}
	}
	return nil
}

// firstPlaces tells the best three documents of the first who asked.
func firstPlaces(r suite.Result, run, query string) string {
	for _, x := range r.Runs {
		if x.Name() != run {
			continue
		}
		for _, o := range x.Outcomes {
			if o.Query != query {
				continue
			}
			text := ""
			for i, place := range o.Top[:min(3, len(o.Top))] {
				mark := ""
				if slices.Contains(o.Expected, place.Document) {
					mark = "*"
				}
				text += fmt.Sprintf("%d. %s%s %.3f (words %.3f, vector %.3f)  ", i+1, place.Document, mark, place.Score, place.Lexical, place.Vector)
			}
			return text
		}
	}
	return "not asked"
}
