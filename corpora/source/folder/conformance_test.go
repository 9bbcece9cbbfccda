package folder_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"ken/corpora/acl"
	"ken/corpora/source/folder"
	"ken/corpora/sourcetest"
)

func TestConformance(t *testing.T) {
	t.Run("directory", func(t *testing.T) { sourcetest.Run(t, directory) })
	t.Run("file system without times", func(t *testing.T) { sourcetest.Run(t, embedded) })
}

// directory says who may read in sidecars.
func directory(t *testing.T) sourcetest.Fixture {
	dir := t.TempDir()
	return sourcetest.Fixture{
		Source: open(t, dir, folder.Options{Name: "handbook"}),
		Put:    func(name, text string) { write(t, dir, name, text) },
		Remove: func(name string) { remove(t, dir, name) },
		SetACL: func(name string, who ...acl.Subject) { write(t, dir, name+".acl.yaml", list(who)) },
		Spoil:  func(name string) { write(t, dir, name+".acl.yaml", "alow: [user:ann]\n") },
		Break:  func() { write(t, dir, ".ken/acl.yaml", "version: 1\nrule: []\n") },
	}
}

// embedded says who may read in the policy file.
func embedded(t *testing.T) sourcetest.Fixture {
	fsys := fstest.MapFS{}
	rules := "version: 1\nrules:\n"
	s, err := folder.New(fsys, folder.Options{Name: "sample"})
	if err != nil {
		t.Fatal(err)
	}
	return sourcetest.Fixture{
		Source: s,
		Put:    func(name, text string) { fsys[name] = &fstest.MapFile{Data: []byte(text)} },
		Remove: func(name string) { delete(fsys, name) },
		SetACL: func(name string, who ...acl.Subject) {
			fsys[".ken/acl.yaml"] = &fstest.MapFile{Data: []byte(rules + "  - {path: " + name + ", allow: " + list(who) + "}\n")}
		},
		Spoil: func(name string) { fsys[name] = &fstest.MapFile{Data: []byte("---\nacl: [ann]\n---\n")} },
		Break: func() { fsys[".ken/acl.yaml"] = &fstest.MapFile{Data: []byte("version: 1\nrule: []\n")} },
	}
}

func list(who []acl.Subject) string {
	out := make([]string, len(who))
	for i, s := range who {
		out[i] = string(s)
	}
	return "[" + strings.Join(out, ", ") + "]"
}

func open(t *testing.T, dir string, o folder.Options) *folder.Source {
	t.Helper()
	s, err := folder.Open(dir, o)
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

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	file := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, dir, name string) {
	t.Helper()
	if err := os.Remove(filepath.Join(dir, filepath.FromSlash(name))); err != nil {
		t.Fatal(err)
	}
}

// touch gives the file a time, so that no test depends on the clock's grain.
func touch(t *testing.T, dir, name string, at time.Time) {
	t.Helper()
	if err := os.Chtimes(filepath.Join(dir, name), at, at); err != nil {
		t.Fatal(err)
	}
}
