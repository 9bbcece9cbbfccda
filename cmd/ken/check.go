package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"ken/index/embedded"
)

func (p *program) checkCommand() *cobra.Command {
	var jsonFile string
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Prove that the index is whole",
		Long: `Read everything and compare: truth, postings and vectors must agree, without
orphans, and every checksum must hold. Exit code 1 if something is wrong.`,
		Example: `  ken check
  ken check --json -`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.check(cmd, jsonFile) },
	}
	jsonFlag(cmd, &jsonFile)
	return cmd
}

func (p *program) check(cmd *cobra.Command, jsonFile string) error {
	var report embedded.Report
	err := p.withStore(func(store *embedded.Store) (err error) {
		report, err = store.Check(cmd.Context())
		return err
	})
	if err != nil {
		return err
	}
	printCheck(p.humanOut(jsonFile), report)
	if jsonFile != "" {
		if err := p.writeJSON(jsonFile, report); err != nil {
			return err
		}
	}
	if len(report.Problems) > 0 {
		return exitError{code: exitFailed}
	}
	return nil
}

func printCheck(human io.Writer, report embedded.Report) {
	fmt.Fprintf(human, "%d documents, %d chunks, %d segments: ", report.Documents, report.Chunks, report.Segments)
	if len(report.Problems) == 0 {
		fmt.Fprintln(human, "all agree")
		return
	}
	fmt.Fprintf(human, "%d problems\n", len(report.Problems))
	for _, problem := range report.Problems {
		fmt.Fprintf(human, "  %s\n", problem)
	}
}
