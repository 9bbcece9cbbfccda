package folder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	// settle is how long nothing must happen before a change is told: an editor
	// writes a file in several steps, and a copied folder comes file by file.
	settle = 200 * time.Millisecond
	// settleAtMost bounds that for a folder in which something happens all the time.
	settleAtMost = 2 * time.Second
)

// Watch calls changed after something below root changed, until the context ends
// or the system cannot tell any more: then it returns an error, and who wants to
// know has to look from time to time. Which file it was is not told; Changes finds out.
func Watch(ctx context.Context, root string, changed func()) error {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watch %s: %w", root, err)
	}
	defer w.Close()
	if real, err := filepath.EvalSymlinks(root); err == nil {
		root = real // a link is not walked into
	}
	if err := watchBelow(w, root); err != nil {
		return fmt.Errorf("watch %s: %w", root, err)
	}
	var quiet <-chan time.Time // runs while a change waits to be told
	var first time.Time
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-quiet:
			quiet = nil
			changed()
		case event, ok := <-w.Events:
			if !ok {
				return fmt.Errorf("watch %s: the system tells no more", root)
			}
			if event.Has(fsnotify.Create) {
				// What is no folder, or gone again, needs no watch.
				_ = watchBelow(w, event.Name)
			}
			if event.Name == root && event.Has(fsnotify.Remove|fsnotify.Rename) {
				return fmt.Errorf("watch %s: it was moved or removed", root)
			}
			now := time.Now()
			if quiet == nil {
				first = now
			}
			quiet = time.After(min(settle, max(settleAtMost-now.Sub(first), 0)))
		case err := <-w.Errors:
			if !errors.Is(err, fsnotify.ErrEventOverflow) {
				return fmt.Errorf("watch %s: %w", root, err)
			}
			// Events were lost, perhaps those of new folders.
			if err := watchBelow(w, root); err != nil {
				return fmt.Errorf("watch %s: %w", root, err)
			}
			changed()
		}
	}
}

// watchBelow watches a folder and those in it, since the system does not.
func watchBelow(w *fsnotify.Watcher, root string) error {
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist) && path != root:
			return nil // gone since it was listed
		case err != nil:
			return err
		case !d.IsDir():
			return nil
		case path != root && strings.HasPrefix(d.Name(), ".") && d.Name() != ".ken":
			return fs.SkipDir // not listed either
		}
		return w.Add(path)
	})
}
