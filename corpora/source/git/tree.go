package git

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/storage"

	"ken/corpora/policy"
	"ken/corpora/source/folder"
)

// commit is the file system of one commit.
type commit struct {
	mu      sync.Mutex // go-git's storage is not made for many goroutines
	store   storage.Storer
	head    *object.Commit
	root    *object.Tree
	options Options
	owners  owners
	past    map[string]time.Time // when each path last changed; nil until somebody asks
}

var _ folder.Place = (*commit)(nil)
var _ fs.ReadDirFS = (*commit)(nil)
var _ fs.ReadLinkFS = (*commit)(nil)

// Owners says whom CODEOWNERS names for a path.
func (c *commit) Owners(name string) policy.Statement { return c.owners.of(c.options.below(name)) }

// ReadDir lists a folder. Submodules are other repositories and not listed.
func (c *commit) ReadDir(name string) ([]fs.DirEntry, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t, err := c.tree(name)
	if err != nil {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: err}
	}
	var out []fs.DirEntry
	for _, e := range t.Entries {
		if e.Mode != filemode.Submodule {
			out = append(out, &entry{commit: c, TreeEntry: e})
		}
	}
	slices.SortFunc(out, func(a, b fs.DirEntry) int { return cmp.Compare(a.Name(), b.Name()) })
	return out, nil
}

func (c *commit) tree(name string) (*object.Tree, error) {
	if name == "." {
		return c.root, nil
	}
	t, err := c.root.Tree(name)
	if err == object.ErrDirectoryNotFound {
		return nil, fs.ErrNotExist
	}
	return t, err
}

func (c *commit) find(name string) (*entry, error) {
	dir, base := path.Split(name)
	t, err := c.tree(path.Clean(strings.TrimSuffix(dir, "/")))
	if err != nil {
		return nil, err
	}
	for _, e := range t.Entries {
		if e.Name == base {
			return &entry{commit: c, TreeEntry: e}, nil
		}
	}
	return nil, fs.ErrNotExist
}

// Lstat tells of a file without following links.
func (c *commit) Lstat(name string) (fs.FileInfo, error) {
	c.mu.Lock()
	e, err := c.find(name)
	c.mu.Unlock()
	if err != nil {
		return nil, &fs.PathError{Op: "lstat", Path: name, Err: err}
	}
	return e.Info()
}

// ReadLink is refused: links are not followed.
func (c *commit) ReadLink(name string) (string, error) {
	return "", &fs.PathError{Op: "readlink", Path: name, Err: fs.ErrInvalid}
}

// Open opens a file.
func (c *commit) Open(name string) (fs.File, error) { return c.OpenContext(context.Background(), name) }

// OpenContext opens a regular file.
func (c *commit) OpenContext(ctx context.Context, name string) (fs.File, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	f, err := c.open(ctx, name)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return f, nil
}

func (c *commit) open(ctx context.Context, name string) (fs.File, error) {
	e, err := c.find(name)
	if err != nil {
		return nil, err
	}
	if !e.Mode.IsRegular() && e.Mode != filemode.Executable {
		return nil, fmt.Errorf("%w: a %s", folder.ErrNotRegular, e.Mode)
	}
	modified, err := c.changed(ctx, name)
	if err != nil {
		return nil, err
	}
	b, err := object.GetBlob(c.store, e.Hash)
	if err != nil {
		return nil, err
	}
	r, err := b.Reader()
	if err != nil {
		return nil, err
	}
	defer r.Close() // read to its end
	limit := cmp.Or(c.options.MaxBytes, folder.DefaultMaxBytes)
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, err
	}
	return &file{Reader: bytes.NewReader(data), info: info{entry: e, size: b.Size, about: folder.About{Mark: e.mark(), Modified: modified}}}, nil
}

// changed tells when a path last changed. The history is walked once, and only
// if a document is read at all.
func (c *commit) changed(ctx context.Context, name string) (time.Time, error) {
	if strings.HasPrefix(name, ".") {
		return time.Time{}, nil
	}
	if c.past == nil {
		past, err := history(ctx, c.head, c.options)
		if err != nil {
			return time.Time{}, err
		}
		c.past = past
	}
	return c.past[name], nil
}

// entry is one of a folder.
type entry struct {
	commit *commit
	object.TreeEntry
}

func (e *entry) Name() string { return e.TreeEntry.Name }
func (e *entry) IsDir() bool  { return e.Mode == filemode.Dir }
func (e *entry) mark() string { return e.Mode.String() + " " + e.Hash.String() }

func (e *entry) Type() fs.FileMode {
	switch e.Mode {
	case filemode.Dir:
		return fs.ModeDir
	case filemode.Symlink:
		return fs.ModeSymlink
	case filemode.Regular, filemode.Executable, filemode.Deprecated:
		return 0
	}
	return fs.ModeIrregular
}

// Info tells size and hash.
func (e *entry) Info() (fs.FileInfo, error) {
	i := info{entry: e, about: folder.About{Mark: e.mark()}}
	if e.Type() != 0 {
		return i, nil
	}
	e.commit.mu.Lock()
	defer e.commit.mu.Unlock()
	size, err := e.commit.store.EncodedObjectSize(e.Hash)
	i.size = size
	return i, err
}

type info struct {
	*entry
	size  int64
	about folder.About
}

func (i info) Size() int64        { return i.size }
func (i info) Mode() fs.FileMode  { return i.Type() }
func (i info) ModTime() time.Time { return time.Time{} }
func (i info) Sys() any           { return i.about }

type file struct {
	*bytes.Reader
	info info
}

func (f *file) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *file) Close() error               { return nil }
