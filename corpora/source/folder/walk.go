package folder

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/corpora/extract"
	"ken/corpora/policy"
)

var (
	// ErrName says that a file's name cannot name a document.
	ErrName = errors.New("unusable file name")
	// ErrNotRegular says that an entry is a link, a device or the like.
	ErrNotRegular = errors.New("not a regular file")
	// ErrSidecar says that a sidecar is not understood, or stands alone.
	ErrSidecar = errors.New("sidecar")
)

// walk is one listing.
type walk struct {
	source   *Source
	ctx      context.Context
	policy   *policy.Policy
	yield    func(corpora.Change, error) bool
	problems []error // what makes the listing incomplete
	names    *accounts
}

// folder lists a folder and those below it. It reports whether to go on. above is
// who may reach the folder.
func (w *walk) folder(dir string, above acl.List) bool {
	if err := w.ctx.Err(); err != nil {
		w.yield(corpora.Change{}, err)
		return false
	}
	entries, err := fs.ReadDir(w.source.fsys, dir)
	if err != nil {
		w.problems = append(w.problems, fmt.Errorf("list %q: %w", dir, err))
	}
	if dir != "." {
		if err := cmp.Or(w.ownPolicy(dir, entries), w.policy.DoubtFolder(dir)); err != nil {
			return w.report(dir, err)
		}
	}
	within, err := w.entered(dir, above)
	switch {
	case err != nil && dir == ".":
		w.problems = append(w.problems, fmt.Errorf("%w: %w", corpora.ErrPermissions, err))
		return true
	case err != nil:
		return w.report(dir, err)
	}
	sortAsPaths(entries)
	beside := sidecarsOf(entries)
	for _, e := range entries {
		if !w.entry(path.Join(dir, e.Name()), e, beside, within) {
			return false
		}
	}
	return true
}

// ownPolicy finds a folder that was written to be ingested by itself. Reading
// it here would pass over its policy, so it is left out, and the listing that
// goes on without it closes what was indexed of it.
func (w *walk) ownPolicy(dir string, entries []fs.DirEntry) error {
	hidden := path.Dir(policy.File)
	if !slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == hidden }) {
		return nil
	}
	file := path.Join(dir, policy.File)
	if _, err := fs.Lstat(w.source.fsys, file); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return fmt.Errorf("%q is a policy below the top: move its rules to %s, or ingest %q by itself", file, policy.File, dir)
}

// sortAsPaths puts entries in the byte order of the paths below them: a/b comes
// after a.md, since the slash comes after the dot.
func sortAsPaths(entries []fs.DirEntry) {
	key := func(e fs.DirEntry) string {
		if e.IsDir() {
			return e.Name() + "/"
		}
		return e.Name()
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return cmp.Compare(key(a), key(b)) })
}

func (w *walk) entry(p string, e fs.DirEntry, beside sidecars, within acl.List) bool {
	if err := w.ctx.Err(); err != nil {
		w.yield(corpora.Change{}, err)
		return false
	}
	name := e.Name()
	of, isSidecar := sidecarOf(name)
	switch {
	case strings.HasPrefix(name, "."):
		return true
	case !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl):
		return w.reportName(p)
	case e.IsDir():
		if err := beside.ofFolder(name); err != nil {
			return w.report(p, err)
		}
		return w.folder(p, within)
	case isSidecar:
		return w.sidecar(p, of)
	}
	return w.file(p, e, beside, within)
}

// reportName reports a name that no DocID can hold, in quotes.
func (w *walk) reportName(p string) bool {
	quoted := strconv.Quote(p)
	return w.report(quoted, fmt.Errorf("%w %s: rename it: only UTF-8 without control characters can be cited", ErrName, quoted))
}

// sidecar reports one that belongs to no file: whoever wrote it believes that
// it protects something.
func (w *walk) sidecar(p, of string) bool {
	info, err := fs.Lstat(w.source.fsys, path.Join(path.Dir(p), of))
	if err == nil && !info.IsDir() {
		return true
	}
	return w.report(p, fmt.Errorf("%w %q belongs to no file: want NAME.EXT%s beside NAME.EXT", ErrSidecar, p, sidecarSuffix))
}

func (w *walk) file(p string, e fs.DirEntry, beside sidecars, within acl.List) bool {
	f := file{source: w.source, path: p, policy: w.policy, within: within, names: w.names}
	info, err := e.Info()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return true // gone since the folder was read: as if it had never been listed
	case err != nil:
		return w.report(p, err)
	}
	if err := w.check(p, info); err != nil {
		return w.report(p, err)
	}
	if f.sidecar, err = beside.of(e.Name()); err != nil {
		return w.report(p, err)
	}
	if err := w.policy.Doubt(p); err != nil {
		return w.report(p, err)
	}
	if f.stamp, err = f.stampOf(w.ctx, info); err != nil {
		return w.report(p, err)
	}
	return w.yield(corpora.Change{Op: corpora.Put, ID: w.source.id(p), Stamp: f.stamp, Load: f.load}, nil)
}

// check refuses what need not be opened to be refused.
func (w *walk) check(p string, info fs.FileInfo) error {
	limit := w.source.options.MaxBytes
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		return w.link(p)
	case !info.Mode().IsRegular():
		return fmt.Errorf("%w: %q is a %s", ErrNotRegular, p, kind(info.Mode()))
	case extract.ByName(p) == extract.Binary:
		return fmt.Errorf("%w: %q", extract.ErrUnsupported, p)
	case info.Size() > limit:
		return tooLarge(p, info.Size(), limit)
	}
	return nil
}

func (w *walk) link(p string) error {
	if _, err := fs.Stat(w.source.fsys, p); err != nil {
		return fmt.Errorf("%w: %q is a symbolic link that leads nowhere or out of the folder: put the file itself there", ErrNotRegular, p)
	}
	return fmt.Errorf("%w: %q is a symbolic link, which is not followed; what it leads to is indexed under its own path", ErrNotRegular, p)
}

func kind(m fs.FileMode) string {
	switch {
	case m&fs.ModeNamedPipe != 0:
		return "named pipe"
	case m&fs.ModeSocket != 0:
		return "socket"
	case m&fs.ModeDevice != 0:
		return "device"
	}
	return "special file"
}

func (w *walk) report(p string, err error) bool {
	id := w.source.id(p)
	return w.yield(corpora.Change{Op: corpora.Put, ID: id}, fmt.Errorf("document %s: %w", id, err))
}
