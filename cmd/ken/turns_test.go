package main

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
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

// A run that had read the permissions of before does not write them over those that
// a later run was done with.
func TestRunsOfOneSourceTakeTurns(t *testing.T) {
	data, folder := filepath.Join(t.TempDir(), "data"), folderOf(t, "Parental leave is sixteen weeks.")
	readers := func(who string) {
		t.Helper()
		put(t, filepath.Join(folder, ".ken", "acl.yaml"), "version: 1\ndefault: {allow: [user:"+who+"]}\n")
	}
	readers("bob")
	at, held, letGo := heldEmbedder(t, "otter")
	again := []string{"ingest", folder, "--name", "kb"}
	mustRun(t, ken(t, data, append(again, "--embedder", "openai", "--embed-url", at, "--embed-model", "m")...))
	bob := mustRun(t, ken(t, data, "keys", "create", "--as", "user:bob"))
	url := startServer(t, data)
	put(t, filepath.Join(folder, "leave.md"), "Parental leave, and an otter.")

	first := ken(t, data, again...)
	var firstSays bytes.Buffer
	first.Stdout, first.Stderr = &firstSays, &firstSays
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	<-held
	readers("ann")
	second := ken(t, data, again...)
	says, err := second.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Start(); err != nil {
		t.Fatal(err)
	}
	line, _ := bufio.NewReader(says).ReadString('\n') // it waits, or it has ended
	letGo()
	if err := first.Wait(); err != nil {
		t.Fatalf("the first run: %v\n%s", err, firstSays.String())
	}
	if err := second.Wait(); err != nil {
		t.Fatalf("the second run: %v\n%s", err, line)
	}
	if !strings.Contains(line, "waiting for the run of kb") {
		t.Errorf("the second run said %q", line)
	}
	if answer, err := callSearch(t.Context(), url, bob, "parental leave"); err != nil || len(answer.Results) != 0 {
		t.Errorf("bob, who may not read since the second run, gets %d results, %v", len(answer.Results), err)
	}
}
