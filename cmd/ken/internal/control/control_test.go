package control

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// serving runs run for a new directory until the test ends.
func serving(t *testing.T, run Run) (dir string) {
	t.Helper()
	dir = t.TempDir()
	l, err := Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); Serve(ctx, l, run) }()
	t.Cleanup(func() { cancel(); <-done })
	return dir
}

func TestCall(t *testing.T) {
	dir := serving(t, func(_ context.Context, r Request, s Streams) int {
		in, err := io.ReadAll(s.In)
		if err != nil {
			t.Error(err)
		}
		_, _ = s.Out.Write(bytes.ToUpper(in))
		_, _ = io.WriteString(s.Err, strings.Join(r.Args, " ")+" in "+r.Dir)
		return 3
	})
	big := strings.Repeat("a line of input\n", 100_000)
	var out, stderr bytes.Buffer
	code, err := Call(t.Context(), dir, Request{Args: []string{"search", "x y"}, Dir: "/somewhere"}, Streams{strings.NewReader(big), &out, &stderr})
	if err != nil || code != 3 {
		t.Fatalf("code %d, %v; want 3", code, err)
	}
	if out.String() != strings.ToUpper(big) {
		t.Errorf("%d bytes came back, want %d", out.Len(), len(big))
	}
	if got := stderr.String(); got != "search x y in /somewhere" {
		t.Errorf("stderr %q", got)
	}
}

func TestCommandEndsWithItsClient(t *testing.T) {
	started, ended := make(chan bool), make(chan error, 1)
	dir := serving(t, func(ctx context.Context, _ Request, _ Streams) int {
		started <- true
		<-ctx.Done()
		ended <- ctx.Err()
		return 0
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-started; cancel() }()
	if _, err := Call(ctx, dir, Request{}, Streams{nil, io.Discard, io.Discard}); !errors.Is(err, context.Canceled) {
		t.Errorf("call: %v, want it cancelled", err)
	}
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the command ended with %v", err)
	}
}

// A client that was stopped while it prints does not keep the server from ending.
func TestServerEndsWithoutItsClients(t *testing.T) {
	dir, writing := t.TempDir(), make(chan bool)
	l, err := Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		Serve(ctx, l, func(_ context.Context, _ Request, s Streams) int {
			close(writing)
			for {
				if _, err := s.Out.Write(make([]byte, 1<<20)); err != nil {
					return 1
				}
			}
		})
	}()
	path, end, err := short(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer end()
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "{}\n"); err != nil {
		t.Fatal(err)
	}
	<-writing
	cancel()
	<-done
}

func TestNobody(t *testing.T) {
	dir := t.TempDir()
	call := func() error {
		_, err := Call(t.Context(), dir, Request{}, Streams{nil, io.Discard, io.Discard})
		return err
	}
	if err := call(); !errors.Is(err, ErrNobody) {
		t.Errorf("no socket: %v", err)
	}
	l, err := Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	// What a killed process leaves behind.
	if err := l.(*listener).UnixListener.Close(); err != nil {
		t.Fatal(err)
	}
	if err := call(); !errors.Is(err, ErrNobody) {
		t.Errorf("a socket that was left behind: %v", err)
	}
	if l, err = Listen(dir); err != nil {
		t.Fatalf("listen over what was left behind: %v", err)
	}
	l.Close()
}

func TestGarbageRunsNothing(t *testing.T) {
	dir := serving(t, func(context.Context, Request, Streams) int {
		t.Error("a command ran")
		return 0
	})
	path, done, err := short(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	for _, garbage := range []string{"", "x", "{", `{"args":1}`, "\x00\xff"} {
		conn, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(conn, garbage)
		_ = conn.(*net.UnixConn).CloseWrite()
		if got, _ := io.ReadAll(conn); len(got) > 0 {
			t.Errorf("%q is answered with %q", garbage, got)
		}
		conn.Close()
	}
}

func TestSocketIsForTheOwner(t *testing.T) {
	dir := serving(t, func(context.Context, Request, Streams) int { return 0 })
	info, err := os.Stat(filepath.Join(dir, socketName))
	if err != nil {
		t.Fatal(err)
	}
	if mode := info.Mode().Perm(); mode != 0o600 {
		t.Errorf("mode %o, want 600", mode)
	}
}
