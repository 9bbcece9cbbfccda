package main

import (
	"io"
	"testing"

	"github.com/spf13/cobra"
)

// TestEveryCommandHasAnExample: `ken help COMMAND` shows how it is called.
func TestEveryCommandHasAnExample(t *testing.T) {
	p := &program{stdout: io.Discard, stderr: io.Discard, getenv: func(string) string { return "" }}
	n := 0
	var look func(*cobra.Command)
	look = func(cmd *cobra.Command) {
		n++
		if cmd.Example == "" && cmd.Name() != "help" && cmd.Parent().Name() != "completion" {
			t.Errorf("ken help%s shows no example", commandPath(cmd))
		}
		for _, sub := range cmd.Commands() {
			look(sub)
		}
	}
	look(p.root())
	if n < 40 {
		t.Errorf("only %d commands were seen", n)
	}
}
