package retrieval_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ken/corpora/acl"
	"ken/corpora/extract"
	"ken/corpora/sample"
	"ken/corpora/source/folder"
	"ken/index/ingest"
	"ken/retrieval"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestGoldenRanking writes down what the sample's people get for the sample's
// questions, so that a change of the ranking is a diff that can be read.
func TestGoldenRanking(t *testing.T) {
	s := sampleSearcher(t)
	people, err := sample.People()
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for _, q := range sampleQuestions(t) {
		fmt.Fprintf(&got, "%s %s\n", q.ID, q.Text)
		for _, person := range people {
			if person.ID == "user:ines" || person.ID == "user:dov" { // who differ most
				writeRanking(t, &got, s, person, q.Text)
			}
		}
	}
	compareGolden(t, filepath.Join("testdata", "sample.golden"), got.String())
}

func writeRanking(t *testing.T, w *strings.Builder, s *retrieval.Searcher, person sample.Person, query string) {
	t.Helper()
	r := search(t, s, acl.NewPrincipal(person.Subjects()...), retrieval.Request{Query: query, Limit: 3})
	fmt.Fprintf(w, "  %s\n", person.ID)
	for _, result := range r.Results {
		fmt.Fprintf(w, "    %.3f %s", result.Score, strings.TrimPrefix(string(result.Document.ID), sample.Name+"/"))
		for _, id := range result.Duplicates {
			fmt.Fprintf(w, " = %s", strings.TrimPrefix(string(id), sample.Name+"/"))
		}
		fmt.Fprintln(w)
	}
}

// sampleSearcher returns a searcher over the sample corpus, taken in by the pipeline.
func sampleSearcher(t *testing.T) *retrieval.Searcher {
	t.Helper()
	files, err := sample.Corpus()
	if err != nil {
		t.Fatal(err)
	}
	source, err := folder.New(files, folder.Options{Name: sample.Name})
	if err != nil {
		t.Fatal(err)
	}
	store := openEmbedded(t)
	t.Cleanup(func() { store.Close() })
	summary, err := ingest.Run(t.Context(), ingest.Options{Store: store, Embedder: embedder(t), Extract: extract.Default()}, source)
	if err != nil || len(summary.Quarantined) > 0 {
		t.Fatalf("ingest: %+v, error %v", summary.Quarantined, err)
	}
	return searcher(t, store, retrieval.Options{Embedder: embedder(t)})
}

type question struct {
	ID   string `json:"_id"`
	Text string `json:"text"`
}

func sampleQuestions(t *testing.T) []question {
	t.Helper()
	data, err := fs.ReadFile(sample.Set(), "queries.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	var out []question
	for line := range strings.Lines(string(data)) {
		var q question
		if err := json.Unmarshal([]byte(line), &q); err != nil {
			t.Fatal(err)
		}
		out = append(out, q)
	}
	return out
}

func compareGolden(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatalf("%v; write it with -update", err)
	}
	gotLines, wantLines := strings.Split(got, "\n"), strings.Split(string(want), "\n")
	for i := range min(len(gotLines), len(wantLines)) {
		if gotLines[i] != wantLines[i] {
			t.Fatalf("%s:%d: got %q, want %q; if it is better so, run with -update", name, i+1, gotLines[i], wantLines[i])
		}
	}
	if len(gotLines) != len(wantLines) {
		t.Fatalf("%s: got %d lines, want %d", name, len(gotLines), len(wantLines))
	}
}
