package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"ken/retrieval"
)

// TestVerify takes the citation of an answer through the life of its document.
func TestVerify(t *testing.T) {
	data, dir := filepath.Join(t.TempDir(), "data"), folderOf(t, "# Leave\n\nParental leave is sixteen weeks.\n")
	mustRun(t, ken(t, data, "ingest", dir, "--name", "h", "--owner", "user:ann"))
	var c retrieval.Citation
	search := func() {
		t.Helper()
		var answer retrieval.Response
		if err := json.Unmarshal([]byte(mustRun(t, ken(t, data, "search", "--as", "user:ann", "--json", "-", "parental leave"))), &answer); err != nil {
			t.Fatal(err)
		}
		c = answer.Results[0].Passages[0].Citation
	}
	search()
	verify := func(who string) (string, int) {
		out, err := ken(t, data, "verify", string(c.Document), "--as", who, "--span", fmt.Sprintf("%d-%d", c.Span.Start, c.Span.End),
			"--sha256", c.Hash, "--version", c.Version).Output()
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			return string(out), exit.ExitCode()
		}
		return string(out), 0
	}
	expect := func(when, who, want string, wantCode int) {
		t.Helper()
		if out, code := verify(who); out != want || code != wantCode {
			t.Errorf("%s: %q, exit code %d; want %q, %d", when, out, code, want, wantCode)
		}
	}
	change := func(text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, "leave.md"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		mustRun(t, ken(t, data, "ingest", dir, "--name", "h", "--owner", "user:ann"))
	}
	expect("as it was", "user:ann", "unchanged\n", 0)
	expect("to whom may not read it", "user:bob", "not found\n", exitFailed)
	change("# Leave\n\nParental leave is eighteen weeks.\n")
	expect("another number", "user:ann", "changed\n", exitFailed)
	mustRun(t, ken(t, data, "ingest", dir, "--name", "h", "--owner", "user:ann", "--keep-versions", "2"))
	search()
	change("# Leave\n\nParental leave is twenty weeks.\n")
	expect("the version is kept", "user:ann", "unchanged in an earlier version\n", exitFailed)
	expect("a version of what may not be read", "user:bob", "not found\n", exitFailed)
	if text := mustRun(t, ken(t, data, "fetch", string(c.Document), "--as", "user:ann", "--version", c.Version)); !strings.Contains(text, "eighteen") {
		t.Errorf("the cited version reads %q", text)
	}
	if err := os.Remove(filepath.Join(dir, "leave.md")); err != nil {
		t.Fatal(err)
	}
	mustRun(t, ken(t, data, "ingest", dir, "--name", "h", "--owner", "user:ann"))
	expect("deleted", "user:ann", "not found\n", exitFailed)
}
