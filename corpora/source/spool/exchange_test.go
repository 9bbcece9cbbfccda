package spool_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/corpora/source/spool"
)

// What is restored is, to a listing, what was there before.
func TestRestore(t *testing.T) {
	s, dir := open(t)
	m := spool.Message{ID: "a.md", Version: 1, Data: []byte("one\ntwo"), Meta: spool.Meta{
		Title: "T", MediaType: "text/plain", Tags: []string{"x"}, States: true, Allow: []acl.Subject{"user:ann"}, Updated: time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC),
	}}
	nothing, err := s.Kept("a.md")
	if err != nil || nothing.Present() || nothing.Version != 0 {
		t.Fatalf("a spool that holds nothing holds %+v, %v", nothing, err)
	}
	if _, err := s.ApplyBy(m, "user:kim"); err != nil {
		t.Fatal(err)
	}
	before := holds(t, dir)
	was, err := s.Kept("a.md")
	if err != nil || !was.Present() || was.By != "user:kim" || !was.Says(m) {
		t.Fatalf("kept %+v, %v", was, err)
	}
	other := m
	other.Version, other.Data = 2, []byte("two")
	if was.Says(other) {
		t.Error("another text is the same")
	}
	if _, err := s.Apply(other); err != nil {
		t.Fatal(err)
	}
	if err := s.Restore("a.md", was); err != nil {
		t.Fatal(err)
	}
	if got := holds(t, dir); got["kb/a.md"] != before["kb/a.md"] {
		t.Errorf("restored %q, was %q", got, before)
	}
	if err := s.Restore("a.md", nothing); err != nil {
		t.Fatal(err)
	}
	if got := holds(t, dir); len(got) != 0 {
		t.Errorf("%q is left", got)
	}
	if err := errors.Join(s.Erase("a.md"), s.Restore("a.md", was)); err != nil {
		t.Fatal(err)
	}
	if now, err := s.Kept("a.md"); err != nil || !now.Erased || now.Present() {
		t.Errorf("what was erased came back: %+v, %v", now, err)
	}
}

// A document says the same whatever its version and time, and nothing else.
func TestSays(t *testing.T) {
	m := spool.Message{ID: "a", Version: 1, Data: []byte("text"), Meta: spool.Meta{States: true, Tags: []string{}}}
	k := spool.Kept{Message: m}
	k.Tags, k.Allow = nil, []acl.Subject{}
	m.Version, m.Updated = 7, time.Now()
	if !k.Says(m) {
		t.Error("another version that says the same is another document")
	}
	for name, change := range map[string]func(*spool.Message){
		"text": func(m *spool.Message) { m.Data = []byte("texts") }, "title": func(m *spool.Message) { m.Title = "t" },
		"tags": func(m *spool.Message) { m.Tags = []string{"t"} }, "class": func(m *spool.Message) { m.Class = "c" },
		"readers": func(m *spool.Message) { m.Allow = []acl.Subject{"user:a"} }, "denies": func(m *spool.Message) { m.Deny = []acl.Subject{"user:a"} },
		"media type": func(m *spool.Message) { m.MediaType = "text/plain" }, "whether readers are said": func(m *spool.Message) { m.States = false },
	} {
		other := m
		change(&other)
		if k.Says(other) {
			t.Errorf("another %s is the same", name)
		}
	}
}

// The source of one document lists that, and never as the whole.
func TestOnly(t *testing.T) {
	s, dir := open(t)
	for _, id := range []string{"a", "b"} {
		if _, err := s.Apply(spool.Message{ID: id, Version: 1, Data: []byte(id)}); err != nil {
			t.Fatal(err)
		}
	}
	for id, want := range map[string][]corpora.DocID{"b": {"kb/b"}, "none": nil} {
		var got []corpora.DocID
		for c, err := range source(t, dir).Only(id).Changes(t.Context(), "") {
			if err != nil || c.Op != corpora.Put {
				t.Fatalf("%s: %+v, %v", id, c, err)
			}
			got = append(got, c.ID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: listed %v, want %v", id, got, want)
		}
	}
}

// One at a time holds a spool, and nobody waits for ever.
func TestHold(t *testing.T) {
	_, dir := open(t)
	var inside, most int
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			release, err := spool.Hold(t.Context(), dir)
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			inside++
			most = max(most, inside)
			mu.Unlock()
			time.Sleep(2 * time.Millisecond)
			mu.Lock()
			inside--
			mu.Unlock()
			if err := release(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if most != 1 {
		t.Errorf("%d held it at once", most)
	}
	release, err := spool.Hold(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := spool.Hold(ctx, dir); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("held twice: %v", err)
	}
	none, err := spool.Hold(t.Context(), filepath.Join(dir, "none"))
	if err != nil || none() != nil {
		t.Error("a spool that does not exist is held by somebody")
	}
	if _, err := os.Stat(filepath.Join(dir, "none")); err == nil {
		t.Error("holding made it")
	}
}
