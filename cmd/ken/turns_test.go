package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// heldEmbedder holds the first request about a text until it is let go.
func heldEmbedder(t *testing.T, about string) (at string, held <-chan struct{}, letGo func()) {
	t.Helper()
	to, err := url.Parse(fakeEmbedder(t, false))
	if err != nil {
		t.Fatal(err)
	}
	to.Path = ""
	proxy := httputil.NewSingleHostReverseProxy(to)
	came, free := make(chan struct{}), make(chan struct{})
	var first, once sync.Once
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		if bytes.Contains(body, []byte(about)) {
			wait := false
			first.Do(func() { wait = true; close(came) })
			if wait {
				<-free
			}
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		proxy.ServeHTTP(w, r)
	}))
	letGo = func() { once.Do(func() { close(free) }) }
	t.Cleanup(func() { letGo(); s.Close() })
	return s.URL + "/v1", came, letGo
}

// heldRun is a server with a source of which a run goes on, which has read a new version
// of its document and waits for the embedder. again runs it once more; bob may read.
type heldRun struct {
	t            *testing.T
	data, folder string
	url, bob     string
	again        []string
	first        *exec.Cmd
	letGo        func()
}

func holdRun(t *testing.T) *heldRun {
	t.Helper()
	h := &heldRun{t: t, data: filepath.Join(t.TempDir(), "data"), folder: folderOf(t, "Parental leave is sixteen weeks.")}
	h.readers("bob")
	at, held, letGo := heldEmbedder(t, "otter")
	h.letGo, h.again = letGo, []string{"ingest", h.folder, "--name", "kb"}
	mustRun(t, ken(t, h.data, append(h.again, "--embedder", "openai", "--embed-url", at, "--embed-model", "m")...))
	h.bob = mustRun(t, ken(t, h.data, "keys", "create", "--as", "user:bob"))
	h.url = startServer(t, h.data)
	put(t, filepath.Join(h.folder, "leave.md"), "Parental leave, and an otter.")
	h.first = ken(t, h.data, h.again...)
	if err := h.first.Start(); err != nil {
		t.Fatal(err)
	}
	<-held
	return h
}

func (h *heldRun) readers(who string) {
	h.t.Helper()
	put(h.t, filepath.Join(h.folder, ".ken", "acl.yaml"), "version: 1\ndefault: {allow: [user:"+who+"]}\n")
}

// meanwhile runs a command, lets the run that is held go when the command waits or
// has ended, and waits for both.
func (h *heldRun) meanwhile(args ...string) {
	h.t.Helper()
	cmd := ken(h.t, h.data, args...)
	pipe, err := cmd.StderrPipe()
	if err != nil {
		h.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	says := bufio.NewReader(pipe)
	line, _ := says.ReadString('\n') // "" if it has ended
	h.letGo()
	if !strings.Contains(line, "waiting for the run of kb") {
		h.t.Errorf("ken %s said %q", args[0], line)
	}
	rest, _ := io.ReadAll(says)
	if err := errors.Join(h.first.Wait(), cmd.Wait()); err != nil {
		h.t.Fatalf("%v\n%s", err, rest)
	}
}

// results is how many documents bob gets.
func (h *heldRun) results() int {
	h.t.Helper()
	answer, err := callSearch(h.t.Context(), h.url, h.bob, "parental leave")
	if err != nil {
		h.t.Fatal(err)
	}
	return len(answer.Results)
}

// A run that had read the permissions of before does not write them over those that
// a later run was done with.
func TestRunsOfOneSourceTakeTurns(t *testing.T) {
	h := holdRun(t)
	h.readers("ann")
	h.meanwhile(h.again...)
	if n := h.results(); n != 0 {
		t.Errorf("bob, who may not read since the second run, gets %d results", n)
	}
}

// What was deleted with a receipt is not brought back by a run that went on.
func TestDeletingASourceWaitsForItsRun(t *testing.T) {
	h := holdRun(t)
	h.meanwhile("delete", "--source", "kb", "--all", "--reason", "moved")
	if n := h.results(); n != 0 {
		t.Errorf("%d results after the receipt", n)
	}
}
