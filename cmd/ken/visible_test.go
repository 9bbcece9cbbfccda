package main

import (
	"bytes"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ken/corpora"
	"ken/index"
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
	}}}, func(string, string) []index.Span { return nil })
	if n := strings.Count(out.String(), "a\ufffd[2J"); n != 6 {
		t.Errorf("%d of 6 fields were printed:\n%q", n, out.String())
	}
	if strings.ContainsAny(out.String(), "\x1b\u009b\r\u202e\x07") {
		t.Errorf("a terminal would obey %q", out.String())
	}
}

// TestMatchesAreBold: by line, so that what follows a line is never bold.
func TestMatchesAreBold(t *testing.T) {
	text := "\n  Parental\nleave\x1b[31m, leaves\r\nend"
	var out bytes.Buffer
	marks := []index.Span{{Start: 3, End: 17}, {Start: 24, End: 30}}
	printMarked(&out, text, marks)
	want := "   | \x1b[1mParental\x1b[22m\n   | \x1b[1mleave\x1b[22m\ufffd[31m, \x1b[1mleaves\x1b[22m\n   | end\n"
	if out.String() != want {
		t.Errorf("got  %q\nwant %q", out.String(), want)
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
