package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"ken/eval/feedback"
)

// feedbackFile is where ken serve --feedback records, in the data directory.
const feedbackFile = "feedback.jsonl"

func (p *program) evalFeedbackCommand() *cobra.Command {
	var file, corpus, source, out string
	cmd := &cobra.Command{
		Use:   "from-feedback --corpus FOLDER --out DIR",
		Short: "Make a set of recorded feedback",
		Long: `Make an evaluation set of what ken serve --feedback --feedback-queries recorded
about the documents of one folder. A document that somebody found useful is relevant
to the question, and one that people found useless alone is judged not to be. The
people are those who ask; the set links to the folder.`,
		Example: `  ken eval from-feedback --corpus ./handbook --out set && ken eval run --set set`,
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if file == "" {
				dir, err := p.dataDir()
				if err != nil {
					return err
				}
				file = filepath.Join(dir, feedbackFile)
			}
			return p.evalFeedback(file, corpus, cmp.Or(source, feedback.SourceOf(corpus)), out)
		},
	}
	f := cmd.Flags()
	f.StringVar(&file, "file", "", "the recorded `FILE` (default: feedback.jsonl in the data directory)")
	f.StringVar(&corpus, "corpus", "", "`FOLDER` of the documents")
	f.StringVar(&source, "source", "", "`NAME` of the folder's source (default: the folder's name)")
	f.StringVar(&out, "out", "", "new `DIR` for the set")
	cobra.CheckErr(cmd.MarkFlagRequired("corpus"))
	cobra.CheckErr(cmd.MarkFlagRequired("out"))
	return cmd
}

func (p *program) evalFeedback(file, corpus, source, out string) error {
	f, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("read feedback: %w", err)
	}
	defer f.Close()
	if info, err := os.Stat(corpus); err != nil || !info.IsDir() {
		return usage("--corpus %s is no folder", corpus)
	}
	records, broken, err := feedback.Read(f)
	if err != nil {
		return err
	}
	s, err := feedback.WriteSet(out, corpus, source, records)
	if err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "%d records: %d questions, %d judged documents, %d people; %d taken back later, %d without their question, %d of other sources, %d broken lines\n",
		len(records), s.Queries, s.Judged, s.Users, s.Replaced, s.NoText, s.Elsewhere, broken)
	return nil
}
