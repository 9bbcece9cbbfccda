package embedded_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"ken/corpora/acl"
	"ken/index/embedded"
)

// The same on a real file system that is really full.
func TestRevokeOnFullMount(t *testing.T) {
	mount := t.TempDir()
	if err := syscall.Mount("tmpfs", mount, "tmpfs", 0, "size=256m"); err != nil {
		t.Skipf("a small file system cannot be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(mount, syscall.MNT_DETACH); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	dir := filepath.Join(mount, "data")
	s := open(t, dir, embedded.Options{})
	if err := s.Replace(t.Context(), entry("a", "secret"), entry("b", "other")); err != nil {
		t.Fatal(err)
	}
	var err error
	for n := 0; err == nil; n++ {
		err = s.Replace(t.Context(), entry(fmt.Sprint("n", n), long(n), long(n+1), long(n+2)))
		if n > 10_000 {
			t.Fatal("the disk does not get full")
		}
		if n == 100 {
			fillDisk(t, filepath.Join(mount, "other"), 24<<20)
		}
	}
	if !errors.Is(err, embedded.ErrFull) {
		t.Fatalf("replace: %v, want ErrFull", err)
	}
	fillDisk(t, filepath.Join(mount, "rest"), 0)
	if err := errors.Join(s.SetACL(t.Context(), "a", acl.List{}), s.Delete(t.Context(), "b"), s.Reopen()); err != nil {
		t.Fatalf("revoke, delete, open on a full disk: %v", err)
	}
	report, err := s.Check(t.Context())
	if err != nil || len(report.Problems) > 0 {
		t.Errorf("check: %v, %q", err, report.Problems)
	}
	if err := errors.Join(os.Remove(filepath.Join(mount, "other")), os.Remove(filepath.Join(mount, "rest"))); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Replace(t.Context(), entry("c", "text")), s.Close()); err != nil {
		t.Errorf("with space again: %v", err)
	}
}

// fillDisk writes until nothing fits, and then leaves the last bytes free.
func fillDisk(t *testing.T, path string, leave int64) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	block := make([]byte, 64<<10)
	for {
		if _, err = f.Write(block); err != nil {
			break
		}
	}
	info, statErr := f.Stat()
	if !errors.Is(err, syscall.ENOSPC) || statErr != nil {
		t.Fatal(err, statErr)
	}
	if err := errors.Join(f.Truncate(max(0, info.Size()-leave)), f.Close()); err != nil {
		t.Fatal(err)
	}
}
