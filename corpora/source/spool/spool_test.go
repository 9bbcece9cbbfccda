package spool_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/corpora/source/item"
	"ken/corpora/source/spool"
	"ken/corpora/sourcetest"
)

func open(t *testing.T) (*spool.Spool, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "spool")
	s, err := spool.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return s, dir
}

func source(t *testing.T, dir string) *spool.Source {
	t.Helper()
	s, err := spool.NewSource(dir, item.Options{Name: "kb"})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// pusher pushes documents, each time as a new version.
type pusher struct {
	t       *testing.T
	spool   *spool.Spool
	version int64
	texts   map[string]string
}

func (p *pusher) apply(m spool.Message) {
	p.t.Helper()
	p.version++
	m.Version = p.version
	if _, err := p.spool.Apply(m); err != nil {
		p.t.Fatal(err)
	}
}

func TestConformance(t *testing.T) {
	sourcetest.Run(t, func(t *testing.T) sourcetest.Fixture {
		s, dir := open(t)
		p := &pusher{t: t, spool: s, texts: map[string]string{}}
		return sourcetest.Fixture{
			Source: source(t, dir),
			Put: func(name, text string) {
				p.texts[name] = text
				p.apply(spool.Message{ID: name, Data: []byte(text)})
			},
			Remove: func(name string) { p.apply(spool.Message{ID: name, Delete: true}) },
			SetACL: func(name string, who ...acl.Subject) {
				p.apply(spool.Message{ID: name, Data: []byte(p.texts[name]), Meta: spool.Meta{States: true, Allow: who}})
			},
			Spoil: func(name string) {
				if err := s.Refuse(spool.Message{ID: name, Version: p.version + 1}, "stream:7", errors.New("spoilt")); err != nil {
					t.Fatal(err)
				}
			},
			Break: func() {
				if err := os.WriteFile(filepath.Join(dir, "0000"), []byte("not a first line"), 0o600); err != nil {
					t.Fatal(err)
				}
			},
		}
	})
}

// holds tells what a spool gives: text, version by stamp and readers of each document, or its error.
func holds(t *testing.T, dir string) map[corpora.DocID]string {
	t.Helper()
	out := map[corpora.DocID]string{}
	for c, err := range source(t, dir).Changes(t.Context(), "") {
		switch {
		case c.ID == "" && err != nil:
			t.Fatal(err)
		case err != nil:
			out[c.ID] = err.Error()
		case c.Op == corpora.Put:
			d, data, err := c.Load(t.Context())
			out[c.ID] = fmt.Sprintf("%s %s %s %v", data, d.Stamp, d.ACL.Key(), err)
		}
	}
	return out
}

// history is every message that a stream holds: puts, deletions, versions that are
// not understood, twice the same.
func history() []string {
	var out []string
	for id := range 12 {
		for v := 1; v <= 6; v++ {
			m := fmt.Sprintf(`{"id": "d/%d.md", "version": %d, "text": "text %d of %d", "acl": {"allow": ["user:u%d"]}}`, id, v, v, id, v)
			switch (id + v) % 5 {
			case 0:
				m = fmt.Sprintf(`{"op": "delete", "id": "d/%d.md", "version": %d}`, id, v)
			case 1:
				m = fmt.Sprintf(`{"id": "d/%d.md", "version": %d, "text": "secret", "acl": {"allow": ["nobody in particular"]}}`, id, v)
			}
			out = append(out, m)
		}
	}
	return out
}

// TestReplay: whatever the order, and however often each message comes, the
// spool holds the same.
func TestReplay(t *testing.T) {
	s, dir := open(t)
	for _, m := range history() {
		if _, err := s.Take([]byte(m), "x"); err != nil {
			t.Fatal(err)
		}
	}
	want := holds(t, dir)
	refused, text := 0, 0
	for _, v := range want {
		if strings.Contains(v, "refused") {
			refused++
		}
		if strings.HasPrefix(v, "text 6 of ") {
			text++
		}
	}
	if refused == 0 || text == 0 || refused+text != len(want) || len(want) == 12 {
		t.Fatalf("%d refused, %d with their last text, %d of 12 documents: the history shows nothing", refused, text, len(want))
	}
	for seed := range uint64(5) {
		again, dir := open(t)
		r := rand.New(rand.NewPCG(seed, 1))
		messages := slices.Concat(history(), history(), history())
		r.Shuffle(len(messages), func(i, j int) { messages[i], messages[j] = messages[j], messages[i] })
		for _, m := range messages {
			if _, err := again.Take([]byte(m), "x"); err != nil {
				t.Fatal(err)
			}
		}
		if got := holds(t, dir); !maps.Equal(got, want) {
			t.Errorf("seed %d: %v\nwant %v", seed, got, want)
		}
	}
}

// What becomes of a version when another is there.
func TestVersions(t *testing.T) {
	put := func(v int64, text string) spool.Message {
		return spool.Message{ID: "a", Version: v, Data: []byte(text)}
	}
	gone := func(v int64) spool.Message { return spool.Message{ID: "a", Version: v, Delete: true} }
	for _, c := range []struct {
		name       string
		have, then spool.Message
		changed    bool
		want       error
		text       string
	}{
		{"newer", put(1, "one"), put(2, "two"), true, nil, "two"},
		{"the same", put(1, "one"), put(1, "one"), false, nil, "one"},
		{"older", put(2, "two"), put(1, "one"), false, spool.ErrStale, "two"},
		{"as old, other text", put(1, "one"), put(1, "uno"), false, spool.ErrConflict, "one"},
		{"as old, other title", put(1, "one"), spool.Message{ID: "a", Version: 1, Data: []byte("one"), Meta: spool.Meta{Title: "t"}}, false, spool.ErrConflict, "one"},
		{"as old, nobody may read", put(1, "one"), spool.Message{ID: "a", Version: 1, Data: []byte("one"), Meta: spool.Meta{States: true}}, false, spool.ErrConflict, "one"},
		{"deletion", put(1, "one"), gone(2), true, nil, ""},
		{"late deletion", put(2, "two"), gone(1), false, spool.ErrStale, "two"},
		{"put after a later deletion", gone(2), put(1, "one"), false, spool.ErrStale, ""},
		{"put after an earlier deletion", gone(1), put(2, "two"), true, nil, "two"},
		{"deletion twice", gone(1), gone(1), false, nil, ""},
	} {
		s, dir := open(t)
		if changed, err := s.Apply(c.have); !changed || err != nil {
			t.Fatal(changed, err)
		}
		changed, err := s.Apply(c.then)
		if changed != c.changed || !errors.Is(err, c.want) {
			t.Errorf("%s: changed %v, %v; want %v, %v", c.name, changed, err, c.changed, c.want)
		}
		if got := holds(t, dir)["kb/a"]; !strings.HasPrefix(got, c.text) || (c.text == "") != (got == "") {
			t.Errorf("%s: the spool holds %q, want %q", c.name, got, c.text)
		}
	}
}

// Erase leaves no byte of a document, and keeps it out until it is readmitted.
func TestErase(t *testing.T) {
	s, dir := open(t)
	canary := "zitronenfalter"
	m := spool.Message{ID: canary + "x", Version: 1, Data: []byte(canary), Meta: spool.Meta{Title: canary, Tags: []string{canary}}}
	for _, step := range []error{nil, spool.ErrErased} {
		m.Version++
		if _, err := s.Apply(m); !errors.Is(err, step) {
			t.Fatalf("%v, want %v", err, step)
		}
		if err := s.Erase(m.ID); err != nil {
			t.Fatal(err)
		}
		files, _ := os.ReadDir(dir)
		for _, f := range files {
			data, err := os.ReadFile(filepath.Join(dir, f.Name()))
			if err != nil || strings.Count(string(data), canary) > 1 { // its id is how it is kept out
				t.Errorf("%s holds %q, %v", f.Name(), data, err)
			}
		}
	}
	if err := s.Erase("unknown"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Apply(spool.Message{ID: "unknown", Version: 9}); !errors.Is(err, spool.ErrErased) {
		t.Errorf("what is erased before it was pushed is kept out with %v", err)
	}
	if err := s.Readmit(m.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Apply(m); err != nil {
		t.Error(err)
	}
	if err := s.Clear(); err != nil {
		t.Fatal(err)
	}
	m.Version = 1
	if changed, err := s.Apply(m); !changed || err != nil {
		t.Errorf("after all was forgotten: %v, %v", changed, err)
	}
}

// Messages without an id are listed by their place, and can be put away.
func TestNameless(t *testing.T) {
	s, dir := open(t)
	for i := range 400 {
		if changed, err := s.Take([]byte("{"), fmt.Sprintf("topic:0:%d", i)); !changed || err != nil {
			t.Fatal(changed, err)
		}
	}
	all := holds(t, dir)
	if len(all) == 0 || len(all) > 256 {
		t.Errorf("%d messages are kept", len(all))
	}
	for id, reason := range all {
		if !strings.HasPrefix(string(id), `kb/"//topic:0:`) || !strings.Contains(reason, "no JSON") {
			t.Fatalf("%s: %s", id, reason)
		}
		if err := s.Erase(strings.Trim(strings.TrimPrefix(string(id), "kb/"), `"`)); err != nil {
			t.Fatal(err)
		}
	}
	if all := holds(t, dir); len(all) != 0 {
		t.Errorf("%d are left", len(all))
	}
}

// A version that is not understood closes the document until a newer one comes.
func TestRefusedCloses(t *testing.T) {
	s, dir := open(t)
	for _, step := range []struct{ message, want string }{
		{`{"id": "a", "version": 1, "text": "one"}`, "one"},
		{`{"id": "a", "version": 2, "text": "two", "acl": {"allow": ["?"]}}`, "refused"},
		{`{"id": "a", "version": 2, "text": "two"}`, "two"},
		{`{"id": "a", "version": 2, "text": 2}`, "two"},
		{`{"id": "a", "version": 3, "txt": "three"}`, "refused"},
		{`{"id": "a", "version": 4, "text": "four"}`, "four"},
	} {
		if _, err := s.Take([]byte(step.message), "x:1"); err != nil {
			t.Fatal(err)
		}
		if got := holds(t, dir)["kb/a"]; !strings.Contains(got, step.want) {
			t.Errorf("after %s: %q, want %q", step.message, got, step.want)
		}
	}
}

// A spool keeps its name for brokers, and a new one has another.
func TestConsumer(t *testing.T) {
	s, dir := open(t)
	names := map[string]bool{}
	for range 2 {
		name, err := s.Consumer()
		if err != nil {
			t.Fatal(err)
		}
		names[name] = true
		if s, err = spool.Open(dir); err != nil {
			t.Fatal(err)
		}
	}
	if len(names) != 1 {
		t.Errorf("one spool has the names %v", names)
	}
	if err := s.Clear(); err != nil {
		t.Fatal(err)
	}
	if name, err := s.Consumer(); err != nil || names[name] {
		t.Errorf("a spool that forgot everything has the name %s, %v", name, err)
	}
}

// Many writers, also of other processes (two Spools), lose no version.
func TestConcurrentWriters(t *testing.T) {
	a, dir := open(t)
	b, err := spool.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for w, s := range []*spool.Spool{a, b, a, b} {
		wg.Go(func() {
			for v := range 20 {
				_, err := s.Apply(spool.Message{ID: "a", Version: int64(4*v + w + 1), Data: fmt.Append(nil, 4*v+w+1)})
				if err != nil && !errors.Is(err, spool.ErrStale) {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if got := holds(t, dir)["kb/a"]; !strings.HasPrefix(got, "80 ") {
		t.Errorf("the spool holds %q, want version 80", got)
	}
}

// A document whose bytes rotted is an error of its own; what cannot be written changes nothing.
func TestDamage(t *testing.T) {
	s, dir := open(t)
	if _, err := s.Apply(spool.Message{ID: "a", Version: 1, Data: []byte("text")}); err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(filepath.Join(dir, "[0-9a-f]*"))
	data, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)-1]++
	if err := os.WriteFile(files[0], data, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := holds(t, dir)["kb/a"]; !strings.Contains(got, "damaged") {
		t.Errorf("the spool holds %q", got)
	}
	if err := os.Mkdir(filepath.Join(dir, ".incoming"), 0o700); err != nil {
		t.Fatal(err)
	}
	if changed, err := s.Apply(spool.Message{ID: "b", Version: 1}); changed || err == nil {
		t.Errorf("what could not be written is told to be kept: %v, %v", changed, err)
	}
	if _, there := holds(t, dir)["kb/b"]; there {
		t.Error("what could not be written is listed")
	}
}

// The oldest version that was kept after an instant tells how long it waits.
func TestOldestChange(t *testing.T) {
	dir, at := t.TempDir(), time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	s, err := spool.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Consumer(); err != nil { // a file that is no version
		t.Fatal(err)
	}
	for i, id := range []string{"a.md", "b.md", "c.md"} {
		before, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Apply(spool.Message{ID: id, Version: 1, Data: []byte("text")}); err != nil {
			t.Fatal(err)
		}
		after, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range after {
			if !slices.ContainsFunc(before, func(old os.DirEntry) bool { return old.Name() == e.Name() }) && !strings.HasPrefix(e.Name(), ".") {
				if err := os.Chtimes(filepath.Join(dir, e.Name()), at, at.Add(time.Duration(i)*time.Hour)); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	for after, want := range map[time.Duration]time.Time{-time.Hour: at, 0: at.Add(time.Hour), time.Hour: at.Add(2 * time.Hour), 2 * time.Hour: {}} {
		if got, err := s.OldestChange(at.Add(after)); err != nil || !got.Equal(want) {
			t.Errorf("after %s: %s, %v; want %s", after, got, err, want)
		}
	}
}
