package embedded_test

import (
	"errors"
	"io"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"ken/corpora/acl"
	"ken/index/embedded"
	"ken/index/indextest"
)

// written returns a closed store with a history that ends in a revoke, and what
// it must hold.
func written(t *testing.T) (*vfs.MemFS, *indextest.Oracle) {
	t.Helper()
	disk, oracle := vfs.NewMem(), indextest.NewOracle()
	s := open(t, "data", embedded.Options{FS: disk})
	for i, step := range indextest.Script() {
		if err := errors.Join(step.Do(t.Context(), s), step.Do(t.Context(), oracle)); err != nil {
			t.Fatalf("%s: %v", step.Name, err)
		}
		if i%5 == 4 { // several logs, tables and manifests
			if err := s.Reopen(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := s.Reopen(); err != nil { // so that the last log holds the revoke and nothing else
		t.Fatal(err)
	}
	for _, store := range []indextest.Store{s, oracle} {
		if err := store.SetACL(t.Context(), "wiki/five.md", acl.List{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return disk, oracle
}

// damaged returns a copy of the disk in which change was made to one file.
func damaged(t *testing.T, disk *vfs.MemFS, name string, change func([]byte) []byte) *vfs.MemFS {
	t.Helper()
	out := vfs.NewMem()
	if _, err := vfs.Clone(disk, out, "data", "data"); err != nil {
		t.Fatal(err)
	}
	f, err := out.Create(name, vfs.WriteCategoryUnspecified)
	if err == nil {
		_, err = f.Write(change(content(t, disk, name)))
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func content(t *testing.T, disk vfs.FS, name string) []byte {
	t.Helper()
	f, err := disk.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(f)
	if err = errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	return data
}

// positions returns at most n bytes of a file to damage, evenly spread, the last one included.
func positions(size, n int) []int {
	step := max(1, size/n)
	var out []int
	for at := size - 1; at >= 0; at -= step {
		out = append(out, at)
	}
	return out
}

// refusedOrWhole opens a damaged store. It must say so, or hold all that was
// acknowledged; an older state would bring back what was revoked.
func refusedOrWhole(t *testing.T, what string, disk *vfs.MemFS, want *indextest.Oracle) (refused bool) {
	t.Helper()
	s, err := embedded.Open("data", embedded.Options{FS: disk})
	if err != nil {
		return true
	}
	if d := indextest.Compare(t.Context(), s, want); d != "" {
		t.Errorf("%s: opened without an error: %s", what, d)
	}
	if err := s.Close(); err != nil {
		t.Errorf("%s: close: %v", what, err)
	}
	return false
}

// No flipped bit, no cut and no missing file of the truth leaves an older state
// that is served.
func TestDamagedTruthIsNeverOlder(t *testing.T) {
	disk, oracle := written(t)
	names, err := disk.List("data/truth")
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	refused := map[string]int{}
	for _, name := range names {
		file := path.Join("data/truth", name)
		if info, err := disk.Stat(file); err != nil || info.IsDir() || name == "LOCK" {
			continue
		}
		size, kind := len(content(t, disk, file)), path.Ext(name)
		for _, at := range positions(size, 40) {
			flipped := damaged(t, disk, file, func(b []byte) []byte { b[at] ^= 0x10; return b })
			if refusedOrWhole(t, name+" flipped", flipped, oracle) {
				refused[kind]++
			}
			cut := damaged(t, disk, file, func(b []byte) []byte { return b[:at] })
			if refusedOrWhole(t, name+" cut", cut, oracle) {
				refused[kind]++
			}
		}
		gone := damaged(t, disk, file, func(b []byte) []byte { return b })
		if err := gone.Remove(file); err != nil {
			t.Fatal(err)
		}
		if refusedOrWhole(t, name+" missing", gone, oracle) {
			refused[kind]++
		}
	}
	t.Logf("refused: %v", refused)
	if refused[".log"] == 0 || refused[".sst"] == 0 {
		t.Error("no damage to a log or a table was noticed: the test does not reach them")
	}
}

// The error of a log that lost its end names the directory and what to do.
func TestLostEndOfLog(t *testing.T) {
	disk, _ := written(t)
	names, err := disk.List("data/truth")
	if err != nil {
		t.Fatal(err)
	}
	newest := ""
	for _, name := range names {
		if path.Ext(name) == ".log" {
			newest = max(newest, path.Join("data/truth", name))
		}
	}
	cut := damaged(t, disk, newest, func(b []byte) []byte { return b[:len(b)/2] })
	_, err = embedded.Open("data", embedded.Options{FS: cut})
	lost, ok := errors.AsType[*embedded.LostError](err)
	if !ok || lost.Dir != "data" {
		t.Fatalf("error %v, want a LostError", err)
	}
	for _, word := range []string{"data directory data", "was acknowledged", "restore a backup"} {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("error %q lacks %q", err, word)
		}
	}
}

// One damaged slot of the witness does no harm, none left is refused.
func TestDamagedWitness(t *testing.T) {
	disk, oracle := written(t)
	const file = "data/REVISION"
	size := len(content(t, disk, file))
	for at := range size {
		if at%4096 > 32 && at%97 != 0 {
			continue
		}
		flipped := damaged(t, disk, file, func(b []byte) []byte { b[at] ^= 1; return b })
		if refusedOrWhole(t, "slot", flipped, oracle) {
			t.Errorf("byte %d of one slot: refused", at)
		}
	}
	for what, change := range map[string]func([]byte) []byte{
		"empty": func([]byte) []byte { return nil },
		"zeros": func(b []byte) []byte { return make([]byte, len(b)) },
		"cut":   func(b []byte) []byte { return b[:100] },
	} {
		_, err := embedded.Open("data", embedded.Options{FS: damaged(t, disk, file, change)})
		if _, ok := errors.AsType[*embedded.LostError](err); !ok {
			t.Errorf("%s: error %v, want a LostError", what, err)
		}
	}
}

// A truth of an older backup beside a newer witness, and the other way round, are
// refused.
func TestMixedCopies(t *testing.T) {
	disk := vfs.NewMem()
	s := open(t, "data", embedded.Options{FS: disk})
	if err := errors.Join(s.Replace(t.Context(), entry("a", "text")), s.Close()); err != nil {
		t.Fatal(err)
	}
	older := vfs.NewMem()
	if _, err := vfs.Clone(disk, older, "data", "data"); err != nil {
		t.Fatal(err)
	}
	s = open(t, "data", embedded.Options{FS: disk})
	if err := errors.Join(s.SetACL(t.Context(), "a", acl.List{}), s.Delete(t.Context(), "a"), s.Replace(t.Context(), entry("b", "text")), s.Close()); err != nil {
		t.Fatal(err)
	}
	for what, mixed := range map[string]*vfs.MemFS{
		"older truth":   damaged(t, older, "data/REVISION", func([]byte) []byte { return content(t, disk, "data/REVISION") }),
		"older witness": damaged(t, disk, "data/REVISION", func([]byte) []byte { return content(t, older, "data/REVISION") }),
	} {
		_, err := embedded.Open("data", embedded.Options{FS: mixed})
		if _, ok := errors.AsType[*embedded.LostError](err); !ok {
			t.Errorf("%s: error %v, want a LostError", what, err)
		}
	}
}
