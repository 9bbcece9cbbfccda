package folder_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"ken/corpora/source/folder"
)

func TestWatch(t *testing.T) {
	real := t.TempDir()
	root := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(real, root); err != nil {
		t.Skipf("SKIPPED: no symbolic links here: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	told, ended := make(chan bool, 100), make(chan error, 1)
	go func() { ended <- folder.Watch(ctx, root, func() { told <- true }) }()
	wait := func(what string) {
		t.Helper()
		select {
		case <-told:
		case err := <-ended:
			t.Fatalf("%s: %v", what, err)
		case <-time.After(30 * time.Second):
			t.Fatalf("%s was not told", what)
		}
	}
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	// When watching begins is not told, so the first change is made until it is noticed.
	for noticed := false; !noticed; {
		do(os.WriteFile(filepath.Join(real, "a.md"), []byte(time.Now().String()), 0o600))
		select {
		case <-told:
			noticed = true
		case err := <-ended:
			t.Fatal(err)
		case <-time.After(settled):
		}
	}
	do(os.MkdirAll(filepath.Join(real, "x", "y"), 0o700))
	wait("a new folder")
	do(os.WriteFile(filepath.Join(real, "x", "y", "b.md"), nil, 0o600))
	wait("a file in a new folder")
	do(os.Rename(filepath.Join(real, "x"), filepath.Join(real, "z")))
	wait("a folder with another name")
	do(os.WriteFile(filepath.Join(real, "z", "y", "c.md"), nil, 0o600))
	wait("a file in a folder with another name")
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("ended with %v", err)
	}
}

// settled is longer than a change takes to be told.
const settled = time.Second

func TestWatchNothing(t *testing.T) {
	if err := folder.Watch(t.Context(), filepath.Join(t.TempDir(), "missing"), func() {}); err == nil {
		t.Error("a folder that is not there is watched")
	}
}
