package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ken/cmd/ken/internal/wire"
	"ken/index"
)

// An id that looks as if it quoted another one is not the other one.
func TestDeleteOfAQuotedID(t *testing.T) {
	w := newWriting(t)
	kim := w.as("user:kim")
	readers := map[string]any{"allow": []string{"user:kim"}}
	say(t, kim, "create_document", with(readers, "id", "notes/a.md", "text", "a kayak"))
	say(t, kim, "create_document", with(readers, "id", `notes/"a.md"`, "text", "a canoe"))
	if got := say(t, kim, "delete_document", map[string]any{"id": `notes/"a.md"`}); !strings.Contains(got, "deleted") {
		t.Fatal(got)
	}
	if found := holding(t, spoolsOf(w.dir), "canoe"); len(found) > 0 {
		t.Errorf("deleted and still in %v", found)
	}
	if found := holding(t, spoolsOf(w.dir), "kayak"); len(found) != 1 {
		t.Errorf("the other one is in %v", found)
	}
}

// A deletion that failed half way can be called again.
func TestDeleteAgain(t *testing.T) {
	w := newWriting(t)
	kim := w.as("user:kim")
	say(t, kim, "create_document", map[string]any{"id": "notes/a.md", "text": "a kayak", "allow": []string{"user:kim"}})
	inTheWay := mkdir(t, wire.SpoolOf(spoolsOf(w.dir), "notes"), ".incoming")
	put(t, filepath.Join(inTheWay, "x"), "x")
	if got := say(t, kim, "delete_document", map[string]any{"id": "notes/a.md"}); !strings.Contains(got, `"kind":"internal"`) {
		t.Fatalf("with a spool that cannot be written: %s", got)
	}
	if err := os.RemoveAll(inTheWay); err != nil {
		t.Fatal(err)
	}
	if got := say(t, kim, "delete_document", map[string]any{"id": "notes/a.md"}); !strings.Contains(got, "deleted") {
		t.Errorf("again: %s", got)
	}
	if found := holding(t, spoolsOf(w.dir), "kayak"); len(found) > 0 {
		t.Errorf("deleted and still in %v", found)
	}
	if _, err := w.kb.Store.Lookup(t.Context(), "notes/a.md"); !errors.Is(err, index.ErrNotFound) {
		t.Errorf("in the index: %v", err)
	}
}
