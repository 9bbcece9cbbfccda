package git

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"net/http"
	"path"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/storage"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/corpora/protect"
	"ken/corpora/source/folder"
	"ken/corpora/source/remote"
)

// Options of a repository. Name and either Dir or URL are needed.
type Options struct {
	Name string // begins every DocID
	// Dir is a local repository, bare or not, which is only read.
	Dir string
	// URL is that of a remote repository: over http or https, without credentials,
	// which belong to Client, or ssh://USER@HOST/PATH with SSH.
	URL    string
	Client *http.Client // see safenet.NewClient
	SSH    *SSH
	// Keep is the directory in which what was fetched is kept, so that the next
	// fetch brings only what is new; "" keeps it in memory until the end.
	Keep       string
	Ref        string // branch, tag, full reference or (local) any revision; "" is HEAD
	Path       string // folder within the repository; "" is its top
	Codeowners bool   // those whom CODEOWNERS names may read, unless a rule of the policy says otherwise
	Owner      acl.Subject
	MaxBytes   int64 // largest file; see folder.Options
	MaxPack    int64 // most bytes that one fetch may bring; 0 is 4 GiB
	MaxHistory int   // commits that are looked at to tell when a file changed; 0 is 100,000
	Calls      remote.Options
}

func (o Options) withDefaults() Options {
	if o.MaxPack == 0 {
		o.MaxPack = 4 << 30
	}
	if o.MaxHistory == 0 {
		o.MaxHistory = 100_000
	}
	o.Path = strings.Trim(o.Path, "/")
	return o
}

func (o Options) validate() error {
	switch {
	case o.Name == "":
		return errors.New("git: the source needs a name")
	case (o.Dir == "") == (o.URL == ""):
		return fmt.Errorf("git %s: want a directory or a URL", o.Name)
	case o.URL != "" && (o.Client == nil) == (o.SSH == nil):
		return fmt.Errorf("git %s: a remote repository needs a client or SSH", o.Name)
	case o.Path != "" && !fs.ValidPath(o.Path):
		return fmt.Errorf("git %s: path %q: want a folder of the repository, such as docs/public", o.Name, o.Path)
	}
	if o.SSH != nil {
		if err := o.SSH.validate(); err != nil {
			return fmt.Errorf("git %s: %w", o.Name, err)
		}
	}
	return nil
}

// Source is a repository. It is safe for concurrent use, but for two listings at
// once of a remote one.
type Source struct {
	options Options
	calls   *remote.Caller
	kept    storage.Storer // what was fetched; nil for a local one
}

var _ corpora.Source = (*Source)(nil)

// New returns the source of a repository. Nothing is fetched before it is listed.
func New(o Options) (*Source, error) {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	if _, err := folder.New(&commit{}, o.folder()); err != nil {
		return nil, err
	}
	if o.Calls.Attempt == 0 {
		o.Calls.Attempt = fetchTime
	}
	s := &Source{options: o, calls: remote.New(o.Calls)}
	if o.URL != "" {
		s.kept = keep(o.Keep)
	}
	return s, nil
}

func (o Options) folder() folder.Options {
	return folder.Options{Name: o.Name, Owner: o.Owner, MaxBytes: o.MaxBytes}
}

// Name returns the source's name.
func (s *Source) Name() string { return s.options.Name }

// Changes lists the whole commit that the reference names now; the cursor is not
// looked at, since trees that did not change are told apart by their hashes.
func (s *Source) Changes(ctx context.Context, after corpora.Cursor) iter.Seq2[corpora.Change, error] {
	return func(yield func(corpora.Change, error) bool) {
		files, err := s.open(ctx)
		if err != nil {
			yield(corpora.Change{}, fmt.Errorf("git %s: %w", s.Name(), err))
			return
		}
		files.Changes(ctx, after)(yield)
	}
}

// Policy reads the policy file of the commit that the next listing begins with.
func (s *Source) Policy(ctx context.Context) (folder.Origin, error) {
	files, err := s.open(ctx)
	if err != nil {
		return folder.Origin{}, fmt.Errorf("git %s: %w", s.Name(), err)
	}
	return files.Policy(ctx)
}

// Protection returns the rules for values in documents that the policy holds.
func (s *Source) Protection(ctx context.Context) (protect.Rules, error) {
	files, err := s.open(ctx)
	if err != nil {
		return protect.Rules{}, fmt.Errorf("git %s: %w", s.Name(), err)
	}
	return files.Protection(ctx)
}

// open returns the files of the commit as a folder.
func (s *Source) open(ctx context.Context) (*folder.Source, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	store, head, err := s.head(ctx)
	if err != nil {
		return nil, err
	}
	c := &commit{store: store, options: s.options}
	if c.head, err = object.GetCommit(store, head); err != nil {
		return nil, fmt.Errorf("commit %s: %w", head, err)
	}
	if c.root, err = c.head.Tree(); err != nil {
		return nil, fmt.Errorf("commit %s: %w", head, err)
	}
	top := c.root
	if s.options.Path != "" {
		if c.root, err = top.Tree(s.options.Path); err != nil {
			return nil, fmt.Errorf("there is no folder %q at %s", s.options.Path, short(head))
		}
	}
	if s.options.Codeowners {
		if c.owners, err = readOwners(top); err != nil {
			return nil, fmt.Errorf("%w: %w", corpora.ErrPermissions, err)
		}
	}
	return folder.New(c, s.options.folder())
}

func short(h plumbing.Hash) string { return h.String()[:10] }

// below returns the path in the repository of a path in the source.
func (o Options) below(name string) string { return path.Join(o.Path, name) }
