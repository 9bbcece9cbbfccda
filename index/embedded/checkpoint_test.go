package embedded

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"slices"
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

// many documents of two lists: enough of them for a checkpoint and a journal.
func many(t *testing.T, disk vfs.FS) *Store {
	t.Helper()
	s, err := Open("data", Options{FS: disk})
	if err != nil {
		t.Fatal(err)
	}
	for n := range leastJournal + 20 {
		putFor(t, s, fmt.Sprint("wiki/", n), []acl.Subject{"user:ann", "user:bob"}[n%2], "leave policy")
	}
	return s
}

func putFor(t *testing.T, s *Store, id string, who acl.Subject, texts ...string) {
	t.Helper()
	d := corpora.Document{ID: corpora.DocID(id), Source: "wiki", Path: id, Title: id, Language: "en", ACL: acl.Allow(who)}
	if err := s.Replace(t.Context(), indextest.NewEntry(embed.Model{}, d, texts...)); err != nil {
		t.Fatal(err)
	}
}

// reopen opens the store of the disk and tells what it logged.
func reopen(t *testing.T, disk vfs.FS) (*Store, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	s, err := Open("data", Options{FS: disk, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	return s, &log
}

func mustBeSound(t *testing.T, s *Store) {
	t.Helper()
	report, err := s.Check(t.Context())
	if err = errors.Join(err, s.truth.awaitVerified(t.Context()), s.Close()); err != nil || len(report.Problems) > 0 {
		t.Errorf("%v: %q", err, report.Problems)
	}
}

func TestOpenByCheckpoint(t *testing.T) {
	disk := vfs.NewMem()
	s := many(t, disk)
	if size := s.journal.size; size == 0 || size > leastJournal {
		t.Errorf("a journal of %d: want one behind a checkpoint", size)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s, log := reopen(t, disk)
	if s.journal.stale || log.Len() > 0 || s.truth.verified() {
		t.Errorf("the documents were read: %s", log)
	}
	mustBeSound(t, s)
}

// alter changes the truth of a closed store.
func alter(t *testing.T, disk vfs.FS, f func(b *pebble.Batch, db *pebble.DB) error) {
	t.Helper()
	db, err := pebble.Open("data/truth", &pebble.Options{FS: disk, FormatMajorVersion: pebble.FormatValueSeparation, Logger: quiet{}})
	if err != nil {
		t.Fatal(err)
	}
	b := db.NewBatch()
	if err := errors.Join(f(b, db), b.Commit(pebble.Sync), db.Close()); err != nil {
		t.Fatal(err)
	}
}

type quiet struct{}

func (quiet) Infof(string, ...any)  {}
func (quiet) Errorf(string, ...any) {}
func (quiet) Fatalf(string, ...any) {}

func valueOf(t *testing.T, db *pebble.DB, key []byte) []byte {
	t.Helper()
	var out []byte
	if err := get(db, key, func(b []byte) error { out = slices.Clone(b); return nil }); err != nil {
		t.Fatal(err)
	}
	return out
}

// A checkpoint or journal that does not lead to the truth's revision is made anew.
func TestCheckpointIsThrownAway(t *testing.T) {
	first := func(db *pebble.DB) (key, value []byte) {
		err := scan(t.Context(), db, []byte{journalPrefix}, after([]byte{journalPrefix}), func(k, v []byte) (bool, error) {
			key, value = slices.Clone(k), slices.Clone(v)
			return false, nil
		})
		if err != nil || key == nil {
			t.Fatal("there is no journal", err)
		}
		return key, value
	}
	for name, damage := range map[string]func(*pebble.Batch, *pebble.DB) error{
		"no checkpoint": func(b *pebble.Batch, _ *pebble.DB) error { return b.Delete([]byte(checkpointKey), nil) },
		"flipped checkpoint": func(b *pebble.Batch, db *pebble.DB) error {
			v := valueOf(t, db, []byte(checkpointKey))
			v[len(v)/2] ^= 1
			return b.Set([]byte(checkpointKey), v, nil)
		},
		"an empty one of another revision": func(b *pebble.Batch, _ *pebble.DB) error {
			v, err := encodeCheckpoint(3, nil)
			return errors.Join(err, b.Set([]byte(checkpointKey), v, nil))
		},
		"a gap in the journal": func(b *pebble.Batch, db *pebble.DB) error {
			key, _ := first(db)
			return b.Delete(key, nil)
		},
		"flipped journal": func(b *pebble.Batch, db *pebble.DB) error {
			key, v := first(db)
			v[len(v)-1] ^= 1
			return b.Set(key, v, nil)
		},
		"a class that is not there": func(b *pebble.Batch, db *pebble.DB) error {
			key, v := first(db)
			var ghost []byte
			for _, n := range []uint64{0, 1, 77, 1, 1, 1, 1} {
				ghost = binary.AppendUvarint(ghost, n)
			}
			v = append(v[:len(v):len(v)], appendString(ghost, "en")...)
			return b.Set(key, seal(key, v), nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			disk := vfs.NewMem()
			if err := many(t, disk).Close(); err != nil {
				t.Fatal(err)
			}
			alter(t, disk, damage)
			s, _ := reopen(t, disk)
			if !s.truth.verified() {
				t.Error("the documents were not read")
			}
			mustBeSound(t, s)
			s, _ = reopen(t, disk)
			if s.truth.verified() {
				t.Error("the checkpoint that was made is of no use")
			}
			mustBeSound(t, s)
		})
	}
}

// answersTo returns how many hits and documents there are for a person.
func answersTo(t *testing.T, s *Store, who acl.Subject) (hits, documents int) {
	t.Helper()
	v, err := s.View(t.Context(), acl.NewPrincipal(who), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	found, err := v.SearchText(t.Context(), index.TextQuery{Terms: analyze.Query("secret", v.Languages()), BM25: index.BM25{K1: 1.2, B: .75, Title: 3}}, 10)
	if err != nil {
		t.Fatal(err)
	}
	listed, err := v.Documents(t.Context(), "wiki/secret", "", 10)
	if _, _, one := v.Document(t.Context(), "wiki/secret"); err != nil || (one == nil) != (len(listed) > 0) {
		t.Fatal("list and document differ", err, one)
	}
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	return len(found), len(listed)
}

// A document's record that is as it was before a revoke brings back nothing: the
// checkpoint says otherwise, and when the documents were read the store stops.
func TestOlderRecordBringsBackNothing(t *testing.T) {
	for name, texts := range map[string][]string{"with chunks": {"secret"}, "without": nil} {
		t.Run(name, func(t *testing.T) {
			disk := vfs.NewMem()
			s := many(t, disk)
			putFor(t, s, "wiki/secret", "user:ann", texts...)
			before := valueOf(t, s.truth.db, documentKey("wiki/secret"))
			if hits, documents := answersTo(t, s, "user:ann"); hits != len(texts) || documents != 1 {
				t.Fatalf("before: %d hits, %d documents", hits, documents)
			}
			if err := errors.Join(s.SetACL(t.Context(), "wiki/secret", acl.Allow("user:bob")), s.Close()); err != nil {
				t.Fatal(err)
			}
			alter(t, disk, func(b *pebble.Batch, _ *pebble.DB) error { return b.Set(documentKey("wiki/secret"), before, nil) })
			s, _ = reopen(t, disk)
			v, err := s.View(t.Context(), acl.NewPrincipal("user:ann"), time.Now())
			if err != nil {
				t.Fatal(err)
			}
			if _, _, err := v.Document(t.Context(), "wiki/secret"); err == nil {
				t.Error("the revoked document is shown")
			}
			if listed, err := v.Documents(t.Context(), "wiki/secret", "", 10); err == nil && len(listed) > 0 {
				t.Error("the revoked document is listed")
			}
			lost, ok := errors.AsType[*LostError](s.truth.awaitVerified(t.Context()))
			if !ok {
				t.Fatal("the store goes on")
			}
			if _, err := s.View(t.Context(), acl.NewPrincipal("user:ann"), time.Now()); !errors.Is(err, lost) {
				t.Errorf("view of a store that stopped: %v", err)
			}
			_ = errors.Join(v.Close(), s.Close()) // they say it again
			if _, err := Open("data", Options{FS: disk}); err == nil {
				t.Error("it is opened again")
			}
		})
	}
}

// A checkpoint that is not what the documents say shows nothing that they do not
// allow, stops the store, and is not there any more for the next start.
func TestWrongCheckpointStops(t *testing.T) {
	disk := vfs.NewMem()
	s := many(t, disk)
	putFor(t, s, "wiki/secret", "user:ann", "secret")
	cs := generationClasses{0: {}}
	for id, c := range s.state.classes.all() { // everything is readable for everyone who reads anything
		wrong := c.clone()
		for _, other := range s.state.classes.all() {
			wrong.live.Or(other.live)
		}
		cs[0][id] = wrong
	}
	record, err := encodeCheckpoint(s.state.meta.Revision, cs)
	if err = errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	alter(t, disk, func(b *pebble.Batch, _ *pebble.DB) error { return putCheckpoint(b, record) })
	s, _ = reopen(t, disk)
	v, err := s.View(t.Context(), acl.NewPrincipal("user:bob"), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	hits, err := v.SearchText(t.Context(), index.TextQuery{Terms: analyze.Query("secret", v.Languages()), BM25: index.BM25{K1: 1.2, B: .75, Title: 3}}, 10)
	if err != nil || len(hits) != 1 {
		t.Fatalf("%d hits, %v: the checkpoint was not believed", len(hits), err)
	}
	if _, err := v.Chunks(t.Context(), []index.ChunkID{hits[0].ID}); !errors.Is(err, index.ErrNotFound) {
		t.Errorf("the gate lets it through: %v", err)
	}
	if _, ok := errors.AsType[*LostError](s.truth.awaitVerified(t.Context())); !ok {
		t.Error("the store goes on")
	}
	_ = errors.Join(v.Close(), s.Close()) // they say it again
	s, _ = reopen(t, disk)
	if hits, _ := answersTo(t, s, "user:bob"); hits != 0 {
		t.Errorf("%d hits after the restart", hits)
	}
	mustBeSound(t, s)
}
