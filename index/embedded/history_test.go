package embedded_test

import (
	"errors"
	"fmt"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"pgregory.net/rapid"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/index"
	"ken/index/embedded"
)

// clock is a time that a test moves, while merges in the background look at it.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func historyStore(t *testing.T, fs *vfs.MemFS, c *clock, keep time.Duration) *embedded.Store {
	t.Helper()
	s, err := embedded.Open("index", embedded.Options{FS: fs, Clock: c.now, History: keep})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func page(id corpora.DocID, l acl.List) index.Entry {
	return index.Entry{
		Document: corpora.Document{ID: id, Source: "wiki", Language: "en", Version: "1", ACL: l},
		Chunks:   []index.Chunk{{Doc: id, Span: index.Span{End: 5}, Text: "otter"}},
	}
}

func asOf(t *testing.T, s *embedded.Store, at time.Time) map[corpora.DocID]string {
	t.Helper()
	out := map[corpora.DocID]string{}
	for p, err := range s.AsOf(t.Context(), at) {
		if err != nil {
			t.Fatalf("as of %v: %v", at, err)
		}
		out[p.ID] = p.List.Key()
	}
	return out
}

// Whatever is written, the history says of each past instant what the store
// said then; also after it was opened again.
func TestHistoryIsWhatWas(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		fs, c := vfs.NewMem(), &clock{at: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
		s := historyStore(t, fs, c, 0)
		defer func() { s.Close() }()
		type moment struct {
			at   time.Time
			said map[corpora.DocID]string
		}
		var moments []moment
		now := map[corpora.DocID]string{}
		ids := []corpora.DocID{"wiki/a", "wiki/a\x00b", "wiki/ab", "wiki/b"}
		lists := []acl.List{{}, acl.Allow("user:ann"), acl.Allow(acl.Everyone).Classified("restricted"), acl.NewList(acl.Grants("group:hr"), acl.Grants("user:bob"))}
		for range rapid.IntRange(1, 12).Draw(rt, "writes") {
			c.pass(time.Duration(rapid.IntRange(1, 1000).Draw(rt, "seconds")) * time.Second)
			id, l := rapid.SampledFrom(ids).Draw(rt, "id"), rapid.SampledFrom(lists).Draw(rt, "list")
			var err error
			switch _, there := now[id]; rapid.IntRange(0, 3).Draw(rt, "write") {
			case 0:
				err = s.Delete(t.Context(), id)
				delete(now, id)
			case 1:
				if there {
					err = s.SetACL(t.Context(), id, l)
					now[id] = l.Key()
				}
			case 2:
				if err = s.Close(); err == nil {
					s = historyStore(t, fs, c, 0)
				}
			default:
				err = s.Replace(t.Context(), page(id, l))
				now[id] = l.Key()
			}
			if err != nil {
				rt.Fatal(err)
			}
			moments = append(moments, moment{c.now(), maps.Clone(now)})
		}
		for _, m := range moments {
			if err := firstError(s, t, m.at); errors.Is(err, embedded.ErrForgotten) && len(m.said) == 0 {
				continue // nothing was ever written
			}
			for _, at := range []time.Time{m.at, m.at.Add(time.Millisecond)} {
				if got := asOf(t, s, at); !maps.Equal(got, m.said) {
					rt.Fatalf("as of %v: %v, want %v", at, got, m.said)
				}
			}
		}
	})
}

func firstError(s *embedded.Store, t *testing.T, at time.Time) error {
	for _, err := range s.AsOf(t.Context(), at) {
		return err
	}
	return nil
}

// What is older than the history is kept goes, and what was in force at its beginning stays.
func TestHistoryIsForgotten(t *testing.T) {
	fs, c := vfs.NewMem(), &clock{at: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	s := historyStore(t, fs, c, 24*time.Hour)
	defer s.Close()
	begin := c.now()
	for day := range 5 {
		for n := range 3 {
			l := acl.Allow(acl.User(fmt.Sprintf("%d-%d", day, n)))
			if err := s.Replace(t.Context(), page(corpora.DocID(fmt.Sprintf("wiki/%d", n)), l)); err != nil {
				t.Fatal(err)
			}
		}
		c.pass(20 * time.Hour)
	}
	if err := s.Delete(t.Context(), "wiki/2"); err != nil {
		t.Fatal(err)
	}
	if err := firstError(s, t, begin.Add(time.Hour)); !errors.Is(err, embedded.ErrForgotten) {
		t.Errorf("as of the beginning: %v", err)
	}
	past, err := s.History(t.Context(), "wiki/0")
	if err != nil || len(past) > 3 || past[0].Since.After(c.now().Add(-24*time.Hour)) {
		t.Errorf("%d records, the oldest of %v, error %v", len(past), past[0].Since, err)
	}
	if got := asOf(t, s, c.now().Add(-23*time.Hour)); got["wiki/0"] != acl.Allow("user:3-0").Key() {
		t.Errorf("a day ago: %v", got)
	}
	if _, there := asOf(t, s, c.now())["wiki/2"]; there {
		t.Error("what was deleted is there")
	}
}
