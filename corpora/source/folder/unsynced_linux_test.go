package folder_test

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ken/corpora/source/folder"
)

// A folder that may not be read hides no change of the others.
func TestOldestChangeBesideAClosedFolder(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "closed/a.md", "a")
	write(t, dir, "open/b.md", "b")
	for place, mode := range map[string]os.FileMode{filepath.Dir(dir): 0o755, dir: 0o755, filepath.Join(dir, "closed"): 0, filepath.Join(dir, "open"): 0o755} {
		if err := os.Chmod(place, mode); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { _ = os.Chmod(filepath.Join(dir, "closed"), 0o700) })
	var oldest time.Time
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // for good: the thread ends with the goroutine
		if os.Getuid() == 0 {  // who may read everything: as nobody, on this thread alone
			if _, serr := unix.SetfsuidRetUid(65534); serr != nil {
				t.Error(serr)
			}
		}
		if _, rerr := os.ReadDir(filepath.Join(dir, "closed")); rerr == nil {
			t.Error("the closed folder can be read")
		}
		oldest, err = folder.OldestChange(t.Context(), dir, time.Now().Add(-time.Hour))
	}()
	<-done
	if err != nil || oldest.IsZero() {
		t.Errorf("oldest change %s, %v", oldest, err)
	}
}
