package folder

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"
)

// readLimited reads at most limit bytes of a regular file, and tells what it was.
func (s *Source) readLimited(ctx context.Context, p string, limit int64) (data []byte, info fs.FileInfo, err error) {
	return s.readAround(ctx, p, limit, func(fs.File) error { return nil })
}

// readAround is readLimited with a look at the open file before and after.
func (s *Source) readAround(ctx context.Context, p string, limit int64, look func(fs.File) error) (data []byte, info fs.FileInfo, err error) {
	f, info, err := s.open(ctx, p)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	time.Sleep(unsettled(changed(info), time.Now()))
	if err := look(f); err != nil {
		return nil, nil, err
	}
	if data, err = io.ReadAll(io.LimitReader(f, limit)); err != nil {
		return nil, nil, err
	}
	return data, info, look(f)
}

// tick is more than the step of the clocks that file systems stamp files with.
const tick = 20 * time.Millisecond

// unsettled is how long to wait until a further change of a file that changed
// then must have another time. What is read after that is what the time stands
// for; before, a change of the same size could go unseen for good.
func unsettled(then, now time.Time) time.Duration {
	if age := now.Sub(then); age >= 0 && age < tick {
		return tick - age
	}
	return 0
}

// open opens a regular file and no other: a pipe would never end. In a directory
// no link is followed, not even one that appears during the call: each folder
// on the way and the file itself are compared with what stood there as no link.
func (s *Source) open(ctx context.Context, p string) (f fs.File, info fs.FileInfo, err error) {
	if s.place != nil {
		return openPlace(ctx, s.place, p)
	}
	if s.root == nil {
		return openRegular(s.fsys, p)
	}
	for range 3 { // editors replace files
		if f, info, err = openBelow(s.root, p); !errors.Is(err, errSwapped) {
			return f, info, err
		}
	}
	return nil, nil, err
}

func openRegular(fsys fs.FS, p string) (fs.File, fs.FileInfo, error) {
	info, err := fs.Lstat(fsys, p)
	if err != nil {
		return nil, nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, nil, fmt.Errorf("%w: %q", ErrNotRegular, p)
	}
	f, err := fsys.Open(p)
	return f, info, err
}

// errSwapped says that a file was replaced while it was opened.
var errSwapped = fmt.Errorf("%w: it was replaced while it was opened", ErrNotRegular)

func openBelow(root *os.Root, p string) (fs.File, fs.FileInfo, error) {
	dir, rest, more := strings.Cut(p, "/")
	if !more {
		return openHere(root, p)
	}
	info, err := root.Lstat(dir)
	if err != nil {
		return nil, nil, err
	}
	if !info.IsDir() {
		return nil, nil, fmt.Errorf("%w: %q is no folder", ErrNotRegular, dir)
	}
	below, err := root.OpenRoot(dir)
	if err != nil {
		return nil, nil, err
	}
	defer below.Close() // opened to read: nothing is lost
	if opened, err := below.Stat("."); err != nil || !os.SameFile(info, opened) {
		return nil, nil, errors.Join(errSwapped, err)
	}
	return openBelow(below, rest)
}

func openHere(root *os.Root, name string) (fs.File, fs.FileInfo, error) {
	info, err := root.Lstat(name)
	if err != nil {
		return nil, nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, nil, fmt.Errorf("%w: %q", ErrNotRegular, name)
	}
	f, err := root.OpenFile(name, os.O_RDONLY|nonBlocking, 0)
	if err != nil {
		return nil, nil, err
	}
	opened, err := f.Stat()
	if err != nil || !os.SameFile(info, opened) {
		return nil, nil, errors.Join(errSwapped, err, f.Close())
	}
	return f, opened, nil
}
