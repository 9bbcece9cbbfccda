package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"ken/cmd/ken/internal/config"
	"ken/eval"
	"ken/eval/judge"
)

type judgeOptions struct {
	evalOptions
	judge    judge.Options
	personas []string
}

func (p *program) evalJudgeCommand() *cobra.Command {
	var o judgeOptions
	cmd := &cobra.Command{
		Use:   "judge --set DIR --url URL --model NAME",
		Short: "Have answers written and judged by a model",
		Long: `Pack the passages for every question of a set that has gold answers, have a model
write an answer from them alone, and have it judged several times against the gold.
Any OpenAI-compatible endpoint serves; its key is $KEN_JUDGE_KEY.

Every reply is recorded by the content of what was asked: a rerun asks only what is
new or failed before, and --replay asks nothing at all. Passages are sent to the
endpoint, so choose one that may see them. Exit code 1 says that questions failed.`,
		Example: `  ken eval judge --set corpora/sample --url http://localhost:11434/v1 --model llama3.1 --persona user:ines
  ken eval judge --set corpora/sample --model llama3.1 --replay --json judged.json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.evalJudge(cmd.Context(), o) },
	}
	jsonFlag(cmd, &o.json)
	embedderFlags(cmd, &o.embedder)
	f := cmd.Flags()
	f.StringVar(&o.set, "set", "", "`DIR` of the data set")
	f.StringVar(&o.judge.URL, "url", "", "`URL` of the endpoint, up to /v1")
	f.StringVar(&o.judge.Model, "model", "", "model that answers")
	f.StringVar(&o.judge.JudgeModel, "judge-model", "", "model that judges (default the same)")
	f.IntVar(&o.judge.Times, "times", 3, "judgements of every answer")
	f.IntVar(&o.judge.Workers, "workers", 4, "questions at once")
	f.DurationVar(&o.judge.Timeout, "timeout", 0, "of one request (default 1m)")
	f.StringVar(&o.judge.Recordings.Dir, "recordings", "recordings", "`DIR` for replies")
	f.BoolVar(&o.judge.Replay, "replay", false, "ask recordings only")
	f.Float64Var(&o.judge.PromptPrice, "prompt-price", 0, "`PRICE` of a million prompt tokens")
	f.Float64Var(&o.judge.CompletionPrice, "completion-price", 0, "`PRICE` of a million completion tokens")
	f.StringSliceVar(&o.personas, "persona", nil, "ask as these people only")
	modeFlag(cmd, &o.mode)
	o.flags.add(cmd)
	cobra.CheckErr(cmd.MarkFlagRequired("set"))
	cobra.CheckErr(cmd.MarkFlagRequired("model"))
	return cmd
}

func (p *program) evalJudge(ctx context.Context, o judgeOptions) error {
	cases, err := p.evalCases(ctx, o)
	if err != nil {
		return err
	}
	if len(cases) == 0 {
		return fmt.Errorf("the set does not say which of its questions have an answer: answers.jsonl needs answerability")
	}
	bar := newBar(p.stderr, "answers")
	o.judge.Key, o.judge.Progress = p.getenv(config.JudgeKeyVar), bar.show
	report, err := judge.Run(ctx, cases, o.judge)
	bar.finish()
	if err != nil {
		return err
	}
	if o.json != "" {
		if err := p.writeJSON(o.json, report); err != nil {
			return err
		}
	}
	return printJudged(p.humanOut(o.json), report)
}

// evalCases asks the questions of the set and returns what was packed for them.
func (p *program) evalCases(ctx context.Context, o judgeOptions) ([]eval.Case, error) {
	asked, err := p.evalOf(ctx, o.evalOptions)
	if err != nil {
		return nil, err
	}
	var cases []eval.Case
	bar := newBar(p.stderr, "questions")
	defer bar.finish()
	asked.Personas, asked.Budgets, asked.Progress = o.personas, []int{eval.AccuracyBudget}, bar.show
	asked.Case = func(c eval.Case) { cases = append(cases, c) }
	_, err = eval.Run(ctx, asked)
	return cases, err
}

// printJudged returns exit code 1 if a question failed.
func printJudged(out io.Writer, r judge.Report) error {
	fmt.Fprintf(out, "%d questions asked, %d failed; answers by %s, judged %d times by %s, prompts %s\n\n", r.Asked, r.Failed, r.Model, r.Times, r.JudgeModel, r.Prompts)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, row := range []struct {
		name string
		judge.Rate
	}{
		{"correct", r.Correct}, {"correct, of the answerable", r.Answered}, {"abstained, of the unanswerable", r.Abstained}, {"faithful, of the answers", r.Faithful},
	} {
		fmt.Fprintf(w, "%s\t%.4f\t95 %% interval %.4f to %.4f\t%d questions\n", row.name, row.Mean, row.Interval.Low, row.Interval.High, row.Questions)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	u := r.Usage
	fmt.Fprintf(out, "\nagreement %.4f, unanimous %.4f; %d requests (%d again), %d recorded replies, %d + %d tokens, cost %.4f\n",
		r.Agreement, r.Unanimous, u.Requests, u.Retries, u.Recorded, u.PromptTokens, u.CompletionTokens, u.Cost)
	if r.Failed == 0 {
		return nil
	}
	for _, o := range r.Outcomes {
		if o.Failed != "" {
			fmt.Fprintf(out, "FAILED %s %s: %s\n", o.Query, o.Persona, o.Failed)
		}
	}
	return exitError{code: exitFailed}
}
