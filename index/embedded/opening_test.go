package embedded_test

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"ken/corpora/acl"
	"ken/index"
	"ken/index/analyze"
	"ken/index/embedded"
	"ken/index/indextest"
)

// told asks a store as one person; errors stand for themselves.
func told(ctx context.Context, s *embedded.Store, p acl.Principal) (out []any, err error) {
	v, err := s.View(ctx, p, noon)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, v.Close()) }()
	vector := make([]float32, v.Model().Dim)
	vector[0] = 1
	for _, word := range []string{"leave", "server policy", "last"} {
		for _, f := range []index.Filter{{}, {Paths: []string{"n1"}}, {After: noon.AddDate(-20, 0, 0)}} {
			texts, terr := v.SearchText(ctx, index.TextQuery{
				Terms: analyze.Query(word, v.Languages()), Filter: f, BM25: index.BM25{K1: 1.2, B: .75, Title: 3},
			}, 10)
			near, verr := v.SearchVector(ctx, vector, f, 10)
			out, err = append(out, texts, near), errors.Join(err, terr, verr)
			for _, h := range texts {
				chunks, cerr := v.Chunks(ctx, []index.ChunkID{h.ID})
				out, err = append(out, chunks), errors.Join(err, cerr)
			}
		}
	}
	documents, derr := v.Documents(ctx, "", "", 100)
	return append(out, documents), errors.Join(err, derr)
}

// Whichever byte of an index file is damaged: what a search answers is right, or an
// error, and the check tells.
func TestDamagedSegmentsNeverLie(t *testing.T) {
	disk, _ := written(t)
	people := []acl.Principal{everyone, acl.NewPrincipal("group:hr")}
	ask := func(disk *vfs.MemFS) (out []any, problems int, err error) {
		s, err := embedded.Open("data", embedded.Options{FS: disk})
		if err != nil {
			return nil, 0, err
		}
		for _, p := range people {
			got, terr := told(t.Context(), s, p)
			out, err = append(out, got), errors.Join(err, terr)
		}
		report, cerr := s.Check(t.Context())
		if cerr != nil {
			t.Fatal(cerr)
		}
		return out, len(report.Problems), errors.Join(err, s.Close())
	}
	names, err := disk.List("data/segments")
	if err != nil {
		t.Fatal(err)
	}
	want, problems, err := ask(damaged(t, disk, path.Join("data/segments", names[0]), func(b []byte) []byte { return b }))
	if err != nil || problems > 0 {
		t.Fatal(problems, err)
	}
	found := 0
	for _, name := range names {
		file := path.Join("data/segments", name)
		for _, at := range positions(len(content(t, disk, file)), 120) {
			for what, change := range map[string]func([]byte) []byte{
				"flipped": func(b []byte) []byte { b[at] ^= 1 << (at % 8); return b },
				"cut":     func(b []byte) []byte { return b[:at] },
			} {
				got, problems, err := ask(damaged(t, disk, file, change))
				if err == nil && !reflect.DeepEqual(got, want) {
					t.Fatalf("%s %s at %d: another answer", name, what, at)
				}
				if err == nil && problems == 0 {
					t.Errorf("%s %s at %d: neither a search nor the check noticed", name, what, at)
				}
				if err != nil {
					found++
				}
			}
		}
	}
	if found == 0 {
		t.Error("no search met damage: the test does not reach it")
	}
}

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
			copied := vfs.NewMem()
			if _, err := vfs.Clone(disk, copied, "data", "data"); err != nil {
				t.Fatal(err)
			}
			after, err := embedded.Open("data", embedded.Options{FS: copied})
			if err != nil {
				t.Fatal(err)
			}
			sound(t, after, fmt.Sprint("after ", n), oracle)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
