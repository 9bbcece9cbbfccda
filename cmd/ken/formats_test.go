package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2"

	"ken/corpora/extract/extracttest"
	"ken/retrieval"
)

// office is a folder with the same facts in every format. Each file has a
// word of its own, its canary.
func office(t *testing.T) (dir string, files []string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, ".ken"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, data := range officeFiles() {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
		if name != "scanned.pdf" {
			files = append(files, name)
		}
	}
	return dir, files
}

const secrets = "write to ann.canary@example.com or pay with 4111 1111 1111 1111"

func officeFiles() map[string][]byte {
	blocks := func(word string) []extracttest.Block {
		return []extracttest.Block{
			{Kind: extracttest.Heading, Level: 1, Text: "Rules of " + word},
			{Text: "The " + word + " may be borrowed for three days; " + secrets + "."},
			{Kind: extracttest.Table, Rows: [][]string{{"person", "salary"}, {word, "98765canary"}, {"clerk", "98765canary"}}},
		}
	}
	table := func(word string) [][]string {
		return [][]string{{"person", "salary", "note"}, {word, "98765canary", secrets}, {"clerk", "98765canary", "none"}}
	}
	csv := func(word string) string {
		return "person;salary;note\n" + word + ";98765canary;" + secrets + "\n"
	}
	return map[string][]byte{
		"projector.docx": extracttest.Docx(blocks("projector")),
		"beamer.pptx":    extracttest.Pptx(blocks("beamer")),
		"ladder.xlsx":    extracttest.Xlsx(extracttest.Sheet{Name: "Ladder", Rows: table("ladder")}),
		"drill.pdf":      extracttest.PDF(blocks("drill"), extracttest.Layout{}),
		"hammer.csv":     []byte(csv("hammer")),
		"wrench.json":    []byte(`[{"title":"wrench","salary":"98765canary","note":"` + secrets + `"},{"title":"saw","salary":"98765canary","more":{"deep":[1,2]}}]`),
		"crane.eml":      extracttest.Mail("The crane", "The crane, "+secrets+".", extracttest.File{Name: "crane.csv", Data: csv("crane")}),
		"truck.mbox":     []byte("From a\nFrom: Ann <ann.canary@example.com>\nTo: bob@example.com\nSubject: The truck\n\nThe truck.\n\nsalary: 98765canary\n"),
		"barrow.zip":     extracttest.Zip(extracttest.File{Name: "in/barrow.md", Data: "# Barrow\n\nThe barrow, " + secrets + ".\n\n- salary: 98765canary\n"}),
		"shovel.go":      []byte("package shovel\n\n// Shovel digs. " + secrets + "\nfunc Shovel() {\n\tsalary := 1\n}\n"),
		"bucket.rst":     []byte("Bucket\n======\n\nThe bucket, " + secrets + ".\n\nsalary: 98765canary\n"),
		"report":         extracttest.PDF(blocks("rake"), extracttest.Layout{Columns: 2}), // no name tells that it is a PDF
		"scanned.pdf":    extracttest.Pictures(2),
	}
}

// TestFormats takes a folder of every format in, finds each file by its word,
// and verifies the citation.
func TestFormats(t *testing.T) {
	if testing.Short() {
		t.Skip("slow under the race detector, and a test of one goroutine: make test runs it")
	}
	dir, files := office(t)
	data := filepath.Join(t.TempDir(), "data")
	out, err := ken(t, data, "ingest", dir, "--name", "o", "--owner", "user:ann").Output()
	if err == nil || !strings.Contains(string(out), "needs OCR") || !strings.Contains(string(out), fmt.Sprintf(`"added": %d`, len(files))) {
		t.Fatalf("%v: %s", err, out)
	}
	for _, name := range files {
		word := strings.TrimSuffix(name, filepath.Ext(name))
		if name == "report" {
			word = "rake"
		}
		var answer retrieval.Response
		if err := json.Unmarshal([]byte(mustRun(t, ken(t, data, "search", "--as", "user:ann", "--json", "-", word))), &answer); err != nil {
			t.Fatal(err)
		}
		if len(answer.Results) == 0 || len(answer.Results[0].Passages) == 0 || string(answer.Results[0].Document.ID) != "o/"+name {
			t.Errorf("%s is not found by %q: %+v", name, word, answer.Results)
			continue
		}
		c := answer.Results[0].Passages[0].Citation
		got := mustRun(t, ken(t, data, "verify", string(c.Document), "--as", "user:ann", "--span", fmt.Sprintf("%d-%d", c.Span.Start, c.Span.End), "--sha256", c.Hash, "--version", c.Version))
		if got != "unchanged" {
			t.Errorf("%s: the citation is %s", name, got)
		}
		if heading := strings.Join(answer.Results[0].Passages[0].Heading, " "); (name == "drill.pdf" || name == "report") && !strings.Contains(heading+answer.Results[0].Passages[0].Text, "Page 1") {
			t.Errorf("%s: the citation does not name the page: %q", name, heading)
		}
	}
}

// TestProtection: no value that a rule is for is in any file of the data
// directory or any answer, and those that were encrypted can be read with the key.
func TestProtection(t *testing.T) {
	if testing.Short() {
		t.Skip("slow under the race detector, and a test of one goroutine: make test runs it")
	}
	dir, files := office(t)
	plain := []string{"ann.canary", "98765canary", "4111 1111 1111 1111"}
	if err := os.Rename(filepath.Join(dir, "bucket.rst"), filepath.Join(dir, "ann.canary@example.com.rst")); err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(t.TempDir(), "data")
	_ = ken(t, data, "ingest", dir, "--name", "o", "--owner", "user:ann").Run() // refuses scanned.pdf
	for _, p := range plain {
		if found := filesHolding(t, data, p); len(found) == 0 {
			t.Fatalf("%q is in no file without protection: this test could not fail", p)
		}
	}
	policy := "version: 1\ndefault: {allow: [user:ann]}\nprotect:\n  - {find: email, do: tokenise, class: confidential}\n  - {find: card, do: redact}\n  - {field: salary, do: encrypt}\n"
	if err := os.WriteFile(filepath.Join(dir, ".ken", "acl.yaml"), []byte(policy), 0o600); err != nil {
		t.Fatal(err)
	}
	data = filepath.Join(t.TempDir(), "data")
	ingest := ken(t, data, "ingest", dir, "--name", "o")
	if out, err := ingest.CombinedOutput(); err == nil || !strings.Contains(string(out), "KEN_PROTECT_KEY") {
		t.Fatalf("without a key: %v: %s", err, out)
	}
	key := mustRun(t, ken(t, data, "protect", "key"))
	ingest = ken(t, data, "ingest", dir, "--name", "o")
	ingest.Env = append(ingest.Env, "KEN_PROTECT_KEY="+key)
	log, _ := ingest.CombinedOutput() // refuses scanned.pdf
	if !strings.Contains(string(log), fmt.Sprintf(`"added": %d`, len(files))) {
		t.Fatalf("%s", log)
	}
	fetched := mustRun(t, ken(t, data, "fetch", "o/hammer.csv", "--as", "user:ann"))
	answers := string(log) + fetched + mustRun(t, ken(t, data, "search", "--as", "user:ann", "--json", "-", "salary canary pay"))
	for _, p := range plain {
		if strings.Contains(answers, p) {
			t.Errorf("%q is in an answer:\n%s", p, answers)
		}
		if found := filesHolding(t, data, p); len(found) > 0 {
			t.Errorf("%q is in %v", p, found)
		}
	}
	reveal := ken(t, data, "protect", "reveal", "--rule", "salary")
	reveal.Env, reveal.Stdin = append(reveal.Env, "KEN_PROTECT_KEY="+key), strings.NewReader(fetched)
	if shown := mustRun(t, reveal); !strings.Contains(shown, "| hammer | 98765canary |") || strings.Contains(shown, "enc_") {
		t.Errorf("revealed: %s", shown)
	}
	if !strings.Contains(mustRun(t, ken(t, data, "fetch", "o/hammer.csv", "--as", "user:ann", "--json", "-")), `"confidential"`) {
		t.Errorf("the class of the rule is not that of the document")
	}
}

// filesHolding are the files below a directory that hold the text, and the keys of
// the truth store that do once its blocks are decompressed.
func filesHolding(t *testing.T, dir, text string) (found []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err == nil && strings.Contains(string(data), text) {
			found = append(found, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	store, err := pebble.Open(filepath.Join(dir, "index", "truth"), &pebble.Options{ReadOnly: true, Logger: quiet{}})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	all, err := store.NewIter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer all.Close()
	for ok := all.First(); ok; ok = all.Next() {
		if strings.Contains(string(all.Key())+string(all.Value()), text) {
			found = append(found, fmt.Sprintf("key %q", all.Key()))
		}
	}
	return found
}

// quiet drops what the store says of itself.
type quiet struct{}

func (quiet) Infof(string, ...any)  {}
func (quiet) Errorf(string, ...any) {}
func (quiet) Fatalf(string, ...any) {}
