package embedded

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/embed"
	"ken/index"
	"ken/index/analyze"
	"ken/index/indextest"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

func openMem(t *testing.T) *Store {
	t.Helper()
	s, err := Open("data", Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func put(t *testing.T, s *Store, id string, l acl.List, texts ...string) {
	t.Helper()
	d := corpora.Document{ID: corpora.DocID(id), Path: id, Title: "Page", Language: "en", ACL: l}
	if err := s.Replace(t.Context(), indextest.NewEntry(s.Model(), d, texts...)); err != nil {
		t.Fatal(err)
	}
}

func viewOf(t *testing.T, s *Store, p acl.Principal) *view {
	t.Helper()
	v, err := s.View(t.Context(), p, noon)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = v.Close() })
	return v.(*view)
}

// Either of the gate's two checks alone keeps a text closed.
func TestGateChecksTwice(t *testing.T) {
	s := openMem(t)
	put(t, s, "open", acl.Allow(acl.Everyone), "open")
	put(t, s, "secret", acl.Allow("user:ann"), "secret")
	const open, secret = index.ChunkID(0), index.ChunkID(1)

	v := viewOf(t, s, acl.NewPrincipal())
	classes := slices.Sorted(maps.Keys(maps.Collect(v.state.classes.all())))
	v.readable = &readable{rows: [][]uint64{{1}, {1}}, classes: classes, chunks: 2} // a fault: all is readable
	if c, err := v.Chunks(t.Context(), []index.ChunkID{secret}); !errors.Is(err, index.ErrNotFound) {
		t.Errorf("with a faulty readable set the gate gave %v, %v", c, err)
	}
	if o, err := v.Outlines(t.Context(), []index.ChunkID{secret}, true); !errors.Is(err, index.ErrNotFound) {
		t.Errorf("with a faulty readable set there are outlines %v, %v", o, err)
	}
	if d, _, err := v.Document(t.Context(), "secret"); !errors.Is(err, index.ErrNotFound) {
		t.Errorf("with a faulty readable set there is document %v, %v", d, err)
	}
	if docs, err := v.Documents(t.Context(), "", "", 10); err != nil || len(docs) != 1 {
		t.Errorf("with a faulty readable set the documents are %v, %v", docs, err)
	}

	v = viewOf(t, s, acl.NewPrincipal())
	v.readable = &readable{rows: [][]uint64{{0}, {0}}} // nothing is readable, the ACL admits
	if c, err := v.Chunks(t.Context(), []index.ChunkID{open}); !errors.Is(err, index.ErrNotFound) {
		t.Errorf("outside the readable set the gate gave %v, %v", c, err)
	}
}

// Sets are remembered per principal, follow the writes, and are forgotten at the
// next boundary and when many others asked.
func TestReadableSetsAreRemembered(t *testing.T) {
	s, err := Open("data", Options{FS: vfs.NewMem(), Memory: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	hour := noon.Add(time.Hour)
	put(t, s, "a", acl.NewList([]acl.Grant{{Subject: "user:ann", NotAfter: hour}}, nil), "text")
	st := s.state
	ann := acl.NewPrincipal("user:ann")
	first := st.readableFor(ann, noon)
	if st.readableFor(ann, hour.Add(-1)) != first {
		t.Error("a set was made anew before its boundary")
	}
	if r := st.readableFor(ann, hour); r == first || r.chunks != 0 {
		t.Errorf("after the grant ended %d chunks are readable", r.chunks)
	}
	if r := st.readableFor(ann, noon); r.chunks != 1 {
		t.Error("a set of a later instant was used for an earlier one")
	}
	for i := range 1_000 {
		st.readableFor(acl.NewPrincipal(acl.User(fmt.Sprint(i))), noon)
	}
	for _, sets := range []map[string]sized[*readableOf]{st.kept.readable.young, st.kept.readable.old} {
		if size := first.size() * len(sets); len(sets) == 0 || size > 2*st.truth.room.readable {
			t.Errorf("%d sets are remembered, %d bytes", len(sets), size)
		}
	}
	if st.readableFor(ann, noon).chunks != 1 {
		t.Fatal("nothing is remembered: this test could not fail")
	}
	if err := s.SetACL(t.Context(), "a", acl.List{}); err != nil {
		t.Fatal(err)
	}
	if r := s.state.readableFor(ann, noon); s.state == st || r.chunks != 0 || len(r.classes) != 0 || has(r.rows[0], 0) {
		t.Error("a revoke left the remembered set")
	}
}

// A merge changes files and nothing else: hits before and after are equal to the bit.
func TestMergeChangesNoScore(t *testing.T) {
	s := openMem(t)
	m := embed.Model{Name: "m", Hash: "m", Dim: 6}
	if err := s.Reembed(t.Context(), m, nil); err != nil {
		t.Fatal(err)
	}
	for i := range fanIn - 1 {
		l := acl.Allow(acl.Everyone)
		if i%3 == 0 {
			l = acl.Allow("user:ann")
		}
		put(t, s, fmt.Sprint("d", i), l, "leave policy", strings.Repeat("leave ", i+1))
	}
	before := viewOf(t, s, acl.NewPrincipal())
	if n := len(before.state.segments); n != fanIn-1 {
		t.Fatalf("%d segments, want %d", n, fanIn-1)
	}
	put(t, s, "last", acl.Allow("user:ann"), "leave") // invisible; brings the merge
	settle(t, s)
	after := viewOf(t, s, acl.NewPrincipal())
	if n := len(after.state.segments); n != 1 {
		t.Fatalf("%d segments, want 1", n)
	}
	q := index.TextQuery{Terms: analyze.Query("leave policy", []string{"en"}), BM25: index.BM25{K1: 1.2, B: .75, Title: 3}}
	for what, search := range map[string]func(*view) ([]index.Hit, error){
		"text": func(v *view) ([]index.Hit, error) { return v.SearchText(t.Context(), q, 100) },
		"vector": func(v *view) ([]index.Hit, error) {
			return v.SearchVector(t.Context(), embed.Vector{1, 2, 3, 4, 5, 6}, index.Filter{}, 100)
		},
	} {
		b, errB := search(before)
		a, errA := search(after)
		if errA != nil || errB != nil || len(b) == 0 || !slices.Equal(a, b) {
			t.Errorf("%s: %v became %v (%v, %v)", what, b, a, errB, errA)
		}
	}
}

// The number of segments grows with the logarithm of the number of writes.
func TestSegmentsStayFew(t *testing.T) {
	s := openMem(t)
	for i := range 300 {
		put(t, s, fmt.Sprint("d", i), acl.Allow(acl.Everyone), "text")
	}
	settle(t, s)
	if n := len(s.state.segments); n > 3*fanIn {
		t.Errorf("%d segments after 300 writes", n)
	}
	for i := range 300 {
		if err := s.Delete(t.Context(), corpora.DocID(fmt.Sprint("d", i))); err != nil {
			t.Fatal(err)
		}
	}
	settle(t, s)
	if n := len(s.state.segments); n != 0 {
		t.Errorf("%d segments after all was deleted", n)
	}
}

// A segment of which more than half is dead is written anew without the dead.
func TestDeadChunksGo(t *testing.T) {
	s := openMem(t)
	put(t, s, "big", acl.Allow(acl.Everyone), "leave one", "leave two", "leave three")
	var entries []index.Entry
	for _, id := range []corpora.DocID{"a", "b", "c", "d", "e"} {
		entries = append(entries, indextest.NewEntry(embed.Model{}, corpora.Document{ID: id, Language: "en", ACL: acl.Allow(acl.Everyone)}, "leave "+string(id)))
	}
	if err := s.Replace(t.Context(), entries...); err != nil {
		t.Fatal(err)
	}
	for n, dead := range []int{1, 2, 0, 1} {
		if err := s.Delete(t.Context(), entries[n].Document.ID); err != nil {
			t.Fatal(err)
		}
		settle(t, s)
		if st, err := s.Stats(); err != nil || st.Dead != dead {
			t.Errorf("after %d of 5 were deleted %d are dead, want %d (%v)", n+1, st.Dead, dead, err)
		}
	}
}

// settle waits until there is nothing to merge.
func settle(t *testing.T, s *Store) {
	t.Helper()
	if err := s.Merge(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func classRecord(t *testing.T, id uint32, l acl.List) []byte {
	t.Helper()
	record, err := encodeClass(id, l)
	if err != nil {
		t.Fatal(err)
	}
	return record
}

// Check finds what is damaged in the truth, in the postings and in memory.
func TestCheckFindsDamage(t *testing.T) {
	put2 := func(t *testing.T, s *Store) {
		if err := s.Reembed(t.Context(), embed.Model{Name: "m", Hash: "m", Dim: 6}, nil); err != nil {
			t.Fatal(err)
		}
		put(t, s, "a", acl.Allow(acl.Everyone), "one", "two")
		put(t, s, "b", acl.Allow("user:ann"), "three")
	}
	set := func(key, value []byte) func(*Store) error {
		return func(s *Store) error { return s.truth.db.Set(key, value, pebble.Sync) }
	}
	text := appendChunk(nil, index.Chunk{Doc: "a", Text: "other", Span: index.Span{End: 5}})
	for name, c := range map[string]struct {
		damage func(*Store) error
		want   string
	}{
		"nothing":                {func(*Store) error { return nil }, ""},
		"text of nobody":         {set(chunkKey(99), text), "belongs to no document"},
		"another text":           {set(chunkKey(0), text), "postings of another text"},
		"no text":                {func(s *Store) error { return s.truth.db.Delete(chunkKey(1), pebble.Sync) }, "has no text"},
		"class of nobody":        {set(classKey(9), classRecord(t, 9, acl.List{})), "has no document"},
		"class that is open":     {set(classKey(2), classRecord(t, 2, acl.Allow(acl.Everyone))), "in memory is not what its documents say"},
		"class that is damaged":  {set(classKey(2), classRecord(t, 1, acl.Allow(acl.Everyone))), "checksum"},
		"no class":               {func(s *Store) error { return s.truth.db.Delete(classKey(2), pebble.Sync) }, "which is not there"},
		"no document":            {func(s *Store) error { return s.truth.db.Delete(documentKey("a"), pebble.Sync) }, "belongs to no document"},
		"file of nobody":         {func(s *Store) error { return s.dir.write(s.dir.join("segments", "000099.lex"), nil) }, "belongs to no segment"},
		"file that went":         {func(s *Store) error { return s.options.FS.Remove(s.dir.join("segments", "000001.lex")) }, "is missing"},
		"chunk in another class": {func(s *Store) error { s.state.classes.get(1).live.Add(2); return nil }, "in memory is not what its documents say"},
		"bytes of the postings":  {func(s *Store) error { s.state.segments[0].lexFile.data[300] ^= 1; return nil }, "corrupt lexical segment"},
		"bytes of the vectors":   {func(s *Store) error { s.state.segments[0].vecFile.data[70] ^= 1; return nil }, "corrupt vector file"},
	} {
		t.Run(name, func(t *testing.T) {
			s := openMem(t)
			put2(t, s)
			if err := c.damage(s); err != nil {
				t.Fatal(err)
			}
			// A state has its own snapshot: damage behind its back shows in a new one.
			next := newState(s.truth, s.state.meta, s.state.segments, s.state.classes, s.state.leg, s.state.kept, s.stateFreed)
			next.live = s.state.live
			s.publish(next)
			r, err := s.Check(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if c.want == "" && (len(r.Problems) > 0 || r.Documents != 2 || r.Chunks != 3 || r.Vectors != 3 || r.Classes != 2) {
				t.Errorf("report %+v", r)
			}
			if found := strings.Join(r.Problems, "\n"); !strings.Contains(found, c.want) {
				t.Errorf("problems %q, want one with %q", r.Problems, c.want)
			}
		})
	}
}

// Ordinals end; the store says so before it counts over.
func TestOrdinalsEnd(t *testing.T) {
	s := openMem(t)
	s.state.meta.NextOrdinal = ^uint32(0) - 1
	put(t, s, "a", acl.Allow(acl.Everyone), "last")
	d := corpora.Document{ID: "b", ACL: acl.Allow(acl.Everyone)}
	if err := s.Replace(t.Context(), indextest.NewEntry(embed.Model{}, d, "too many")); err == nil || !strings.Contains(err.Error(), "ordinals") {
		t.Errorf("error %v", err)
	}
	if c, err := viewOf(t, s, acl.NewPrincipal()).Chunks(t.Context(), []index.ChunkID{index.ChunkID(^uint32(0) - 1)}); err != nil || c[0].Text != "last\n" {
		t.Errorf("the last chunk is %v, %v", c, err)
	}
}
