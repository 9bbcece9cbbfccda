package embedded

import (
	"errors"
	"io/fs"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// orderedFS gives Pebble an order that file systems need not keep. Pebble makes
// a manifest and then a marker that names it, and syncs the directory after
// both. A power cut in between may leave the marker without the manifest, and the
// store could not be opened again; so the directory is synced before a marker.
type orderedFS struct{ vfs.FS }

func (f orderedFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	if strings.HasPrefix(f.PathBase(name), "marker.") {
		d := directory{fs: f.FS}
		if err := d.sync(f.PathDir(name)); err != nil {
			return nil, err
		}
	}
	return f.FS.Create(name, c)
}

// ReuseForWrite makes a new file instead: what a log held before must not outlive
// it, and [Store.Compact] may have removed the old one.
func (f orderedFS) ReuseForWrite(oldname, newname string, c vfs.DiskWriteCategory) (vfs.File, error) {
	if err := f.Remove(oldname); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return f.Create(newname, c)
}

// Unwrap gives Pebble's tools the file system below.
func (f orderedFS) Unwrap() vfs.FS { return f.FS }
