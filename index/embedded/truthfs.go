package embedded

import (
	"errors"
	"io/fs"
	"strings"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// truthFS is the file system as Pebble gets it.
//
// It gives an order that file systems need not keep: Pebble makes a manifest and
// then a marker that names it, and syncs the directory after both. A power cut in
// between may leave the marker without the manifest, and the store could not be
// opened again; so the directory is synced before a marker.
//
// It slows Pebble down while a table cannot be written: Pebble tries again
// without a pause, which would take a whole processor.
type truthFS struct {
	vfs.FS
	health *truthLogger
}

// pause is how long a table waits before it is tried again.
const pause = 500 * time.Millisecond

func (f truthFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	base := f.PathBase(name)
	if strings.HasPrefix(base, "marker.") {
		d := directory{fs: f.FS}
		if err := d.sync(f.PathDir(name)); err != nil {
			return nil, err
		}
	}
	if table := strings.HasSuffix(base, ".sst") || strings.HasSuffix(base, ".blob"); table && (f.health.full.Load() || f.health.err() != nil) {
		time.Sleep(pause)
	}
	return f.FS.Create(name, c)
}

// ReuseForWrite makes a new file instead: what a log held before must not outlive
// it, and [Store.Compact] may have removed the old one.
func (f truthFS) ReuseForWrite(oldname, newname string, c vfs.DiskWriteCategory) (vfs.File, error) {
	if err := f.Remove(oldname); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return f.Create(newname, c)
}

// Unwrap gives Pebble's tools the file system below.
func (f truthFS) Unwrap() vfs.FS { return f.FS }
