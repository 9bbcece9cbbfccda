package embedded_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"ken/index"
	"ken/index/embedded"
)

// A pinned version outlives all bounds but its document, takes no other's place, and
// opens to nobody whom it was closed to.
func TestPins(t *testing.T) {
	s := open(t, "data", embedded.Options{FS: vfs.NewMem()})
	s.KeepVersions(1)
	step := func(what string, err error, want, wantAnn string) {
		t.Helper()
		if err != nil {
			t.Fatal(what, err)
		}
		if got := kept(t, s, "w/a", everyone); got != want {
			t.Errorf("%s: everyone reads %q, want %q", what, got, want)
		}
		if got := kept(t, s, "w/a", ann); got != wantAnn {
			t.Errorf("%s: ann reads %q, want %q", what, got, wantAnn)
		}
		if problems, err := s.Problems(t.Context()); err != nil || len(problems) > 0 {
			t.Fatalf("%s: %v, %v", what, problems, err)
		}
	}
	put := func(n int) error { return s.Replace(t.Context(), version("w/a", n, all, fmt.Sprint("text ", n))) }
	pin := func(n int) error { return s.Pin(t.Context(), "w/a", fmt.Sprint("v", n)) }
	unpin := func(n int) error { return s.Unpin(t.Context(), "w/a", fmt.Sprint("v", n)) }
	drop := func(most int) error {
		s.KeepVersions(most)
		_, err := s.DropVersions(t.Context(), func(v index.Version, age int) bool { return !v.Pinned && age > most })
		return err
	}

	step("new, for hr", s.Replace(t.Context(), version("w/a", 1, hr, "text 1")), "not found", "")
	step("pinned", pin(1), "not found", "now!")
	step("replaced", put(2), "", "v1:text 1!")
	step("twice", put(3), "v2:text 2", "v2:text 2 v1:text 1!")
	step("and again", put(4), "v3:text 3", "v3:text 3 v1:text 1!")
	step("an earlier one pinned", pin(3), "v3:text 3!", "v3:text 3! v1:text 1!")
	step("and replaced", put(5), "v4:text 4 v3:text 3!", "v4:text 4 v3:text 3! v1:text 1!")
	step("it comes back", put(3), "now! v5:text 5", "now! v5:text 5 v1:text 1!")
	step("and goes", put(6), "v3:text 3! v5:text 5", "v3:text 3! v5:text 5 v1:text 1!")
	step("none are kept any more", drop(0), "v3:text 3!", "v3:text 3! v1:text 1!")
	step("a write where none are kept", put(7), "v3:text 3!", "v3:text 3! v1:text 1!")
	step("another one pinned", pin(7), "now! v3:text 3!", "now! v3:text 3! v1:text 1!")
	step("and replaced where none are kept", put(8), "v7:text 7! v3:text 3!", "v7:text 7! v3:text 3! v1:text 1!")
	step("opened again", s.Reopen(), "v7:text 7! v3:text 3!", "v7:text 7! v3:text 3! v1:text 1!")
	step("unpinned", unpin(3), "v7:text 7! v3:text 3", "v7:text 7! v3:text 3 v1:text 1!")
	step("and dropped", drop(0), "v7:text 7!", "v7:text 7! v1:text 1!")
	for what, err := range map[string]error{
		"a version that is not there": pin(2), "of a document that is not there": s.Pin(t.Context(), "w/none", "v1"), "not pinned": unpin(8), "of nothing": s.Unpin(t.Context(), "w/none", "v1"),
	} {
		if !errors.Is(err, index.ErrNotFound) {
			t.Errorf("%s: %v", what, err)
		}
	}
	step("it was kept long enough", func() error {
		_, err := s.DropVersions(t.Context(), func(v index.Version, _ int) bool { return v.Document.Version == "v7" })
		return err
	}(), "", "v1:text 1!")
	step("deleted and put anew", errors.Join(s.Delete(t.Context(), "w/a"), put(1), put(9)), "", "")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
