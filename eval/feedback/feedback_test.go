package feedback_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/eval"
	"ken/eval/feedback"
)

func said(user, query string, doc corpora.DocID, useful bool) feedback.Record {
	return feedback.Record{Subjects: []acl.Subject{"group:staff", acl.Subject(user)}, Query: query, Document: doc, Useful: useful}
}

func kept(t *testing.T, keepQueries bool, records ...feedback.Record) []feedback.Record {
	t.Helper()
	name := filepath.Join(t.TempDir(), "feedback.jsonl")
	if err := os.WriteFile(name, []byte(`{"time":"half writ`), 0o600); err != nil { // by a crash
		t.Fatal(err)
	}
	log, err := feedback.Open(name, keepQueries)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	for _, r := range records {
		if err := log.Record(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	out, broken, err := feedback.Read(f)
	if err != nil || broken != 1 || len(out) != len(records) {
		t.Fatalf("%d records of %d, %d broken, %v", len(out), len(records), broken, err)
	}
	return out
}

// Recorded feedback becomes a set that evaluation loads: useful is relevant, the
// last word of a person counts, and the people are the personas.
func TestFeedbackBecomesASet(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "handbook")
	if err := os.MkdirAll(filepath.Join(folder, ".ken"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"leave.md": "# Leave\n\n18 weeks.\n", "tea.md": "# Tea\n\nAt four.\n"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	const policy = "version: 1\nrules:\n  - path: \"**\"\n    allow: [group:staff]\n"
	if err := os.WriteFile(filepath.Join(folder, ".ken", "acl.yaml"), []byte(policy), 0o644); err != nil {
		t.Fatal(err)
	}
	records := kept(t, true,
		said("user:ann", "how much leave?", "handbook/leave.md", false),
		said("user:ann", "how much leave?", "handbook/leave.md", true),
		said("user:bob", "how much leave?", "handbook/tea.md", false),
		said("user:bob", "when is tea?", "handbook/tea.md", true),
		said("user:bob", "when is tea?", "wiki/tea.md", true),
	)
	dir := filepath.Join(t.TempDir(), "set")
	got, err := feedback.WriteSet(dir, folder, feedback.SourceOf(folder), records)
	if want := (feedback.Summary{Queries: 2, Judged: 3, Users: 2, Replaced: 1, Elsewhere: 1}); err != nil || got != want {
		t.Fatalf("summary %+v, error %v; want %+v", got, err, want)
	}
	set, err := eval.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	grades := make(map[string]map[corpora.DocID]int)
	for _, q := range set.Queries {
		grades[q.Text] = q.Relevant
	}
	if len(grades) != 2 || grades["how much leave?"]["corpus/leave.md"] != 1 || grades["when is tea?"]["corpus/tea.md"] != 1 {
		t.Errorf("judgements %v", grades)
	}
	if g, judged := grades["how much leave?"]["corpus/tea.md"]; !judged || g != 0 {
		t.Errorf("judgements %v: a useless document is judged 0", grades)
	}
	if len(set.Personas) != 2 || set.Personas[0].Name != "user:ann" || !set.Personas[0].Principal.Holds("group:staff") {
		t.Errorf("personas %+v", set.Personas)
	}
	if len(set.Notes) > 0 {
		t.Errorf("notes %q", set.Notes)
	}
	if _, err := feedback.WriteSet(dir, folder, "handbook", records); err == nil {
		t.Error("a set was written over another")
	}
}

func TestWithoutQuestionsThereIsNoSet(t *testing.T) {
	records := kept(t, false, said("user:ann", "how much leave?", "handbook/leave.md", true))
	if records[0].Query != "" || records[0].QueryHash != feedback.HashOf("how much leave?") {
		t.Errorf("record %+v", records[0])
	}
	dir := filepath.Join(t.TempDir(), "set")
	if s, err := feedback.WriteSet(dir, t.TempDir(), "handbook", records); !errors.Is(err, feedback.ErrNoQuestions) || s.NoText != 1 {
		t.Errorf("summary %+v, error %v", s, err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("a folder was left behind")
	}
}

// A question that does not match its hash was written by somebody else.
func TestReadRefuses(t *testing.T) {
	records, broken, err := feedback.Read(strings.NewReader("{}\nnonsense\n{\"document\":\"handbook/a.md\",\"query_sha256\":\"00\",\"query\":\"x\",\"subjects\":[\"user:ann\"]}\n"))
	if err != nil || broken != 2 || len(records) != 1 {
		t.Fatalf("%+v, %d, %v", records, broken, err)
	}
	if s, err := feedback.WriteSet(filepath.Join(t.TempDir(), "set"), t.TempDir(), "handbook", records); !errors.Is(err, feedback.ErrNoQuestions) || s.NoText != 1 {
		t.Errorf("summary %+v, error %v", s, err)
	}
}
