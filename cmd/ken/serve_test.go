package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// ken runs a command of the test binary, which testscript made into ken.
func ken(t *testing.T, data string, args ...string) *exec.Cmd {
	t.Helper()
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "ken")
	if err := os.Symlink(self, name); err != nil {
		t.Skipf("SKIPPED: no symbolic links here: %v", err)
	}
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "KEN_DATA="+data)
	return cmd
}

func mustRun(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, stderr.String())
	}
	return strings.TrimSpace(string(out))
}

// folderOf writes a folder with one document.
func folderOf(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "leave.md"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func ask(t *testing.T, transport mcp.Transport) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	session, err := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil).Connect(ctx, transport, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	result, err := session.CallTool(ctx, &mcp.CallToolParams{Name: "search", Arguments: map[string]any{"query": "parental leave"}})
	if err != nil {
		t.Fatal(err)
	}
	return result.Content[0].(*mcp.TextContent).Text
}

func TestServeStdio(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	mustRun(t, ken(t, data, "ingest", folderOf(t, "Parental leave is sixteen weeks."), "--owner", "user:ann"))
	for who, want := range map[string]bool{"user:ann": true, "user:bob": false} {
		answer := ask(t, &mcp.CommandTransport{Command: ken(t, data, "serve", "--stdio", "--as", who)})
		if got := strings.Contains(answer, "sixteen weeks"); got != want {
			t.Errorf("%s: answer holds the passage: %v, want %v\n%s", who, got, want, answer)
		}
	}
}

// TestServeHTTP also shows that a second process is told who holds the data
// directory, and that a revoked key is refused from the next request.
func TestServeHTTP(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	mustRun(t, ken(t, data, "ingest", folderOf(t, "Parental leave is sixteen weeks."), "--owner", "user:ann"))
	annKey := mustRun(t, ken(t, data, "keys", "create", "--as", "user:ann"))
	bobKey := mustRun(t, ken(t, data, "keys", "create", "--as", "user:bob"))

	url := startServer(t, data)

	if answer, err := callSearch(t.Context(), url, annKey, "parental leave"); err != nil || len(answer.Results) != 1 {
		t.Errorf("ann: %+v, %v; want one result", answer, err)
	}
	if answer, err := callSearch(t.Context(), url, bobKey, "parental leave"); err != nil || len(answer.Results) != 0 {
		t.Errorf("bob: %+v, %v; want no result", answer, err)
	}
	if _, err := callSearch(t.Context(), url, annKey+"x", "parental leave"); err == nil {
		t.Error("a wrong key was accepted")
	}

	second := ken(t, data, "serve", "--http", "127.0.0.1:0")
	var stderr bytes.Buffer
	second.Stderr = &stderr
	if err := second.Run(); err == nil || !regexp.MustCompile(`in use by process \d+ \(ken serve\)`).MatchString(stderr.String()) {
		t.Errorf("a second server: %v, %q; want to be told who holds the directory", err, stderr.String())
	}

	id := strings.Split(annKey, "_")[1]
	mustRun(t, ken(t, data, "keys", "revoke", id))
	if _, err := callSearch(t.Context(), url, annKey, "parental leave"); err == nil {
		t.Error("a revoked key was accepted")
	}
}

// startServer runs ken serve --http until the test ends, and returns its URL. It
// must end well when it is interrupted.
func startServer(t *testing.T, data string) string {
	t.Helper()
	url, _ := startServerWith(t, data)
	return url
}

// startServerWith takes further flags, and returns the lines before the URL too.
func startServerWith(t *testing.T, data string, flags ...string) (url string, before []string) {
	t.Helper()
	server := ken(t, data, append([]string{"serve", "--http", "127.0.0.1:0"}, flags...)...)
	pipe, err := server.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Process.Signal(os.Interrupt); err != nil {
			t.Error(err)
		}
		if err := server.Wait(); err != nil {
			t.Errorf("the server ended with %v after an interrupt", err)
		}
	})
	for lines := bufio.NewReader(pipe); ; {
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		line = strings.TrimSpace(line)
		if url, ok := strings.CutPrefix(line, "listening on "); ok {
			return url, before
		}
		before = append(before, line)
	}
}

// Operators see calls and sources; what a stranger makes up becomes no label, and
// no web page reads them.
func TestServeMetrics(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	mustRun(t, ken(t, data, "ingest", folderOf(t, "Parental leave is sixteen weeks."), "--name", "people", "--owner", "user:ann"))
	key := mustRun(t, ken(t, data, "keys", "create", "--as", "user:ann"))
	url, before := startServerWith(t, data, "--metrics", "127.0.0.1:0")
	if len(before) != 1 {
		t.Fatalf("lines %q", before)
	}
	if _, err := callSearch(t.Context(), url, key, "parental leave"); err != nil {
		t.Fatal(err)
	}
	at := strings.TrimPrefix(before[0], "metrics at ")
	status, body := getAs(t, at, "")
	for _, want := range []string{
		`ken_calls_total{kind="",method="tools/call",tool="search"} 1`, `ken_call_duration_seconds_count{method="tools/call",tool="search"} 1`,
		`ken_source_quarantined_documents{source="people"} 0`, `ken_source_failed{source="people"} 0`, `ken_source_last_sync_timestamp_seconds{source="people"} 1`,
	} {
		if status != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("status %d, no %s in\n%s", status, want, body)
		}
	}
	if status, _ := getAs(t, at, "rebound.example.com"); status != http.StatusForbidden {
		t.Errorf("a request with another host's name: status %d", status)
	}
	refused := ken(t, data, "serve", "--stdio", "--metrics", "0.0.0.0:0")
	if out, err := refused.CombinedOutput(); err == nil || !strings.Contains(string(out), "refused") {
		t.Errorf("metrics for everybody: %v\n%s", err, out)
	}
}

func getAs(t *testing.T, url, host string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if host != "" {
		r.Host = host
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}
