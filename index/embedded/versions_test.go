package embedded_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/index"
	"ken/index/embedded"
)

// version is the entry of a document in its nth version.
func version(id string, n int, l acl.List, texts ...string) index.Entry {
	e := entry(id, texts...)
	e.Document.Version, e.Document.ACL = fmt.Sprintf("v%d", n), l
	return e
}

// kept lists the earlier versions that the principal may read, as "v2:text v1:text".
func kept(t *testing.T, s *reopened, id corpora.DocID, who acl.Principal) string {
	t.Helper()
	view, err := s.View(t.Context(), who, noon)
	if err != nil {
		t.Fatal(err)
	}
	defer view.Close()
	versions := view.(index.Versioned)
	all, pinned, err := versions.Versions(t.Context(), id)
	if errors.Is(err, index.ErrNotFound) {
		return "not found"
	}
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	if pinned {
		out = append(out, "now!")
	}
	for _, v := range all {
		got, text, err := versions.Version(t.Context(), id, v.Document.Version)
		if err != nil || got.Document.Version != v.Document.Version {
			t.Fatalf("version %s is listed and reads %v, %v", v.Document.Version, got, err)
		}
		if v.Document.Stamp != "" || len(v.Document.ACL.Allow()) > 0 {
			t.Errorf("version %s shows its list or stamp", v.Document.Version)
		}
		out = append(out, v.Document.Version+":"+strings.ReplaceAll(strings.TrimSpace(text), "\n", "|"))
		if v.Pinned {
			out[len(out)-1] += "!"
		}
	}
	return strings.Join(out, " ")
}

var (
	all = acl.Allow(acl.Everyone)
	hr  = acl.Allow("group:hr")
	ann = acl.NewPrincipal("user:ann", "group:hr")
)

// The life of a document whose two newest earlier versions are kept.
func TestVersionsAreKept(t *testing.T) {
	s := open(t, "data", embedded.Options{FS: vfs.NewMem(), Clock: func() time.Time { return noon }})
	s.KeepVersions(2)
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
	put := func(n int, l acl.List, texts ...string) error {
		return s.Replace(t.Context(), version("w/a", n, l, texts...))
	}
	step("new", put(1, all, "one", "uno"), "", "")
	step("the same again", put(1, all, "one", "uno"), "", "")
	step("changed", put(2, all, "two"), "v1:one|uno", "v1:one|uno")
	step("changed again", put(3, all, "three"), "v2:two v1:one|uno", "v2:two v1:one|uno")
	step("one more than are kept", put(4, all), "v3:three v2:two", "v3:three v2:two")
	step("back as it was", put(2, all, "two"), "v4: v3:three", "v4: v3:three")
	if err := s.Reopen(); err != nil {
		t.Fatal(err)
	}
	s.KeepVersions(2)
	step("closed", s.SetACL(t.Context(), "w/a", hr), "not found", "v4: v3:three")
	step("changed while it is closed", put(5, hr, "secret"), "not found", "v2:two v4:")
	step("changed and opened", put(6, all, "public"), "", "v5:secret v2:two")
	_, err := s.DropVersions(t.Context(), func(v index.Version, age int) bool { return age > 1 })
	step("the policy keeps one", err, "", "v5:secret")
	step("deleted", s.Delete(t.Context(), "w/a"), "not found", "not found")
	step("the id comes back", put(7, all, "seven"), "", "")
	s.KeepVersions(0)
	step("none are kept", put(8, all, "eight"), "", "")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// What may not be read, what is not kept and what never was are one error.
func TestAnUnknownVersionIsNotFound(t *testing.T) {
	s := open(t, "data", embedded.Options{FS: vfs.NewMem()})
	s.KeepVersions(3)
	for _, e := range []index.Entry{
		version("w/hidden", 1, hr, "secret"), version("w/hidden", 2, hr, "more"),
		version("w/opened", 1, hr, "secret"), version("w/opened", 2, all, "open"),
		version("w/open", 1, all, "first"), version("w/open", 2, all, "second"),
	} {
		if err := s.Replace(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	view, err := s.View(t.Context(), everyone, noon)
	if err != nil {
		t.Fatal(err)
	}
	defer view.Close()
	for _, c := range []struct{ id, version string }{
		{"w/hidden", "v1"}, {"w/hidden", "v2"}, {"w/opened", "v1"}, {"w/open", "v9"}, {"w/open", ""}, {"w/none", "v1"}, {"", ""},
	} {
		if v, text, err := view.(index.Versioned).Version(t.Context(), corpora.DocID(c.id), c.version); !errors.Is(err, index.ErrNotFound) || text != "" || v.Document.Title != "" {
			t.Errorf("%s %s: %v %q %v", c.id, c.version, v, text, err)
		}
	}
	if _, text, err := view.(index.Versioned).Version(t.Context(), "w/open", "v1"); err != nil || text != "first\n" {
		t.Errorf("w/open v1: %q, %v", text, err)
	}
}

// An earlier version leaves the disk with its document, and when it is dropped.
func TestErasedVersionsAreGone(t *testing.T) {
	remove := map[string]func(*reopened) error{
		"delete": func(s *reopened) error { return s.Delete(t.Context(), "w/a") },
		"erase":  func(s *reopened) error { return s.Erase(t.Context(), "w/a") },
		"drop": func(s *reopened) error {
			_, err := s.DropVersions(t.Context(), func(index.Version, int) bool { return true })
			return err
		},
	}
	for name, do := range remove {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := open(t, dir, embedded.Options{})
			s.KeepVersions(1)
			for _, e := range []index.Entry{version("w/a", 1, all, "The code is "+canary), version("w/a", 2, all, "No code."), version("w/b", 1, all, "Other.")} {
				if err := s.Replace(t.Context(), e); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.Compact(t.Context()); err != nil {
				t.Fatal(err)
			}
			if len(filesWith(t, dir, canary)) == 0 {
				t.Fatal("the version is in no file after a compaction: this test could not fail")
			}
			if err := errors.Join(do(s), s.Compact(t.Context())); err != nil {
				t.Fatal(err)
			}
			if found := filesWith(t, dir, canary); len(found) > 0 {
				t.Errorf("the canary is still in %v", found)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// Of documents that are replaced several times before a commit, and by writers
// that share one, no version is lost or there twice.
func TestVersionsOfConcurrentWriters(t *testing.T) {
	s := open(t, "data", embedded.Options{FS: vfs.NewMem()})
	s.KeepVersions(100)
	done := make(chan error)
	for n := range 20 {
		go func() { done <- s.Replace(t.Context(), version("w/a", n, all, fmt.Sprintf("text %d", n))) }()
	}
	for range 20 {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	got := strings.Split(strings.ReplaceAll(kept(t, s, "w/a", everyone), ":text ", ":"), " ")
	slices.Sort(got)
	if len(slices.Compact(got)) != 19 {
		t.Errorf("kept %v, want 19 versions", got)
	}
	for _, v := range got {
		if n, text, _ := strings.Cut(v, ":"); n != "v"+text {
			t.Errorf("version %s has the text of %s", n, text)
		}
	}
	if problems, err := s.Problems(t.Context()); err != nil || len(problems) > 0 {
		t.Errorf("%v, %v", problems, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
