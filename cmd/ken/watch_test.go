package main

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// startWatch runs ken watch until the test ends, and returns what it prints.
func startWatch(t *testing.T, data string) *bufio.Reader {
	t.Helper()
	watcher := ken(t, data, "watch", "--every", "1h")
	out, err := watcher.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	watcher.Stderr = os.Stderr
	if err := watcher.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = watcher.Process.Signal(os.Interrupt)
		if err := watcher.Wait(); err != nil {
			t.Errorf("the watcher ended with %v after an interrupt", err)
		}
	})
	return bufio.NewReader(out)
}

// TestWatch shows that a served knowledge base follows its folder: what is written
// there is found, and a policy that closes it is in force.
func TestWatch(t *testing.T) {
	data, folder := filepath.Join(t.TempDir(), "data"), folderOf(t, "Parental leave is sixteen weeks.")
	mustRun(t, ken(t, data, "ingest", folder, "--name", "kb", "--owner", "user:ann"))
	key := mustRun(t, ken(t, data, "keys", "create", "--as", "user:ann"))
	url := startServer(t, data)

	lines := startWatch(t, data)
	after := func(change func() error, want int) {
		t.Helper()
		if err := change(); err != nil {
			t.Fatal(err)
		}
		if line, err := lines.ReadString('\n'); err != nil || !strings.Contains(line, "kb: ") {
			t.Fatalf("the watcher says %q, %v", line, err)
		}
		answer, err := callSearch(t.Context(), url, key, "parental leave")
		if err != nil || len(answer.Results) != want {
			t.Fatalf("ann gets %d results, %v; want %d", len(answer.Results), err, want)
		}
	}

	// The first run finds what changed while nobody watched.
	write := func(name, text string) func() error {
		return func() error {
			path := filepath.Join(folder, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				return err
			}
			return os.WriteFile(path, []byte(text), 0o600)
		}
	}
	after(write("new/pause.md", "Contractors may pause instead of parental leave."), 2)
	after(write("new/deeper/more.md", "Another page on parental leave, in a folder that is new."), 3)
	after(func() error { return os.Rename(filepath.Join(folder, "new"), filepath.Join(t.TempDir(), "moved")) }, 1)
	after(write(".ken/acl.yaml", "version: 1\nrules:\n  - {path: '**', allow: [user:bob]}\n"), 0)
	go io.Copy(io.Discard, lines)
}

// TestWatchDoesNotWaitForAnotherSource shows that a change of a folder, and so a
// revoke there, is taken in while a long look at a web site goes on, without and
// with a server.
func TestWatchDoesNotWaitForAnotherSource(t *testing.T) {
	for name, served := range map[string]bool{"alone": false, "served": true} {
		t.Run(name, func(t *testing.T) {
			blocked, release, asked := atomic.Bool{}, make(chan struct{}), make(chan struct{}, 1)
			site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if blocked.Load() {
					select {
					case asked <- struct{}{}:
					default:
					}
					select {
					case <-release:
					case <-r.Context().Done():
					}
				}
				if r.URL.Path != "/docs/" {
					http.NotFound(w, r)
					return
				}
				w.Header().Set("Content-Type", "text/html")
				io.WriteString(w, "<main><p>A site about parental leave.</p></main>")
			}))
			t.Cleanup(site.Close)
			data, folder := filepath.Join(t.TempDir(), "data"), folderOf(t, "Parental leave is sixteen weeks.")
			mustRun(t, ken(t, data, "ingest", folder, "--name", "kb", "--owner", "user:ann"))
			mustRun(t, ken(t, data, "ingest", site.URL+"/docs/", "--name", "site", "--allow-private", "127.0.0.1", "--owner", "user:ann"))
			if served {
				mustRun(t, ken(t, data, "keys", "create", "--as", "user:ann"))
				startServer(t, data)
			}
			blocked.Store(true)
			lines := startWatch(t, data)
			<-asked
			if err := os.WriteFile(filepath.Join(folder, "pause.md"), []byte("Contractors may pause."), 0o600); err != nil {
				t.Fatal(err)
			}
			if line, err := lines.ReadString('\n'); err != nil || !strings.Contains(line, "kb: 1 changed") {
				t.Errorf("the watcher says %q, %v", line, err)
			}
			close(release)
			go io.Copy(io.Discard, lines)
		})
	}
}

// A run that was refused before it began is not told as the run before it.
func TestRefusedRunsTellNothingOfTheLast(t *testing.T) {
	data, folder := filepath.Join(t.TempDir(), "data"), folderOf(t, "Parental leave is sixteen weeks.")
	var out bytes.Buffer
	env := map[string]string{"KEN_DATA": data, "USER": "ann"}
	p := &program{stdin: strings.NewReader(""), stdout: &out, stderr: io.Discard, getenv: func(name string) string { return env[name] }, now: time.Now}
	if code := p.run(t.Context(), []string{"ingest", folder, "--name", "kb", "--owner", "user:ann"}); code != exitOK {
		t.Fatalf("exit code %d", code)
	}
	for range 2 { // the first closes the source, the second finds it closed
		out.Reset()
		put(t, filepath.Join(folder, ".ken", "acl.yaml"), "rules: [")
		if p.refresh(t.Context(), "kb", nil); out.Len() > 0 {
			t.Errorf("%q", out.String())
		}
	}
	l, err := p.ledger()
	if err != nil || l["kb"].Doubt == nil {
		t.Errorf("the source is not closed: %v", err)
	}
}
