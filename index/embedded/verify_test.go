package embedded

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"ken/corpora/acl"
)

// Compact does not say that the bytes of an erased document are gone while the
// files that hold them are still looked at.
func TestCompactWaitsForWhoVerifiesFiles(t *testing.T) {
	disk := vfs.NewMem()
	if err := many(t, disk).Close(); err != nil {
		t.Fatal(err)
	}
	s, _ := reopen(t, disk)
	before, err := disk.List("data/segments")
	if err != nil || len(before) == 0 {
		t.Fatal("no files", err)
	}
	looking, goOn, ended := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		s.verifyFile(t.Context(), map[string]bool{}, func(context.Context) { close(looking); <-goOn })
	}()
	<-looking
	kept := func() bool {
		now, err := disk.List("data/segments")
		if err != nil {
			t.Fatal(err)
		}
		return slices.ContainsFunc(before, func(name string) bool { return slices.Contains(now, name) })
	}
	if err := s.Erase(t.Context(), "wiki/1"); err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := s.Compact(short); err == nil && kept() {
		t.Error("it is compacted, and a file with the erased document is still there")
	} else if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	close(goOn)
	<-ended
	if err := s.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	if kept() {
		t.Error("a file with the erased document is there when nobody looks at it any more")
	}
	mustBeSound(t, s)
}

// Until the documents were looked at, a record may name a class that no other one
// speaks of. A write of it is refused, and those after it go on.
func TestWriteOfDamagedDocumentIsRefused(t *testing.T) {
	disk := vfs.NewMem()
	if err := many(t, disk).Close(); err != nil {
		t.Fatal(err)
	}
	alter(t, disk, func(b *pebble.Batch, db *pebble.DB) error {
		h, d, err := getDocument(db, "wiki/1")
		h.class = 77
		record, encoding := encodeDocument(h, d)
		return errors.Join(err, encoding, b.Set(documentKey("wiki/1"), record, nil))
	})
	s, _ := reopen(t, disk)
	if s.truth.verified() {
		t.Fatal("the documents were read: this test could not fail")
	}
	if err := s.SetACL(t.Context(), "wiki/1", acl.Allow("user:eve")); !errors.Is(err, errTruth) {
		t.Errorf("revoke: %v", err)
	}
	if err := s.Delete(t.Context(), "wiki/1"); !errors.Is(err, errTruth) {
		t.Errorf("delete: %v", err)
	}
	if err := s.SetACL(t.Context(), "wiki/2", acl.Allow("user:eve")); err != nil {
		t.Error(err)
	}
	if _, ok := errors.AsType[*LostError](s.truth.awaitVerified(t.Context())); !ok {
		t.Error("the store goes on")
	}
	_ = s.Close() // it says so again
}
