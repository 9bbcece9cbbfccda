package main

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"ken/cmd/ken/internal/config"
	"ken/corpora/acl"
	"ken/tools"
)

// An update that is refused closes the document to nobody, and takes none of its
// earlier versions.
func TestRefusedUpdateChangesNothing(t *testing.T) {
	w := newWriting(t)
	kim, bob := w.as("user:kim"), w.as("user:bob")
	id := map[string]any{"id": "notes/a.md"}
	first := versionOf(t, say(t, kim, "create_document", with(id, "text", "one", "allow", []string{"user:kim", "user:bob"})))
	second := versionOf(t, say(t, kim, "update_document", with(id, "if_version", first, "text", "two")))
	conf, err := os.ReadFile(w.conf)
	if err != nil {
		t.Fatal(err)
	}
	put(t, w.conf, strings.Replace(string(conf), "{name: notes,", "{name: notes, max_bytes: 20,", 1))
	if got := say(t, kim, "update_document", with(id, "if_version", second, "text", strings.Repeat("long ", 10))); !strings.Contains(got, "nothing was changed") {
		t.Fatalf("a text that is too long: %s", got)
	}
	if got := say(t, bob, "list_versions", id); !strings.Contains(got, first) || !strings.Contains(got, second) {
		t.Errorf("a reader is told %s", got)
	}
	if got := say(t, kim, "update_document", with(id, "if_version", second, "text", "three")); !strings.Contains(got, `"done":"updated"`) {
		t.Errorf("an update after it: %s", got)
	}
}

// The class of a document does not come with an update, also where it has none.
func TestUpdateGivesNoClass(t *testing.T) {
	w := newWriting(t)
	kim := w.as("user:kim")
	id := map[string]any{"id": "notes/a.md"}
	version := versionOf(t, say(t, kim, "create_document", with(id, "text", "one", "allow", []string{"user:kim"})))
	for _, text := range []string{"---\nclass: public\n---\ntwo", "---\nclass: restricted\n---\ntwo"} {
		if got := say(t, kim, "update_document", with(id, "if_version", version, "text", text)); !strings.Contains(got, `"field":"text"`) {
			t.Errorf("%q: %s", text, got)
		}
	}
	if d, err := w.kb.Store.Lookup(t.Context(), "notes/a.md"); err != nil || d.Class != "" || d.Version != version {
		t.Errorf("class %q, version %s, %v", d.Class, d.Version, err)
	}
	classed := map[string]any{"id": "notes/b.md"}
	version = versionOf(t, say(t, kim, "create_document", with(classed, "text", "---\nclass: internal\n---\none", "allow", []string{"user:kim"})))
	if got := say(t, kim, "update_document", with(classed, "if_version", version, "text", "---\nclass: public\n---\ntwo")); !strings.Contains(got, `"done":"updated"`) {
		t.Errorf("a text that says the class again: %s", got)
	}
	if d, err := w.kb.Store.Lookup(t.Context(), "notes/b.md"); err != nil || d.Class != "internal" {
		t.Errorf("class %q, %v", d.Class, err)
	}
}

// An ingest keeps writers out also before anything was written.
func TestFirstWriteWaits(t *testing.T) {
	w := newWriting(t)
	all, err := config.LoadSources(w.conf)
	if err != nil {
		t.Fatal(err)
	}
	r, err := w.p.openSource(t.Context(), chosen{all[1], w.conf}, ingestOptions{}, w.dir)
	if err != nil {
		t.Fatal(err)
	}
	create := func(wait time.Duration) error {
		ctx, cancel := context.WithTimeout(t.Context(), wait)
		defer cancel()
		nobody := func(context.Context) (bool, error) { return false, nil }
		_, err := w.writer().Create(ctx, tools.Draft{ID: "notes/a.md", Text: "one", MediaType: "text/markdown", Allow: []acl.Subject{"user:ann"}}, nobody)
		return err
	}
	if err := create(100 * time.Millisecond); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("while the source is read: %v", err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if err := create(20 * time.Second); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}
