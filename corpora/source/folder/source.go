package folder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"

	"ken/corpora"
	"ken/corpora/acl"
)

// DefaultMaxBytes is the largest file that is read unless Options say otherwise.
const DefaultMaxBytes = 64 << 20

// Options of a folder. The zero Options are useful: the folder's own name, and
// without a policy file nobody may read.
type Options struct {
	// Name is the source's name, which begins every DocID. Open takes the
	// folder's base name if it is empty; New needs one.
	Name string
	// Owner may read everything in a folder that has no policy file, unless a
	// document says otherwise. Empty: nobody may.
	Owner acl.Subject
	// MaxBytes is the size in bytes above which a file is an error; 0 is
	// DefaultMaxBytes.
	MaxBytes int64
	// Modes says that nobody may read a file who may not read it where it lies, by
	// owner, group, mode and extended list of the file and of the folders on the
	// way, and that who may there may here, unless something narrower is said.
	// Without a policy file, Owner is not looked at. Needs Open.
	Modes bool
}

func (o Options) withDefaults() Options {
	if o.MaxBytes == 0 {
		o.MaxBytes = DefaultMaxBytes
	}
	return o
}

func (o Options) validate() error {
	switch {
	case o.Name == "" || o.Name == "." || o.Name == "..":
		return fmt.Errorf("folder: the source needs a name, got %q", o.Name)
	case strings.ContainsRune(o.Name, '/') || !utf8.ValidString(o.Name) || strings.ContainsFunc(o.Name, unicode.IsControl):
		return fmt.Errorf("folder: source name %q: want UTF-8 without slashes and control characters", o.Name)
	case o.MaxBytes < 0:
		return fmt.Errorf("folder: MaxBytes is %d, want more than 0", o.MaxBytes)
	}
	if o.Owner != "" {
		if _, err := acl.ParseSubject(string(o.Owner)); err != nil {
			return fmt.Errorf("folder: owner: %w", err)
		}
	}
	return nil
}

// Source is a folder of documents. It is safe for concurrent use.
type Source struct {
	fsys    fs.FS
	options Options
	root    *os.Root // nil if the file system was given
	place   Place    // nil unless the file system is one
}

var _ corpora.Source = (*Source)(nil)

// New returns the source of the files in fsys, which must have a name in the
// options. A [Place] is asked for what it knows besides.
func New(fsys fs.FS, o Options) (*Source, error) {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	place, _ := fsys.(Place)
	return &Source{fsys: fsys, options: o, place: place}, nil
}

// Open returns the source of the files in a directory. The caller closes it,
// after the last Load.
func Open(dir string, o Options) (*Source, error) {
	if err := checkDir(dir); err != nil {
		return nil, err
	}
	if o.Name == "" {
		full, err := filepath.Abs(dir)
		if err != nil {
			return nil, fmt.Errorf("open folder %q: %w", dir, err)
		}
		o.Name = filepath.Base(full)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open folder %q: %w", dir, err)
	}
	s, err := New(root.FS(), o)
	if err != nil {
		return nil, errors.Join(err, root.Close())
	}
	s.root = root
	if o.Modes {
		err = checkModes()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open folder %q: %w", dir, err), s.Close())
	}
	return s, nil
}

func checkDir(dir string) error {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("open folder %q: there is no such folder: %w", dir, err)
	case err != nil:
		return fmt.Errorf("open folder %q: %w", dir, err)
	case !info.IsDir():
		return fmt.Errorf("open folder %q: it is a file; give the folder that holds it", dir)
	}
	return nil
}

// Close releases the directory that Open opened.
func (s *Source) Close() error {
	if s.root == nil {
		return nil
	}
	return s.root.Close()
}

// Name returns the source's name.
func (s *Source) Name() string { return s.options.Name }

func (s *Source) id(path string) corpora.DocID {
	return corpora.DocID(s.options.Name + "/" + path)
}

// Changes lists the whole folder; a folder remembers nothing, so the cursor is
// not looked at. Paths come in byte order.
func (s *Source) Changes(ctx context.Context, _ corpora.Cursor) iter.Seq2[corpora.Change, error] {
	return func(yield func(corpora.Change, error) bool) {
		rules, _, err := s.policy(ctx)
		if err == nil && s.options.Modes && s.root == nil {
			err = fmt.Errorf("folder %s: %w: this is no folder of a disk", s.Name(), ErrPermissions)
		}
		if err != nil {
			yield(corpora.Change{}, err)
			return
		}
		w := walk{source: s, ctx: ctx, policy: rules, yield: yield, names: newAccounts()}
		if !w.folder(".", acl.Allow(acl.Everyone)) {
			return
		}
		if err := errors.Join(w.problems...); err != nil {
			yield(corpora.Change{}, fmt.Errorf("folder %s: the listing is not complete: %w", s.Name(), err))
			return
		}
		yield(corpora.Change{Op: corpora.Complete}, nil)
	}
}
