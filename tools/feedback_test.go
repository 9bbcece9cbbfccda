package tools

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ken/eval/feedback"
	"ken/index"
)

// What is recorded is what was said, by whom, of which version and span; and of a
// document that may not be read nothing, with the answer for what is not there.
func TestFeedback(t *testing.T) {
	w := newWorld(t)
	name := filepath.Join(t.TempDir(), "feedback.jsonl")
	log, err := feedback.Open(name, false)
	must(t, err)
	defer log.Close()
	s := w.server(Options{Feedback: log, Clock: tick})
	c := dialPipe(t, s, bob, "")
	said := map[string]any{"query": "how long is parental leave?", "id": "handbook/leave.md", "useful": true, "start": 18, "end": 60}
	must(t, resolved(t, feedbackInput).Validate(said))
	got := call(t, c, toolFeedback, said)
	must(t, resolved(t, feedbackOutput).Validate(got.StructuredContent))
	call(t, c, toolFeedback, map[string]any{"query": "how long is parental leave?", "id": "handbook/long.md", "useful": false})

	hidden, unknown := map[string]any{"query": "x", "id": string(secretID), "useful": true}, map[string]any{"query": "x", "id": "hr/nothing.md", "useful": true}
	a, b := string(encode(call(t, c, toolFeedback, hidden))), string(encode(call(t, c, toolFeedback, unknown)))
	if a != b || !strings.Contains(a, "not_found") {
		t.Errorf("of a hidden document: %s\nof none: %s", a, b)
	}
	for _, wrong := range []map[string]any{
		{"query": "x", "id": "handbook/leave.md"},
		{"query": "", "id": "handbook/leave.md", "useful": true},
		{"query": "x", "id": "handbook/leave.md", "useful": true, "start": 5, "end": 4},
		{"query": "x", "id": "handbook/leave.md", "useful": true, "comment": "hello"},
	} {
		if r := call(t, c, toolFeedback, wrong); !r.IsError {
			t.Errorf("%v was taken", wrong)
		}
	}

	f, err := os.Open(name)
	must(t, err)
	defer f.Close()
	records, broken, err := feedback.Read(f)
	must(t, err)
	if len(records) != 2 || broken != 0 {
		t.Fatalf("records %+v, %d broken", records, broken)
	}
	r := records[0]
	if r.Document != "handbook/leave.md" || r.Span != (index.Span{Start: 18, End: 60}) || !r.Useful || r.Query != "" || r.QueryHash != feedback.HashOf("how long is parental leave?") || r.Version == "" || !r.Time.Equal(now) {
		t.Errorf("record %+v", r)
	}
	if records[1].Useful || records[1].Span != (index.Span{}) {
		t.Errorf("record %+v", records[1])
	}
	data, err := os.ReadFile(name)
	must(t, err)
	if strings.Contains(string(data), "parental") || strings.Contains(string(data), "weeks") {
		t.Errorf("the log holds text: %s", data)
	}
}

// Without a place to keep it there is no tool for it.
func TestNoFeedback(t *testing.T) {
	c := dialPipe(t, newWorld(t).server(Options{}), bob, "")
	tools, err := c.ListTools(t.Context(), nil)
	must(t, err)
	for _, tool := range tools.Tools {
		if tool.Name == toolFeedback {
			t.Error("the tool is offered")
		}
	}
}
