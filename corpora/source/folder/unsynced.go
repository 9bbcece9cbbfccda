package folder

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"
	"time"
)

// OldestChange tells when the first change was made of all that were made in a
// directory after an instant: to a file, or to what a folder holds. Zero: there was
// none. Nothing is opened but folders. Where the system tells no more, a change is
// one of the content. What is hidden does not count, but for the policy.
func OldestChange(ctx context.Context, dir string, after time.Time) (oldest time.Time, err error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return oldest, err
	}
	defer root.Close() // opened to read
	err = fs.WalkDir(root.FS(), ".", func(p string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
			return fs.SkipDir // gone since; or closed, and then the next run tells that
		}
		if err := errors.Join(err, ctx.Err()); err != nil {
			return err
		}
		if name := e.Name(); name != "." && name != ".ken" && strings.HasPrefix(name, ".") {
			if e.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil // the folder tells
		}
		if err != nil {
			return err
		}
		if at := changed(info); at.After(after) && (oldest.IsZero() || at.Before(oldest)) {
			oldest = at
		}
		return nil
	})
	return oldest, err
}
