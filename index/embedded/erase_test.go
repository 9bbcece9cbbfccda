package embedded_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/index"
	"ken/index/embedded"
)

// A word that no compression shortens, so that it stands in the files as it is.
const canary = "xq7zkv2wp9tj4mh8"

// filesWith lists the files below dir that hold the text.
func filesWith(t *testing.T, dir, text string) (found []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if bytes.Contains(bytes.ToLower(data), []byte(text)) {
			found = append(found, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// What was erased leaves no byte on disk once the store is compacted: neither in
// texts, nor in dictionaries, nor in the logs that Pebble keeps to use again.
func TestErasedBytesAreGone(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, embedded.Options{})
	var batch []index.Entry
	for i := range 300 {
		batch = append(batch, entry(fmt.Sprintf("wiki/%03d", i), fmt.Sprintf("Page %d is about leave and pay.", i)))
	}
	batch = append(batch, entry("wiki/secret", "The code is "+canary+".", "A second chunk."), entry("wiki/old", "Before: "+canary))
	if err := s.Replace(t.Context(), batch...); err != nil {
		t.Fatal(err)
	}
	if err := s.Replace(t.Context(), entry("wiki/old", "After.")); err != nil {
		t.Fatal(err)
	}
	if err := s.Reopen(); err != nil { // the texts go from the log to a table
		t.Fatal(err)
	}
	if err := s.Replace(t.Context(), entry("wiki/secret", "Again "+canary)); err != nil {
		t.Fatal(err)
	}
	view, err := s.View(t.Context(), everyone, noon)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Erase(t.Context(), "wiki/secret"); err != nil {
		t.Fatal(err)
	}
	if len(filesWith(t, dir, canary)) == 0 {
		t.Fatal("the canary is in no file before: this test could not fail")
	}
	time.AfterFunc(50*time.Millisecond, func() { view.Close() }) // Compact waits for it
	if err := s.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	if found := filesWith(t, dir, canary); len(found) > 0 {
		t.Errorf("the canary is still in %v", found)
	}
	if n := len(collect(t, s)); n != 301 {
		t.Errorf("%d documents are left, want 301", n)
	}
	for range 2 {
		if problems, err := s.Problems(t.Context()); err != nil || len(problems) > 0 {
			t.Fatalf("check: %v, %v", problems, err)
		}
		if err := s.Reopen(); err != nil {
			t.Fatal(err)
		}
	}
	if found := filesWith(t, dir, canary); len(found) > 0 {
		t.Errorf("after a restart the canary is in %v", found)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func collect(t *testing.T, s *reopened) (ids []string) {
	t.Helper()
	for e, err := range s.Entries(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, string(e.Document.ID))
	}
	return ids
}

// An erased id is refused until it is readmitted, also after a restart.
func TestErasedIDsStayAway(t *testing.T) {
	s := open(t, t.TempDir(), embedded.Options{})
	hashes := func() (out []string) {
		for h, err := range s.Erased(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, h)
		}
		return out
	}
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	check(s.Replace(t.Context(), entry("wiki/a", "one"), entry("wiki/b", "two"), entry("wiki/c", "three")))
	check(s.Erase(t.Context(), "wiki/a", "wiki/never-there"))
	check(s.EraseHashes(t.Context(), embedded.ErasedHash("wiki/b")))
	check(s.Reopen())
	if got := collect(t, s); !slices.Equal(got, []string{"wiki/c"}) {
		t.Errorf("left are %v, want wiki/c", got)
	}
	for _, id := range []string{"wiki/a", "wiki/b", "wiki/never-there"} {
		if err := s.Replace(t.Context(), entry(id, "again"), entry("wiki/d", "beside it")); !errors.Is(err, index.ErrErased) {
			t.Errorf("%s came back: %v", id, err)
		}
		if !slices.Contains(hashes(), embedded.ErasedHash(corpora.DocID(id))) {
			t.Errorf("%s is not among the erased", id)
		}
	}
	if got := collect(t, s); !slices.Equal(got, []string{"wiki/c"}) {
		t.Errorf("a refused batch left %v", got)
	}
	check(s.Readmit(t.Context(), "wiki/a"))
	check(s.Replace(t.Context(), entry("wiki/a", "again")))
	if err := s.EraseHashes(t.Context(), "x"); err == nil || !strings.Contains(err.Error(), "no hash") {
		t.Errorf("a wrong hash: %v", err)
	}
	check(s.Close())
}

// An id can be a name: of an erased document it leaves the disk too, out of the
// past of its lists as well.
func TestErasedIDsAreGone(t *testing.T) {
	dir, id := t.TempDir(), corpora.DocID("wiki/"+canary)
	s := open(t, dir, embedded.Options{})
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	check(s.Replace(t.Context(), entry(string(id), "one"), entry("wiki/a", "two")))
	check(s.SetACL(t.Context(), id, acl.Allow("user:ann")))
	if past, err := s.History(t.Context(), id); err != nil || len(past) == 0 {
		t.Fatalf("no past before: %v, %v", past, err)
	}
	check(s.Erase(t.Context(), id))
	if past, err := s.History(t.Context(), id); err != nil || len(past) != 0 {
		t.Errorf("the past is kept: %v, %v", past, err)
	}
	check(s.Compact(t.Context()))
	check(s.Reopen()) // Pebble's list of tables names the first and the last key of each
	if found := filesWith(t, dir, canary); len(found) > 0 {
		t.Errorf("the id is still in %v", found)
	}
	check(s.Close())
}
