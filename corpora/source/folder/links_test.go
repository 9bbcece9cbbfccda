//go:build unix

package folder_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"ken/corpora/source/folder"
)

// What is reached through a link would be judged by the link's path.
func TestLinksAreNotFollowed(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	write(t, outside, "secret.md", "secret")
	write(t, dir, "people/pay.md", "pay")
	link := func(to, name string) {
		t.Helper()
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	link(filepath.Join(outside, "secret.md"), "absolute.md")
	link("../"+filepath.Base(outside)+"/secret.md", "relative.md")
	link(outside, "dir")
	link("nowhere.md", "dangling.md")
	link("people/pay.md", "inside.md")
	link(".", "loop")

	r := read(t, open(t, dir, folder.Options{Owner: "user:me"}))
	if want := []string{"people/pay.md"}; !slices.Equal(r.order, want) || !r.complete {
		t.Errorf("documents %v, complete %v; want %v", r.order, r.complete, want)
	}
	for name, says := range map[string]string{
		"absolute.md": "leads nowhere or out of the folder",
		"relative.md": "leads nowhere or out of the folder",
		"dir":         "leads nowhere or out of the folder",
		"dangling.md": "leads nowhere or out of the folder",
		"inside.md":   "is indexed under its own path",
		"loop":        "is indexed under its own path",
	} {
		if err := r.errs[name]; !errors.Is(err, folder.ErrNotRegular) || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), outside) {
			t.Errorf("%s: error %v, want one that says %q and not where", name, err, says)
		}
	}
}

// A file that becomes a link between listing and load is not followed either.
func TestLinkAfterTheListing(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	write(t, outside, "secret.md", "secret")
	write(t, dir, "a.md", "text")
	for c, err := range open(t, dir, folder.Options{}).Changes(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		if c.Load == nil {
			continue
		}
		remove(t, dir, "a.md")
		if err := os.Symlink(filepath.Join(outside, "secret.md"), filepath.Join(dir, "a.md")); err != nil {
			t.Fatal(err)
		}
		if _, data, err := c.Load(t.Context()); !errors.Is(err, folder.ErrNotRegular) || data != nil {
			t.Errorf("%q, %v", data, err)
		}
	}
}

func TestSidecarLinkClosesItsDocument(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.md", "text")
	write(t, dir, "acl/shared", "[user:ann]")
	if err := os.Symlink("acl/shared", filepath.Join(dir, "a.md.acl.yaml")); err != nil {
		t.Fatal(err)
	}
	if r := read(t, open(t, dir, folder.Options{Owner: "user:me"})); !errors.Is(r.errs["a.md"], folder.ErrSidecar) || r.docs["a.md"].ID != "" {
		t.Errorf("errors %v, documents %v", r.errs, r.order)
	}
}

// Reading a pipe that nobody writes to would never end.
func TestPipesAreNotOpened(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"pipe.md", "b.md.acl.yaml"} {
		if err := syscall.Mkfifo(filepath.Join(dir, name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(t, dir, "b.md", "text")
	r := read(t, open(t, dir, folder.Options{}))
	if err := r.errs["pipe.md"]; !errors.Is(err, folder.ErrNotRegular) || !strings.Contains(err.Error(), "named pipe") {
		t.Errorf("pipe.md: %v", err)
	}
	if err := r.errs["b.md"]; !errors.Is(err, folder.ErrSidecar) {
		t.Errorf("b.md: %v", err)
	}
}

// A folder on the way that becomes a link shows other files under its paths,
// which other rules protect.
func TestFolderLinkAfterTheListing(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "people/pay.md", "secret")
	write(t, dir, "public/pay.md", "text")
	for c, err := range open(t, dir, folder.Options{Name: "h"}).Changes(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		if c.ID != "h/public/pay.md" {
			continue
		}
		if err := os.Rename(filepath.Join(dir, "public"), filepath.Join(dir, "gone")); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink("people", filepath.Join(dir, "public")); err != nil {
			t.Fatal(err)
		}
		if d, data, err := c.Load(t.Context()); !errors.Is(err, folder.ErrNotRegular) {
			t.Errorf("%+v, %q, %v", d, data, err)
		}
	}
}

// Whatever changes a document's text or permissions changes its stamp, also if
// somebody sets the times back.
func TestStampFollowsEveryChange(t *testing.T) {
	then := time.Unix(1e9, 0)
	for name, change := range map[string]func(dir string){
		"same size, same time": func(dir string) {
			write(t, dir, "a.md", "two")
			touch(t, dir, "a.md", then)
		},
		"another file, same size and time": func(dir string) {
			write(t, dir, "new", "two")
			touch(t, dir, "new", then)
			if err := os.Rename(filepath.Join(dir, "new"), filepath.Join(dir, "a.md")); err != nil {
				t.Error(err)
			}
		},
		"a sidecar":                       func(dir string) { write(t, dir, "a.md.acl.yaml", "[user:b]") },
		"a sidecar of same size and time": func(dir string) { write(t, dir, "b.md.acl.yaml", "[user:c]"); touch(t, dir, "b.md.acl.yaml", then) },
		"no sidecar":                      func(dir string) { remove(t, dir, "b.md.acl.yaml") },
		"a policy":                        func(dir string) { write(t, dir, ".ken/acl.yaml", "version: 1\ndefault: {allow: [group:x]}\n") },
		"a deny": func(dir string) {
			write(t, dir, ".ken/acl.yaml", "version: 1\ndefault: {allow: [everyone], deny: [user:x]}\n")
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, ".ken/acl.yaml", "version: 1\ndefault: {allow: [everyone]}\n")
			for file, text := range map[string]string{"a.md": "one", "b.md": "one", "b.md.acl.yaml": "[user:b]"} {
				write(t, dir, file, text)
				touch(t, dir, file, then)
			}
			s := open(t, dir, folder.Options{})
			before := read(t, s).docs
			change(dir)
			after := read(t, s).docs
			if before["a.md"].Stamp == after["a.md"].Stamp && before["b.md"].Stamp == after["b.md"].Stamp {
				t.Error("the stamps are the same")
			}
		})
	}
}

func TestRenames(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.md", "text")
	s := open(t, dir, folder.Options{})
	for _, name := range []string{"b.md", "B.md", "d/B.md"} {
		before := read(t, s).order[0]
		if err := os.MkdirAll(filepath.Join(dir, "d"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(filepath.Join(dir, before), filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
		if r := read(t, s); !slices.Equal(r.order, []string{name}) || !r.complete {
			t.Errorf("documents %v, want %s alone", r.order, name)
		}
	}
}
