package atomicfile_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"ken/internal/atomicfile"
)

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "keys.yaml")
	for _, text := range []string{"one", "another, longer", ""} {
		if err := atomicfile.Write(path, []byte(text)); err != nil {
			t.Fatal(err)
		}
		holds(t, path, text)
	}
	info, err := os.Stat(path)
	if err != nil || runtime.GOOS != "windows" && info.Mode() != 0o600 {
		t.Errorf("mode %v, error %v", info.Mode(), err)
	}
}

// What fails half way leaves the file as it was, and nothing beside it.
func TestFailures(t *testing.T) {
	dir := t.TempDir()
	path, failed := filepath.Join(dir, "a"), errors.New("no more")
	if err := atomicfile.Write(path, []byte("before")); err != nil {
		t.Fatal(err)
	}
	err := atomicfile.WriteFrom(path, func(w io.Writer) error {
		_, err := w.Write([]byte("half"))
		return errors.Join(err, failed)
	})
	if !errors.Is(err, failed) {
		t.Errorf("error %v", err)
	}
	holds(t, path, "before")
	if err := os.MkdirAll(filepath.Join(dir, "b", "in the way"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := atomicfile.Write(filepath.Join(dir, "b"), nil); err == nil {
		t.Error("a folder was replaced")
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*.tmp")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, error %v", left, err)
	}
}

func holds(t *testing.T, path, want string) {
	t.Helper()
	if got, err := os.ReadFile(path); err != nil || string(got) != want {
		t.Errorf("the file holds %q, want %q, error %v", got, want, err)
	}
}
