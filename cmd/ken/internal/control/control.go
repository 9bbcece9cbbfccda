package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// ErrNobody says that no process takes commands for the directory.
var ErrNobody = errors.New("no process takes commands")

// Request is a command to run.
type Request struct {
	Args   []string `json:"args"`                // behind the program's name
	Dir    string   `json:"dir"`                 // the client's working directory
	Env    []string `json:"env"`                 // the client's environment
	OutTTY bool     `json:"stdout_tty,omitzero"` // standard output is a terminal
	ErrTTY bool     `json:"stderr_tty,omitzero"`
}

// Streams are what a command reads and writes. A client's In may be nil: a command
// that reads nothing must not take what its terminal was typed.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// reply is one line of an answer: a piece of output or the end.
type reply struct {
	Out  []byte `json:"out,omitempty"`
	Err  []byte `json:"err,omitempty"`
	Exit *int   `json:"exit,omitempty"`
}

// Run runs a command and returns its exit code. It must end when its context does,
// which is when the client has gone.
type Run func(ctx context.Context, r Request, s Streams) int

const (
	socketName = "control.sock"
	askWithin  = 5 * time.Second // a client that connects and says nothing is dropped
	lastWords  = time.Second     // what a command prints when the server ends
)

// Listen makes the socket in the data directory. The caller holds the directory's
// lock, so that a socket which is there already was left behind.
func Listen(dir string) (net.Listener, error) {
	path, done, err := short(dir)
	if err != nil {
		return nil, err
	}
	defer done()
	if err := os.Remove(filepath.Join(dir, socketName)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("take commands: %w", err)
	}
	l.SetUnlinkOnClose(false)
	if err := os.Chmod(filepath.Join(dir, socketName), 0o600); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return &listener{l, filepath.Join(dir, socketName)}, nil
}

// listener removes its socket under its own name, which is not the one that it
// was bound to.
type listener struct {
	*net.UnixListener
	path string
}

func (l *listener) Close() error {
	_ = os.Remove(l.path) // what stays behind is taken for that by the next Listen
	return l.UnixListener.Close()
}

// Serve runs the commands that arrive until the context ends, and returns when the
// last of them has.
func Serve(ctx context.Context, l net.Listener, run Run) {
	var commands sync.WaitGroup
	defer commands.Wait()
	defer context.AfterFunc(ctx, func() { l.Close() })()
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		commands.Go(func() { answer(ctx, conn, run) })
	}
}

func answer(ctx context.Context, conn net.Conn, run Run) {
	defer conn.Close()
	if !sameUser(conn) {
		return
	}
	_ = conn.SetReadDeadline(time.Now().Add(askWithin))
	dec := json.NewDecoder(conn)
	var r Request
	if err := dec.Decode(&r); err != nil {
		return
	}
	_ = conn.SetReadDeadline(time.Time{})
	// A client that does not read must not keep the server from ending.
	defer context.AfterFunc(ctx, func() { _ = conn.SetWriteDeadline(time.Now().Add(lastWords)) })()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	in, feed := io.Pipe()
	defer in.Close()
	go input(io.MultiReader(dec.Buffered(), conn), feed, cancel)
	w := &replies{enc: json.NewEncoder(conn), gone: cancel}
	code := run(ctx, r, Streams{in,
		stream(func(b []byte) error { return w.send(reply{Out: b}) }),
		stream(func(b []byte) error { return w.send(reply{Err: b}) })})
	_ = w.send(reply{Exit: &code})
}

// input hands the pieces of standard input to the command. What ends without
// saying so is a client that has gone.
func input(from io.Reader, feed *io.PipeWriter, gone context.CancelFunc) {
	dec := json.NewDecoder(from)
	for {
		var piece []byte
		if err := dec.Decode(&piece); err != nil {
			gone()
			feed.CloseWithError(io.ErrUnexpectedEOF)
			return
		}
		if piece == nil {
			feed.Close()
			continue
		}
		_, _ = feed.Write(piece) // a command that reads no more is no reason to stop watching
	}
}

// replies sends one reply at a time.
type replies struct {
	mu   sync.Mutex
	enc  *json.Encoder
	gone context.CancelFunc
}

func (r *replies) send(one reply) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	err := r.enc.Encode(one)
	if err != nil {
		r.gone()
	}
	return err
}

type stream func([]byte) error

func (s stream) Write(b []byte) (int, error) {
	if err := s(b); err != nil {
		return 0, err
	}
	return len(b), nil
}

// Call has the command run by the process that holds the directory and returns
// its exit code; [ErrNobody] if none takes commands.
func Call(ctx context.Context, dir string, r Request, s Streams) (int, error) {
	path, done, err := short(dir)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrNobody, err)
	}
	defer done()
	conn, err := new(net.Dialer).DialContext(ctx, "unix", path)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrNobody, err)
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	enc := json.NewEncoder(conn)
	if err := enc.Encode(r); err != nil {
		return 0, fmt.Errorf("hand over the command: %w", err)
	}
	if s.In != nil {
		go output(s.In, enc)
	}
	code, err := copyReplies(json.NewDecoder(conn), s.Out, s.Err)
	if err != nil && ctx.Err() != nil {
		return 0, ctx.Err()
	}
	return code, err
}

// output sends standard input in pieces, and null at its end.
func output(in io.Reader, enc *json.Encoder) {
	buf := make([]byte, 32<<10)
	for {
		n, err := in.Read(buf)
		if n > 0 && enc.Encode(buf[:n]) != nil {
			return
		}
		if err != nil {
			_ = enc.Encode(nil)
			return
		}
	}
}

func copyReplies(in *json.Decoder, stdout, stderr io.Writer) (int, error) {
	for {
		var r reply
		if err := in.Decode(&r); err != nil {
			return 0, errors.New("the server ended before the command did: look with `ken check` what was done")
		}
		if r.Exit != nil {
			return *r.Exit, nil
		}
		if err := print(stdout, r.Out); err != nil {
			return 0, err
		}
		if err := print(stderr, r.Err); err != nil {
			return 0, err
		}
	}
}

func print(w io.Writer, b []byte) error {
	if len(b) == 0 {
		return nil
	}
	_, err := w.Write(b)
	return err
}
