package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"ken/cmd/ken/internal/config"
	"ken/corpora/policy"
	"ken/retrieval"
)

// version is set when the binary is built (see the Makefile).
var version = "dev"

// Exit codes.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitQuarantined = 3 // the run went through, but some documents were refused
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends a process that does not end by itself
	p := &program{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, getenv: os.Getenv, now: time.Now}
	code := p.run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

// program is what a command may touch of the process it runs in.
type program struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	getenv         config.Getenv
	now            func() time.Time

	data    string // the data directory, from --data
	process string // what other processes are told: "ken serve"

	// A command that another process sent here (see handover.go).
	host   *host
	dir    string // working directory of who sent it
	books  sync.Mutex
	book   *policy.Book // of the data directory bookOf; see overrides
	bookOf string
}

// exitError carries an exit code; its error, if any, has yet to be printed.
type exitError struct {
	code int
	err  error
}

func (e exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit %d", e.code)
	}
	return e.err.Error()
}

func (e exitError) Unwrap() error { return e.err }

// usage marks an error in how the command was called.
func usage(format string, args ...any) error {
	return exitError{exitUsage, fmt.Errorf(format, args...)}
}

// run executes one command line and returns its exit code.
func (p *program) run(ctx context.Context, args []string) int {
	out := &watched{Writer: p.stdout}
	p.stdout = out
	root := p.root()
	root.SetArgs(args)
	root.SetIn(p.stdin)
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	cmd, err := root.ExecuteContextC(ctx)
	if code, done := p.handOver(ctx, cmd, args, err); done {
		return code
	}
	if err == nil && out.err != nil {
		err = fmt.Errorf("write result: %w", out.err)
	}
	if err == nil {
		return exitOK
	}
	code := exitFailed
	if isUsage(err) {
		code = exitUsage
	}
	if e, ok := errors.AsType[exitError](err); ok {
		if code = e.code; e.err == nil {
			return code
		}
	}
	p.report(cmd, code, err)
	return code
}

// report tells whoever ran the command why it failed.
func (p *program) report(cmd *cobra.Command, code int, err error) {
	fmt.Fprintf(p.stderr, "ken: %s\n", visible(err.Error())) // it may quote a document or a service
	if code == exitUsage {
		fmt.Fprintf(p.stderr, "See `ken help%s`.\n", commandPath(cmd))
	}
}

// isUsage reports whether err is about what was asked for: a request that can
// never be answered, or a flag that is missing, for which cobra has no type.
func isUsage(err error) bool {
	return errors.Is(err, retrieval.ErrQuery) || strings.HasPrefix(err.Error(), "required flag(s)")
}

// commandPath returns the command's name behind "ken", with a leading space.
func commandPath(cmd *cobra.Command) string {
	return cmd.CommandPath()[len("ken"):]
}

func (p *program) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "ken",
		Short: "Search a knowledge base for exactly what the asking person may read",
		Long: `ken ingests documents with their permissions into a hybrid BM25 and vector index,
and serves them to assistants over the Model Context Protocol: every person gets
exactly the passages that this person may read, as if nothing else existed.

Exit codes: 0 all went well, 1 it failed, 2 the command line is wrong,
3 the ingest went through but refused some documents.`,
		Example: `  ken demo
  ken ingest ~/handbook
  ken search "how much parental leave do I get"
  ken serve --stdio`,
		Version:       version,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usage("%w", err) })
	root.PersistentFlags().StringVar(&p.data, "data", "", "data directory (default: $KEN_DATA or the platform's place)")
	memory := root.PersistentFlags().String("memory", defaultMemory, "most memory of the process, index files aside; 0 is no limit")
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error {
		p.process = cmd.CommandPath()
		return p.setMemory(*memory, cmd.Flags().Changed("memory"))
	}
	root.AddCommand(
		p.demoCommand(), p.ingestCommand(), p.searchCommand(), p.fetchCommand(), p.versionsCommand(), p.verifyCommand(),
		p.serveCommand(), p.protectCommand(), p.keysCommand(), p.aclCommand(), p.auditCommand(), p.checkCommand(), p.indexCommand(), p.evalCommand(),
		p.exportCommand(), p.importCommand(), p.deleteCommand(), p.retentionCommand(), p.receiptCommand(),
		p.sourcesCommand(), p.quarantineCommand(), p.watchCommand(),
	)
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		if cmd.Name() == "completion" {
			cmd.Example = "  ken completion bash > /etc/bash_completion.d/ken\n  ken completion zsh > \"${fpath[1]}/_ken\""
		}
	}
	markUsageErrors(root)
	return root
}

// markUsageErrors makes wrong arguments usage errors in every command.
func markUsageErrors(cmd *cobra.Command) {
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if err := check(cmd, args); err != nil {
				return usage("%w: want `%s`", err, cmd.UseLine())
			}
			return nil
		}
	}
	if cmd.HasSubCommands() && cmd.Run == nil && cmd.RunE == nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usage("unknown command %q for %q", args[0], cmd.CommandPath())
			}
			return nil
		}
		cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	}
	for _, sub := range cmd.Commands() {
		markUsageErrors(sub)
	}
}

// dataDir returns the data directory in force.
func (p *program) dataDir() (string, error) {
	if p.host != nil {
		return p.host.dir, nil
	}
	if p.data != "" {
		return p.data, nil
	}
	return config.DataDir(p.getenv)
}
