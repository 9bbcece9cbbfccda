package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// TestCommandsWhileServing shows that a served knowledge base can be changed, and
// that a change is in force for the server's clients when the command returns.
func TestCommandsWhileServing(t *testing.T) {
	// Longer than a socket's name may be.
	data := filepath.Join(t.TempDir(), strings.Repeat("d", 100), "data")
	folder := folderOf(t, "Parental leave is sixteen weeks.")
	mustRun(t, ken(t, data, "ingest", folder, "--name", "kb", "--owner", "user:ann"))
	bob := mustRun(t, ken(t, data, "keys", "create", "--as", "user:bob"))
	url := startServer(t, data)
	reads := func(want int) {
		t.Helper()
		answer, err := callSearch(t.Context(), url, bob, "parental leave")
		if err != nil || len(answer.Results) != want {
			t.Fatalf("bob gets %d results, %v; want %d", len(answer.Results), err, want)
		}
	}

	reads(0)
	mustRun(t, ken(t, data, "acl", "grant", "--to", "user:bob", "kb/leave.md"))
	reads(1)
	mustRun(t, ken(t, data, "acl", "revoke", "--from", "user:bob", "kb/leave.md"))
	reads(0)

	if err := os.WriteFile(filepath.Join(folder, "pause.md"), []byte("Contractors may pause instead of parental leave."), 0o600); err != nil {
		t.Fatal(err)
	}
	// The folder and the summary are named as they lie for the one who asks.
	cmd := ken(t, data, "ingest", filepath.Base(folder), "--name", "kb", "--owner", "user:bob", "--json", "summary.json")
	cmd.Dir = filepath.Dir(folder)
	mustRun(t, cmd)
	if summary, err := os.ReadFile(filepath.Join(cmd.Dir, "summary.json")); err != nil || !bytes.Contains(summary, []byte(`"added": 1`)) {
		t.Errorf("summary: %s, %v; want one document added", summary, err)
	}
	reads(1)

	if out := mustRun(t, ken(t, data, "search", "--as", "user:bob", "leave")); !strings.Contains(out, "kb/pause.md") {
		t.Errorf("search while serving: %q", out)
	}
	cmd = ken(t, data, "search", "--params", "params.yaml", "--as", "user:bob", "leave")
	cmd.Dir = filepath.Dir(folder)
	if err := os.WriteFile(filepath.Join(cmd.Dir, "params.yaml"), []byte("version: 1\nparams:\n  title: 2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	mustRun(t, cmd)
	exit, ok := errors.AsType[*exec.ExitError](ken(t, data, "acl", "explain", "--as", "user:eve", "kb/pause.md").Run())
	if !ok || exit.ExitCode() != exitFailed {
		t.Errorf("explain ended with %v, want exit code %d", exit, exitFailed)
	}
	if exit, ok = errors.AsType[*exec.ExitError](ken(t, data, "search", "--limit", "0", "x").Run()); !ok || exit.ExitCode() != exitUsage {
		t.Errorf("a wrong command line ended with %v, want exit code %d", exit, exitUsage)
	}
	if out := mustRun(t, ken(t, data, "check")); !strings.Contains(out, "all agree") {
		t.Errorf("check while serving: %q", out)
	}
}

// TestTwoAssistants shows that two programs on one machine can each start ken
// over stdio on the same data directory.
func TestTwoAssistants(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	mustRun(t, ken(t, data, "ingest", folderOf(t, "Parental leave is sixteen weeks."), "--owner", "user:ann"))
	first := &mcp.CommandTransport{Command: ken(t, data, "serve", "--stdio", "--as", "user:ann")}
	session, err := mcp.NewClient(&mcp.Implementation{Name: "first", Version: "1"}, nil).Connect(t.Context(), first, nil)
	if err != nil {
		t.Fatal(err)
	}
	for who, want := range map[string]bool{"user:ann": true, "user:bob": false} {
		second := &mcp.CommandTransport{Command: ken(t, data, "serve", "--stdio", "--as", who)}
		if got := strings.Contains(ask(t, second), "sixteen weeks"); got != want {
			t.Errorf("%s: answer holds the passage: %v, want %v", who, got, want)
		}
	}
	if err := session.Close(); err != nil {
		t.Error(err)
	}
	alone := ken(t, data, "check")
	for range 50 { // the first may take a moment to end
		if _, err := os.Stat(filepath.Join(data, "control.sock")); err != nil {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	mustRun(t, alone)
}
