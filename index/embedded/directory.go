package embedded

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/edsrzf/mmap-go"
)

// formatVersion is the content of the FORMAT file that this package reads and writes.
const formatVersion = "ken index 4"

// directory does the file work: nothing outside this file opens or writes a file.
type directory struct {
	fs     vfs.FS
	root   string
	mapped bool // files are mapped into memory
}

func (d directory) join(elem ...string) string {
	return d.fs.PathJoin(append([]string{d.root}, elem...)...)
}

func (d directory) segments() string { return d.join("segments") }

// create makes a directory and syncs every directory that got a new entry.
func (d directory) create(path string) error {
	var missing []string
	for p := path; ; p = d.fs.PathDir(p) {
		if _, err := d.fs.Stat(p); err == nil || p == d.fs.PathDir(p) {
			break
		}
		missing = append(missing, p)
	}
	if err := d.fs.MkdirAll(path, 0o700); err != nil {
		return fmt.Errorf("create %s: %w", path, err)
	}
	for _, p := range slices.Backward(missing) {
		if err := d.sync(d.fs.PathDir(p)); err != nil {
			return err
		}
	}
	return nil
}

func (d directory) sync(path string) error {
	dir, err := d.fs.OpenDir(path)
	if err != nil {
		return fmt.Errorf("sync %s: %w", path, err)
	}
	if err := dir.Sync(); err != nil {
		return fmt.Errorf("sync %s: %w", path, joinClose(err, dir))
	}
	return dir.Close()
}

// checkFormat compares the FORMAT file with what this package writes. In a
// directory without an index it writes the file, before anything else. One of the
// version before is old; see upgrade.
func (d directory) checkFormat() (old bool, err error) {
	data, err := d.readAll(d.join("FORMAT"))
	switch found := strings.TrimSpace(string(data)); {
	case errors.Is(err, fs.ErrNotExist):
		return false, d.initFormat()
	case err != nil:
		return false, fmt.Errorf("read format: %w", err)
	case found == olderVersion:
		return true, nil
	case found != formatVersion:
		return false, &FormatError{Dir: d.root, Found: found, Want: formatVersion}
	}
	return false, nil
}

func (d directory) initFormat() error {
	for _, name := range []string{"truth", "segments"} {
		if _, err := d.fs.Stat(d.join(name)); err == nil {
			return &FormatError{Dir: d.root, Want: formatVersion}
		}
	}
	if err := d.createWitness(); err != nil { // first: no store with a FORMAT is without it
		return err
	}
	return d.writeFormat()
}

// writeFormat writes the FORMAT file under another name first: half of one would lock out.
func (d directory) writeFormat() error {
	if err := d.write(d.join("FORMAT.new"), []byte(formatVersion+"\n")); err != nil {
		return err
	}
	if err := d.fs.Rename(d.join("FORMAT.new"), d.join("FORMAT")); err != nil {
		return fmt.Errorf("write format: %w", err)
	}
	return d.sync(d.root)
}

// write makes a file and syncs it; its directory is not synced.
func (d directory) write(path string, data []byte) error {
	return d.writeBy(path, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// handed is how many bytes the disk is given to write while there are more to come.
const handed = 1 << 20

// writeBy is write of what put writes.
func (d directory) writeBy(path string, put func(io.Writer) error) error {
	f, err := d.fs.Create(path, vfs.WriteCategoryUnspecified)
	if err == nil {
		if err = put(vfs.NewSyncingFile(f, vfs.SyncingFileOptions{BytesPerSync: handed})); err == nil {
			giveWay() // who waits for this processor would wait for the disk
			err = f.Sync()
		}
		err = joinClose(err, f)
	}
	switch {
	case err == nil:
		return nil
	case noSpace(err):
		return fmt.Errorf("write %s: %w (%w)", path, ErrFull, err)
	}
	return fmt.Errorf("write %s: %w", path, err)
}

// read returns the content of a file and what frees it. Of a mapped file nothing
// was read yet: fetch says what will be.
func (d directory) read(path string) (data []byte, fetch func(from, to int), free func() error, err error) {
	if !d.mapped {
		data, err = d.readAll(path)
		return data, nil, func() error { return nil }, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, nil, err
	}
	m, err := mmap.Map(f, mmap.RDONLY, 0)
	if err = joinClose(err, f); err != nil {
		return nil, nil, nil, fmt.Errorf("map %s: %w", path, err)
	}
	return m, func(from, to int) { willNeed(m, from, to) }, m.Unmap, nil
}

func (d directory) readAll(path string) ([]byte, error) {
	f, err := d.fs.Open(path)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(f)
	return data, joinClose(err, f)
}

func joinClose(err error, c io.Closer) error { return errors.Join(err, c.Close()) }
