package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"ken/tools/audit"
)

func (p *program) auditCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "audit",
		Short:   "Check what was written down with ken serve --audit",
		Example: "  ken audit verify audit.jsonl",
	}
	cmd.AddCommand(p.auditVerifyCommand())
	return cmd
}

func (p *program) auditVerifyCommand() *cobra.Command {
	var json, last string
	cmd := &cobra.Command{
		Use:   "verify FILE",
		Short: "Check that an audit log is as it was written",
		Long: `Check that no record of an audit log was changed, removed or inserted, and print how
many there are and the hash of the last.

A log whose end was cut off is a good shorter log: keep the last hash somewhere else,
and give it with --last to see that it still stands there. Exit code 1: it was changed.`,
		Example: `  ken audit verify audit.jsonl
  ken audit verify audit.jsonl --last 9f86d081…`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			f, err := os.Open(p.path(args[0]))
			if err != nil {
				return err
			}
			defer f.Close()
			sum, err := audit.VerifyWith(f, last)
			if err != nil {
				return err
			}
			if json != "" {
				return p.writeJSON(json, sum)
			}
			fmt.Fprintf(p.stdout, "records: %d, as they were written; documents that left: %d\nlast hash: %s\n", sum.Records, sum.Documents, sum.Last)
			return nil
		},
	}
	jsonFlag(cmd, &json)
	cmd.Flags().StringVar(&last, "last", "", "a `HASH` that was the last once")
	return cmd
}
