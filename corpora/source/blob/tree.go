package blob

import (
	"context"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"gocloud.dev/blob"

	"ken/corpora"
	"ken/corpora/policy"
	"ken/corpora/source/folder"
	"ken/corpora/source/item"
)

// tree is the file system of one listing. A key may be a file and a folder at once.
type tree struct {
	source   *Source
	folders  map[string][]fs.DirEntry
	files    map[string]object
	unusable []string // keys that are no paths
}

var _ folder.Place = (*tree)(nil)
var _ fs.ReadDirFS = (*tree)(nil)
var _ fs.StatFS = (*tree)(nil)

func newTree(s *Source) *tree {
	return &tree{source: s, folders: map[string][]fs.DirEntry{".": nil}, files: map[string]object{}}
}

func (t *tree) add(o *blob.ListObject) {
	p := strings.TrimPrefix(o.Key, t.source.options.Prefix)
	switch {
	case p == "" || strings.HasSuffix(p, "/") && o.Size == 0: // what consoles make for an empty folder
		return
	case !fs.ValidPath(p):
		t.unusable = append(t.unusable, p)
		return
	}
	dir, base := split(p)
	f := object{name: base, size: o.Size, modified: o.ModTime, md5: hex.EncodeToString(o.MD5)}
	o.As(&f.local)
	if t.source.options.Mark != nil {
		f.mark = t.source.options.Mark(o)
	}
	if f.mark == "" && f.local == nil {
		f.mark = unsettled(o.ModTime, time.Now())
	}
	t.files[p] = f
	t.grow(dir)
	t.folders[dir] = append(t.folders[dir], fs.FileInfoToDirEntry(f))
}

// unsettled is a mark that no other listing has, for an object that was changed just
// now in a store that tells times in whole seconds: it may change once more within
// its second, and only its readers at that. Clocks may be half a minute apart.
func unsettled(modified, now time.Time) string {
	if modified.Nanosecond() != 0 || now.Sub(modified).Abs() > 30*time.Second {
		return ""
	}
	return fmt.Sprintf("listed %d", now.UnixNano())
}

// grow enters a folder, and so those above it.
func (t *tree) grow(dir string) {
	if _, ok := t.folders[dir]; ok {
		return
	}
	t.folders[dir] = nil
	above, base := split(dir)
	t.grow(above)
	t.folders[above] = append(t.folders[above], fs.FileInfoToDirEntry(object{name: base, dir: true}))
}

// Owners says nothing: buckets have no owners by path.
func (t *tree) Owners(string) policy.Statement { return policy.Statement{} }

// ReadDir lists a folder.
func (t *tree) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, ok := t.folders[name]
	if !ok {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: fs.ErrNotExist}
	}
	return entries, nil
}

// Stat tells of an object.
func (t *tree) Stat(name string) (fs.FileInfo, error) {
	o, ok := t.files[name]
	if !ok {
		return nil, &fs.PathError{Op: "stat", Path: name, Err: fs.ErrNotExist}
	}
	return o, nil
}

// Open opens an object.
func (t *tree) Open(name string) (fs.File, error) { return t.OpenContext(context.Background(), name) }

// OpenContext opens an object that is still the listed one.
func (t *tree) OpenContext(ctx context.Context, name string) (fs.File, error) {
	listed, ok := t.files[name]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	if listed.Mode() != 0 {
		return nil, fmt.Errorf("%w: %q is a link", folder.ErrNotRegular, name)
	}
	var f *file
	err := t.source.calls.Do(ctx, func(attempt context.Context) (err error) {
		if err := attempt.Err(); err != nil {
			return err
		}
		f, err = t.open(ctx, name, listed) // ctx: the reader outlives the attempt
		return verdict(err)
	})
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return f, nil
}

var errChanged = fmt.Errorf("%w in the state that was listed: the object changed since", corpora.ErrUnavailable)

func (t *tree) open(ctx context.Context, name string, listed object) (*file, error) {
	key := t.source.options.Prefix + name
	about, err := t.source.options.Bucket.Attributes(ctx, key)
	if err != nil {
		return nil, err
	}
	if !listed.same(about.Size, about.ModTime) {
		return nil, errChanged
	}
	listed.about.Says, err = says(about.Metadata)
	if err != nil {
		return nil, err
	}
	r, err := t.source.options.Bucket.NewReader(ctx, key, &blob.ReaderOptions{BeforeRead: listed.check})
	if err != nil {
		return nil, err
	}
	if !listed.same(r.Size(), r.ModTime()) {
		r.Close()
		return nil, errChanged
	}
	return &file{Reader: r, info: listed}, nil
}

// object is what a listing tells of one, or a folder.
type object struct {
	name     string
	dir      bool
	size     int64
	modified time.Time
	md5      string
	mark     string
	local    os.FileInfo // in a directory: the file
	about    folder.About
}

// same compares to the second, since stores tell no more of an object, and some
// tell one time in a list and another, a moment later, with the object.
func (o object) same(size int64, modified time.Time) bool {
	apart := o.modified.Truncate(time.Second).Sub(modified.Truncate(time.Second))
	return o.size == size && apart.Abs() <= time.Second
}

// check refuses a file in a directory that is another one than was listed: a
// link may have taken its place.
func (o object) check(as func(any) bool) error {
	var f *os.File
	if o.local == nil || !as(&f) {
		return nil
	}
	now, err := f.Stat()
	if err != nil {
		return err
	}
	if !os.SameFile(o.local, now) {
		return errChanged
	}
	return nil
}

func (o object) Name() string       { return o.name }
func (o object) Size() int64        { return o.size }
func (o object) ModTime() time.Time { return o.modified }
func (o object) IsDir() bool        { return o.dir }

func (o object) Mode() fs.FileMode {
	switch {
	case o.dir:
		return fs.ModeDir
	case o.local != nil:
		return o.local.Mode().Type()
	}
	return 0
}

func (o object) Sys() any {
	a := o.about
	a.Mark = fmt.Sprintf("%d %d %s %s", o.size, o.modified.UnixNano(), o.md5, o.mark)
	return a
}

type file struct {
	*blob.Reader
	info object
}

func (f *file) Stat() (fs.FileInfo, error) { return f.info, nil }

// says reads who may read from an object's metadata.
func says(metadata map[string]string) (policy.Statement, error) {
	found := map[string]string{}
	for k, v := range metadata {
		key := strings.ReplaceAll(strings.ToLower(k), "_", "-")
		switch {
		case !strings.HasPrefix(key, "ken-"):
			continue
		case key != "ken-acl-allow" && key != "ken-acl-deny":
			return policy.Statement{}, fmt.Errorf("metadata %q is not read: there are ken-acl-allow and ken-acl-deny", k)
		}
		if _, twice := found[key]; twice {
			return policy.Statement{}, fmt.Errorf("metadata %q is there in two spellings", key)
		}
		found[key] = v
	}
	s, err := item.Says(found["ken-acl-allow"], found["ken-acl-deny"], "")
	_, s.States = found["ken-acl-allow"]
	return s, err
}
