package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// jsonFlag adds the flag --json FILE, which is the same in every command.
func jsonFlag(cmd *cobra.Command, file *string) {
	cmd.Flags().StringVar(file, "json", "", "write the result as JSON to `FILE` (- is standard output)")
}

// writeJSON writes v to the file, or to standard output for "-".
func (p *program) writeJSON(file string, v any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("encode result: %w", err)
	}
	if file == "-" {
		_, err := p.stdout.Write(b.Bytes())
		return err
	}
	// Others on the machine may not read what this person may, or a new key.
	if err := os.WriteFile(p.path(file), b.Bytes(), 0o600); err != nil {
		return fmt.Errorf("write result: %w", err)
	}
	return nil
}

// humanOut returns where text for people goes: standard error when standard
// output carries JSON.
func (p *program) humanOut(jsonFile string) io.Writer {
	if jsonFile == "-" {
		return p.stderr
	}
	return p.stdout
}

// logger returns where operators are told what no answer says: JSON lines on
// standard error, warnings and worse.
func (p *program) logger() *slog.Logger {
	return slog.New(slog.NewJSONHandler(p.stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
}

// watched remembers that a write failed, so that output which is printed
// without a look at the error is not lost in silence.
type watched struct {
	io.Writer
	err error
}

func (w *watched) Write(b []byte) (int, error) {
	n, err := w.Writer.Write(b)
	if w.err == nil {
		w.err = err
	}
	return n, err
}

// isTerminal reports whether w is a terminal.
func isTerminal(w io.Writer) bool {
	for out, ok := w.(*watched); ok; out, ok = w.(*watched) {
		w = out.Writer
	}
	if far, ok := w.(remote); ok {
		return far.terminal
	}
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
