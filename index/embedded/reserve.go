package embedded

import (
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"sync"
	"syscall"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// reserve is the file RESERVE: space that documents cannot take, so that a
// revoke finds room on a full disk.
//
//	document writes    refused while the reserve is not whole
//	permission writes  give the file up when the disk is nearly full
//	the truth          gives it up when it cannot write a table in the background
//
// What was given up is taken again before the next document is stored. Where the
// file system does not tell what is free, only the third holds.
type reserve struct {
	dir  directory
	size int64 // 0: there is none
	mu   sync.Mutex
	held bool
}

// reserveSize is four of the truth's tables: a log, what is flushed from it, and
// as much again.
const reserveSize = 4 * memTableSize

func (d directory) openReserve(size int64) *reserve {
	r := &reserve{dir: d, size: size}
	if info, err := d.fs.Stat(r.path()); err == nil {
		r.held = size > 0 && info.Size() == size
	}
	return r
}

// noSpace reports whether an error says that the disk is full.
func noSpace(err error) bool {
	if errors.Is(err, syscall.ENOSPC) {
		return true
	}
	return vfs.IsNoSpaceError(err)
}

func (r *reserve) path() string { return r.dir.join("RESERVE") }

// free returns the bytes that are free; ok is false if nobody knows.
func (r *reserve) free() (n int64, ok bool) {
	u, err := r.dir.fs.GetDiskUsage(r.dir.root)
	return int64(u.AvailBytes), err == nil
}

// forDocuments makes the reserve whole and reports whether n more bytes fit beside it.
func (r *reserve) forDocuments(n int64) error {
	free, ok := r.free()
	if r.size == 0 || !ok {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.held && free >= 2*r.size {
		if err := r.take(); err != nil {
			return err
		}
	}
	if free, _ = r.free(); !r.held || free < n+r.margin() {
		return fmt.Errorf("%w: %d MiB are free on the disk of %s", ErrFull, free>>20, r.dir.root)
	}
	return nil
}

// forPermissions gives the reserve up if n more bytes would nearly fill the disk.
func (r *reserve) forPermissions(n int64) {
	if free, ok := r.free(); ok && free < n+r.margin() {
		r.giveUp()
	}
}

func (r *reserve) margin() int64 { return r.size / 4 }

// giveUp frees the space and reports whether there was any.
func (r *reserve) giveUp() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.held {
		return false
	}
	r.held = false
	return r.dir.fs.Remove(r.path()) == nil
}

// take writes the file. On Linux its blocks are reserved, elsewhere written.
func (r *reserve) take() error {
	f, err := r.dir.fs.Create(r.path(), vfs.WriteCategoryUnspecified)
	if err != nil {
		return fmt.Errorf("reserve space: %w", err)
	}
	if err = r.fill(f); err == nil {
		err = f.Sync()
	}
	if err = joinClose(err, f); err != nil {
		if gone := r.dir.fs.Remove(r.path()); gone != nil && !errors.Is(gone, fs.ErrNotExist) {
			err = errors.Join(err, gone)
		}
		return fmt.Errorf("reserve space: %w", err)
	}
	r.held = true
	return nil
}

func (r *reserve) fill(f vfs.File) error {
	if runtime.GOOS == "linux" && r.dir.mapped && f.Preallocate(0, r.size) == nil {
		// The blocks are there; one byte at the end gives the file its size.
		if w, err := r.dir.fs.OpenReadWrite(r.path(), vfs.WriteCategoryUnspecified); err == nil {
			_, err = w.WriteAt([]byte{0}, r.size-1)
			return joinClose(err, w)
		}
	}
	zeros := make([]byte, min(r.size, 1<<20))
	for left := r.size; left > 0; left -= int64(len(zeros)) {
		zeros = zeros[:min(int64(len(zeros)), left)]
		if _, err := f.Write(zeros); err != nil {
			return err
		}
	}
	return nil
}
