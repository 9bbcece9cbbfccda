package main

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/spf13/cobra"

	"ken/cmd/ken/internal/control"
	"ken/cmd/ken/internal/wire"
	"ken/corpora/policy"
	"ken/index/embedded"
)

// host is an open knowledge base on which commands of other processes run.
type host struct {
	dir  string // data directory
	base *wire.Base
	book *policy.Book // what was said by hand, the same for all commands

	settings sync.Mutex // held while they are read and written again
	turns    turns
}

// takeCommands carries out the commands of other processes on this data directory
// until the returned function is called. Without a socket ken serves all the same.
func (p *program) takeCommands(ctx context.Context, kb *wire.Base) (stop func()) {
	h := &host{base: kb}
	var err error
	if h.dir, err = p.existingDir(); err == nil {
		h.dir, err = filepath.Abs(h.dir)
	}
	if err == nil {
		h.book, err = p.overrides()
	}
	listener, lerr := control.Listen(h.dir)
	if err = errors.Join(err, lerr); err != nil {
		p.logger().Warn("other ken commands must wait until this one ends", "err", err)
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		control.Serve(ctx, listener, h.run(p))
	}()
	return func() {
		cancel()
		<-done
	}
}

// run carries out one command as it would run in its own process, on the store
// that is open here.
func (h *host) run(here *program) control.Run {
	return func(ctx context.Context, r control.Request, s control.Streams) (code int) {
		defer func() { // a fault of one command is not the server's end
			if cause := recover(); cause != nil {
				here.logger().Error("a command failed", "command", r.Args, "cause", cause, "stack", string(debug.Stack()))
				code = exitFailed
			}
		}()
		p := &program{
			stdin: s.In, stdout: remote{s.Out, r.OutTTY}, stderr: remote{s.Err, r.ErrTTY},
			getenv: lookUp(r.Env), now: here.now, host: h, dir: r.Dir,
		}
		return p.run(ctx, r.Args)
	}
}

// lookUp reads an environment in the form of os.Environ.
func lookUp(env []string) func(string) string {
	return func(name string) string {
		for _, v := range env {
			if value, ok := strings.CutPrefix(v, name+"="); ok {
				return value
			}
		}
		return ""
	}
}

// remote is an output that is printed by another process.
type remote struct {
	io.Writer
	terminal bool
}

// handOver has a command that failed because a server holds the data directory
// carried out by that server, if it takes commands.
func (p *program) handOver(ctx context.Context, cmd *cobra.Command, args []string, failed error) (code int, done bool) {
	if _, held := errors.AsType[*embedded.InUseError](failed); !held || p.host != nil {
		return 0, false
	}
	r := control.Request{Args: args, Env: os.Environ(), OutTTY: isTerminal(p.stdout), ErrTTY: isTerminal(p.stderr)}
	s := control.Streams{Out: p.stdout, Err: p.stderr}
	if cmd.Name() == "serve" {
		if stdio, _ := cmd.Flags().GetBool("stdio"); !stdio {
			return 0, false // two servers, two addresses: not what was meant
		}
		s.In = p.stdin
	}
	var err error
	if r.Dir, err = os.Getwd(); err != nil {
		return 0, false
	}
	dir, err := p.dataDir()
	if err != nil {
		return 0, false
	}
	code, err = control.Call(ctx, dir, r, s)
	if errors.Is(err, control.ErrNobody) {
		return 0, false
	}
	if err != nil {
		p.report(cmd, exitFailed, err)
		return exitFailed, true
	}
	return code, true
}

// path is where a file lies that whoever sent the command named.
func (p *program) path(name string) string {
	if p.host == nil || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(p.dir, name)
}

// openBase opens the knowledge base, or shares the one that is open here.
func (p *program) openBase(ctx context.Context, o wire.Options) (*wire.Base, error) {
	if p.host != nil {
		return p.host.base.Share(o)
	}
	return wire.Open(ctx, o)
}

// openStore opens the store of a data directory without an embedder, or gives
// the one that is open here. closeStore ends its use.
func (p *program) openStore(dir string) (*embedded.Store, error) {
	if p.host != nil {
		return p.host.base.Store, nil
	}
	return embedded.Open(wire.IndexDir(dir), embedded.Options{Process: p.process, Clock: p.now, Memory: cacheMemory()})
}

func (p *program) closeStore(s *embedded.Store) error {
	if p.host != nil {
		return nil
	}
	return s.Close()
}

// transport speaks the protocol over the streams of a command from elsewhere.
func (h *host) transport(p *program) mcp.Transport {
	return &mcp.IOTransport{Reader: io.NopCloser(p.stdin), Writer: unclosed{p.stdout}}
}

// unclosed is a writer that another closes.
type unclosed struct{ io.Writer }

func (unclosed) Close() error { return nil }
