package main

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ken/eval/evaldata"
)

// handbookPolicy is what acl.jsonl of the set says, as a person would write it.
const handbookPolicy = `version: 1
default: deny
rules:
  - path: handbook-18f/pages/18f/**
    allow: [group:18f]
  - path: handbook-18f/pages/supervisor-resources/**
    allow: [group:supervisors]
  - path: handbook-18f/pages/performance-management/supervisor-resources.md
    allow: [group:supervisors]
  - path: "**"
    allow: [everyone]
`

// TestHandbook asks a real handbook real questions, as three people, through an
// MCP client over HTTP: the first three results hold the page, and no result
// ever is a page that the person may not read.
func TestHandbook(t *testing.T) {
	if testing.Short() {
		t.Skip("slow under the race detector, and a test of one goroutine: make test runs it")
	}
	set := evaldata.Dir(t, "handbook-18f")
	folder := t.TempDir()
	untar(t, filepath.Join(set, "tree.tar.gz"), folder)
	if err := os.MkdirAll(filepath.Join(folder, ".ken"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, ".ken", "acl.yaml"), []byte(handbookPolicy), 0o600); err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(t.TempDir(), "data")
	mustRun(t, ken(t, data, "ingest", folder, "--name", "h"))
	personas := readLines[persona](t, filepath.Join(set, "users.jsonl.gz"))
	for i, p := range personas {
		personas[i].key = mustRun(t, ken(t, data, "keys", "create", "--as", p.subjects()))
	}
	url := startServer(t, data)

	lists := map[string][]string{} // document to its groups
	for _, l := range readLines[documentACL](t, filepath.Join(set, "acl.jsonl.gz")) {
		lists[l.ID] = l.Groups
	}
	questions := readLines[question](t, filepath.Join(set, "questions.hand.jsonl"))
	var latencies []time.Duration
	for _, p := range personas {
		asked, hit := 0, 0
		for _, q := range questions {
			start := time.Now()
			answer, err := callSearch(t.Context(), url, p.key, q.Text)
			if err != nil {
				t.Fatalf("%s as %s: %v", q.ID, p.ID, err)
			}
			latencies = append(latencies, time.Since(start))
			var found []string
			for _, r := range answer.Results {
				page := strings.TrimPrefix(r.ID, "h/handbook-18f/pages/")
				if !p.mayRead(lists[page]) {
					t.Errorf("LEAK: %s as %s: %s", q.ID, p.ID, page)
				}
				found = append(found, page)
			}
			readable := slices.DeleteFunc(slices.Clone(q.Docs), func(d string) bool { return !p.mayRead(lists[d]) })
			if len(readable) == 0 {
				continue
			}
			asked++
			if slices.ContainsFunc(found[:min(3, len(found))], func(d string) bool { return slices.Contains(readable, d) }) {
				hit++
			} else {
				t.Logf("missed: %s as %s: %q found %q", q.ID, p.ID, q.Text, found[:min(3, len(found))])
			}
		}
		rate := float64(hit) / float64(asked)
		t.Logf("%s: hit@3 %.3f (%d of %d)", p.ID, rate, hit, asked)
		if rate < .89 {
			t.Errorf("%s: hit@3 %.3f, want at least .89", p.ID, rate)
		}
	}
	slices.Sort(latencies)
	t.Logf("connect and search over HTTP: p50 %v, p95 %v", latencies[len(latencies)/2], latencies[len(latencies)*95/100])
}

type persona struct {
	ID     string   `json:"_id"`
	Groups []string `json:"groups"`
	key    string
}

func (p persona) subjects() string {
	out := []string{"user:" + p.ID}
	for _, g := range p.Groups {
		if g != "everyone" {
			out = append(out, "group:"+g)
		}
	}
	return strings.Join(out, ",")
}

func (p persona) mayRead(groups []string) bool {
	return slices.ContainsFunc(groups, func(g string) bool { return slices.Contains(p.Groups, g) })
}

type documentACL struct {
	ID     string   `json:"_id"`
	Groups []string `json:"groups"`
}

type question struct {
	ID   string   `json:"_id"`
	Text string   `json:"text"`
	Docs []string `json:"docs"`
}

func readLines[T any](t *testing.T, path string) []T {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var r io.Reader = f
	if strings.HasSuffix(path, ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			t.Fatal(err)
		}
	}
	var out []T
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var v T
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			t.Fatal(err)
		}
		out = append(out, v)
	}
	return out
}

func untar(t *testing.T, path, into string) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(into)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	for files := tar.NewReader(z); ; {
		h, err := files.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		text, err := io.ReadAll(files)
		if err != nil {
			t.Fatal(err)
		}
		if err := root.MkdirAll(filepath.Dir(h.Name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := root.WriteFile(h.Name, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
