package embedded_test

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"ken/corpora/acl"
	"ken/index/embedded"
	"ken/index/indextest"
)

// older returns a disk with a directory of version 3, which the script of package
// indextest and a revoke wrote, and what it holds.
func older(t *testing.T) (*vfs.MemFS, *indextest.Oracle) {
	t.Helper()
	archive, err := zip.OpenReader("testdata/version3.zip")
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	disk := vfs.NewMem()
	for _, f := range archive.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		name := path.Join("data", f.Name)
		err = errors.Join(err, r.Close(), disk.MkdirAll(path.Dir(name), 0o700))
		if err != nil {
			t.Fatal(err)
		}
		w, err := disk.Create(name, vfs.WriteCategoryUnspecified)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(data); errors.Join(err, w.Sync(), w.Close()) != nil {
			t.Fatal(err)
		}
	}
	oracle := indextest.NewOracle()
	for _, step := range indextest.Script() {
		if err := step.Do(t.Context(), oracle); err != nil {
			t.Fatal(err)
		}
	}
	if err := oracle.SetACL(t.Context(), "wiki/five.md", acl.List{}); err != nil {
		t.Fatal(err)
	}
	return disk, oracle
}

// upgradeFailure makes an operation fail that is not Pebble's.
type upgradeFailure struct{ *failure }

func (f upgradeFailure) MaybeError(op errorfs.Op) error {
	if strings.Contains(op.Path, "truth") {
		return nil
	}
	return f.failure.MaybeError(op)
}

// A directory of the version before is changed into one of this version, whichever
// file operation fails the first time.
func TestUpgrade(t *testing.T) {
	for n := 1; ; n++ {
		disk, oracle := older(t)
		f := &failure{left: n, armed: true}
		s, err := embedded.Open("data", embedded.Options{FS: errorfs.Wrap(disk, upgradeFailure{f})})
		if err == nil {
			_ = s.Close()
		}
		again := vfs.NewMem() // without the locks of a store that may have stopped
		if _, err := vfs.Clone(disk, again, "data", "data"); err != nil {
			t.Fatal(err)
		}
		after, err := embedded.Open("data", embedded.Options{FS: again})
		if err != nil {
			t.Fatalf("with %s failing: %v", f.hit, err)
		}
		sound(t, after, f.hit, oracle)
		if got := string(content(t, again, "data/FORMAT")); got != "ken index 4\n" {
			t.Errorf("with %s failing: FORMAT %q", f.hit, got)
		}
		if f.hit == "" {
			t.Logf("%d operations", n)
			return
		}
	}
}

// A damaged file of the version before is refused and left as it is.
func TestUpgradeRefusesDamage(t *testing.T) {
	disk, _ := older(t)
	names, err := disk.List("data/segments")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		file := path.Join("data/segments", name)
		size := len(content(t, disk, file))
		for _, at := range positions(size, 60) {
			broken := damaged(t, disk, file, func(b []byte) []byte { b[at] ^= 1; return b })
			before := content(t, broken, file)
			if _, err := embedded.Open("data", embedded.Options{FS: broken}); err == nil {
				t.Errorf("%s flipped at %d: no error", name, at)
			}
			if !slices.Equal(content(t, broken, file), before) {
				t.Errorf("%s flipped at %d: it was changed", name, at)
			}
		}
	}
}

// What the next open finds is what the truth says, after any number of commits
// since the checkpoint, in all generations.
func TestOpenAfterManyCommits(t *testing.T) {
	disk, oracle := vfs.NewMem(), indextest.NewOracle()
	s := open(t, "data", embedded.Options{FS: disk})
	for n := range 200 {
		id := fmt.Sprint("wiki/", n%37)
		e := entry(id, fmt.Sprint("text ", n), "leave")
		if n%3 == 0 {
			e.Document.ACL = acl.Allow("group:hr")
		}
		for _, store := range []indextest.Store{s, oracle} {
			if err := store.Replace(t.Context(), e); err != nil {
				t.Fatal(err)
			}
		}
		if n%23 == 0 {
			if err := s.Reopen(); err != nil {
				t.Fatal(err)
			}
			sound(t, s.Store, fmt.Sprint("after ", n), oracle) // and closes it
			s = open(t, "data", embedded.Options{FS: disk})
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
