package main

import (
	"bytes"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ken/corpora"
	"ken/retrieval"
)

// TestTerminalObeysNoDocument: what a document says cannot move the cursor,
// colour the screen or turn the direction of what is printed around it.
func TestTerminalObeysNoDocument(t *testing.T) {
	const evil = "a\x1b[2J\x9b\r\u202eb\x07\tc"
	var out bytes.Buffer
	printAnswer(&out, retrieval.Response{Results: []retrieval.Result{{
		Document: corpora.Document{ID: evil, Title: evil}, Duplicates: []corpora.DocID{evil},
		Passages: []retrieval.Passage{{Text: evil, Context: evil, Heading: []string{evil}}},
	}}})
	if n := strings.Count(out.String(), "a\ufffd[2J"); n != 6 {
		t.Errorf("%d of 6 fields were printed:\n%q", n, out.String())
	}
	if strings.ContainsAny(out.String(), "\x1b\u009b\r\u202e\x07") {
		t.Errorf("a terminal would obey %q", out.String())
	}
}

func TestNoteIsOneLine(t *testing.T) {
	var stderr bytes.Buffer
	p := &program{stdout: io.Discard, stderr: &stderr, now: time.Now, getenv: func(string) string { return "" }}
	file := filepath.Join(t.TempDir(), "keys.yaml")
	if code := p.run(t.Context(), []string{"keys", "create", "--keys", file, "--as", "user:ann", "--note", "laptop\nabcdefgh  user:admin"}); code != exitUsage {
		t.Errorf("exit code %d: %s", code, stderr.String())
	}
}
