package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"ken/cmd/ken/internal/config"
	"ken/cmd/ken/internal/wire"
	"ken/corpora"
	"ken/embed"
	"ken/eval"
	"ken/eval/baseline"
	"ken/eval/report"
	"ken/eval/suite"
	"ken/index/embedded"
)

// evalFiles are where the reports of a suite go; "" is nowhere.
type evalFiles struct {
	json, junit, markdown, html string
}

// evalSuite measures a suite and writes its reports. A gate that fails is exit
// code 1.
func (p *program) evalSuite(ctx context.Context, file string, o evalOptions) error {
	s, err := readSuite(file)
	if err != nil {
		return err
	}
	so, err := p.suiteOptions(ctx, filepath.Dir(file), o)
	if err != nil {
		return err
	}
	result, err := suite.Measure(ctx, s, so)
	if err != nil {
		return err
	}
	if o.history != "" {
		if result.Trend, err = suite.Remember(o.history, result.Point(p.now(), version)); err != nil {
			return err
		}
	}
	o.files.json = cmp.Or(o.json, "eval.json")
	if err := p.writeJSON(o.files.json, result); err != nil {
		return err
	}
	if err := p.writeReports(o.files, result); err != nil {
		return err
	}
	out := p.humanOut(o.files.json)
	if err := printResult(out, result); err != nil {
		return err
	}
	return printGates(out, result)
}

func readSuite(file string) (suite.Suite, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return suite.Suite{}, fmt.Errorf("read suite: %w", err)
	}
	s, err := suite.Parse(data)
	if err != nil {
		return s, fmt.Errorf("%s: %w", file, err)
	}
	return s, nil
}

// suiteOptions puts the parts together. Paths of sets are from the suite's folder.
func (p *program) suiteOptions(ctx context.Context, dir string, o evalOptions) (suite.Options, error) {
	if err := o.useEmbedder(); err != nil {
		return suite.Options{}, err
	}
	embedder, err := wire.Embedder(ctx, o.embedder, p.getenv(config.EmbedKeyVar))
	if err != nil {
		return suite.Options{}, err
	}
	wo, err := p.searchOptions("", config.Settings{}, o.flags)
	if err != nil {
		return suite.Options{}, err
	}
	options, err := wire.Retrieval(embedder, wo)
	return suite.Options{
		Load: func(path string) (eval.Set, error) {
			path, err := p.setPath(dir, path)
			if err != nil {
				return eval.Set{}, err
			}
			return eval.Load(path)
		},
		Build:     p.evalBuild(embedder, o.flags.vectors),
		Retrieval: options,
		Baseline: func(ctx context.Context, set eval.Set) (eval.Searcher, error) {
			return baseline.New(ctx, set.Source, embedder, time.Now)
		},
	}, err
}

// setPath is where a suite in the folder dir finds a set: $KEN_EVAL_DATA/… below
// that folder, other paths from its own.
func (p *program) setPath(dir, path string) (string, error) {
	if inData, ok := strings.CutPrefix(path, "$"+config.EvalDataVar+"/"); ok {
		data := p.getenv(config.EvalDataVar)
		if data == "" {
			return "", fmt.Errorf("the suite's set %s needs $%s to name the folder of the data sets", path, config.EvalDataVar)
		}
		return filepath.Join(data, inData), nil
	}
	if filepath.IsAbs(path) {
		return path, nil
	}
	return filepath.Join(dir, path), nil
}

// evalBuild fills a run's own index.
func (p *program) evalBuild(embedder embed.Embedder, vectors string) eval.Build {
	return func(ctx context.Context, dir string, source corpora.Source) (eval.Index, error) {
		store, err := embedded.Open(dir, embedded.Options{Process: p.process, Vectors: vectors})
		if err != nil {
			return nil, err
		}
		summary, err := wire.Ingest(ctx, store, embedder, wire.IngestOptions{}, source)
		if err != nil {
			return nil, errors.Join(err, store.Close())
		}
		for _, q := range summary.Quarantined {
			fmt.Fprintf(p.stderr, "ken: not in the index: %s: %s\n", q.ID, q.Reason)
		}
		return store, nil
	}
}

// writeReports writes all but the JSON.
func (p *program) writeReports(files evalFiles, r suite.Result) error {
	for _, f := range []struct {
		name  string
		write func(io.Writer, suite.Result) error
	}{{files.junit, report.JUnit}, {files.markdown, report.Markdown}, {files.html, report.HTML}} {
		if f.name == "" {
			continue
		}
		if err := p.writeReport(f.name, r, f.write); err != nil {
			return fmt.Errorf("write report: %w", err)
		}
	}
	return nil
}

func (p *program) writeReport(name string, r suite.Result, write func(io.Writer, suite.Result) error) (err error) {
	if name == "-" {
		return write(p.stdout, r)
	}
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return write(f, r)
}

// tableMetrics are the columns of the table on the terminal.
var tableMetrics = [...]string{"ndcg@10", "recall@100", "hit@3", "answer@500", "answer@1000", "answer@2000", "answer@4000", "citation_precision", "superseded_error"}

func printResult(out io.Writer, r suite.Result) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "run\tquestions\tleaks\t")
	for _, m := range tableMetrics {
		fmt.Fprintf(w, "%s\t", m)
	}
	fmt.Fprintln(w, "p50 ms\tp95 ms\t")
	for _, run := range r.Runs {
		fmt.Fprintf(w, "%s\t%d\t%d\t", run.Name(), run.Queries, run.Leaks)
		for _, m := range tableMetrics {
			if x, ok := run.Metrics[m]; ok {
				fmt.Fprintf(w, "%.4f\t", x)
			} else {
				fmt.Fprint(w, "-\t")
			}
		}
		fmt.Fprintf(w, "%.2f\t%.2f\t\n", run.LatencyMS.P50, run.LatencyMS.P95)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	printAnswers(out, r.Answers)
	if r.Baseline != nil {
		printAnswers(out, *r.Baseline)
	}
	return nil
}

func printAnswers(out io.Writer, a suite.Answers) {
	if a.All.Questions == 0 {
		return
	}
	fmt.Fprintf(out, "\n%s: accuracy %.4f (%.4f if refusing an answerable question is an error) of %d; abstains below %.3f, F1 %.4f on the half that gave the threshold, %.4f on the other (%.4f with the halves swapped)\n",
		a.System, a.All.Accuracy, a.All.Strict, a.All.Questions, a.All.Threshold, a.Calibrated.F1, a.HeldOut.F1, a.Swapped.F1)
	for _, s := range a.Sets {
		fmt.Fprintf(out, "  %s: accuracy %.4f, abstention precision %.4f, recall %.4f, F1 %.4f (%d of %d cannot be answered)\n",
			s.Set, s.Accuracy, s.Precision, s.Recall, s.F1, s.Unanswerable, s.Questions)
	}
}

// printGates writes the gates that failed, and returns exit code 1 if any did.
func printGates(out io.Writer, r suite.Result) error {
	fmt.Fprintf(out, "\n%d gates, %d failed\n", len(r.Gates), r.GatesFailed)
	for _, g := range r.Gates {
		if g.Passed {
			continue
		}
		fmt.Fprintf(out, "FAILED %s %s: %s\n", g.Kind, g.Name, g.Message)
		for _, q := range g.Worst {
			fmt.Fprintf(out, "       %s\n", q)
		}
	}
	if r.GatesFailed > 0 {
		return exitError{code: exitFailed}
	}
	return nil
}
