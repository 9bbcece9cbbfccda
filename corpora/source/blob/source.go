package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"path"
	"strings"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/corpora/policy"
	"ken/corpora/protect"
	"ken/corpora/source/folder"
	"ken/corpora/source/item"
	"ken/corpora/source/remote"
)

// Options of a bucket. Name and Bucket are needed.
type Options struct {
	Name     string       // begins every DocID
	Bucket   *blob.Bucket // the caller closes it
	Prefix   string       // keys below it count, and are named without it
	Owner    acl.Subject
	MaxBytes int64 // largest object; see folder.Options
	Calls    remote.Options
	// Mark tells what changes with every change of an object, its metadata included;
	// "" if nothing but its time does. nil: it is "" for all.
	Mark func(*blob.ListObject) string
}

// Source is a bucket. It is safe for concurrent use.
type Source struct {
	options Options
	calls   *remote.Caller
}

var _ corpora.Source = (*Source)(nil)

// New returns the source of a bucket's objects.
func New(o Options) (*Source, error) {
	if o.Bucket == nil {
		return nil, errors.New("blob: no bucket")
	}
	if o.Prefix = strings.Trim(o.Prefix, "/"); o.Prefix != "" {
		o.Prefix += "/"
	}
	s := &Source{options: o, calls: remote.New(o.Calls)}
	_, err := folder.New(&tree{}, s.folder())
	return s, err
}

func (s *Source) folder() folder.Options {
	return folder.Options{Name: s.options.Name, Owner: s.options.Owner, MaxBytes: s.options.MaxBytes}
}

// Name returns the source's name.
func (s *Source) Name() string { return s.options.Name }

// Changes lists all objects; the cursor is not looked at.
func (s *Source) Changes(ctx context.Context, after corpora.Cursor) iter.Seq2[corpora.Change, error] {
	return func(yield func(corpora.Change, error) bool) {
		t, files, err := s.open(ctx, "")
		if err != nil {
			yield(corpora.Change{}, fmt.Errorf("bucket %s: the listing is not complete: %w", s.Name(), err))
			return
		}
		for _, key := range t.unusable {
			id := item.Options{Name: s.Name()}.ID(key)
			err := fmt.Errorf("document %s: %w: the key %q is no path", id, folder.ErrName, key)
			if !yield(corpora.Change{Op: corpora.Put, ID: id}, err) {
				return
			}
		}
		files.Changes(ctx, after)(yield)
	}
}

// Policy reads the bucket's policy object.
func (s *Source) Policy(ctx context.Context) (folder.Origin, error) {
	_, files, err := s.open(ctx, path.Dir(policy.File)+"/")
	if err != nil {
		return folder.Origin{}, fmt.Errorf("bucket %s: %w", s.Name(), err)
	}
	return files.Policy(ctx)
}

// Protection returns the rules for values in documents that the policy holds.
func (s *Source) Protection(ctx context.Context) (protect.Rules, error) {
	_, files, err := s.open(ctx, path.Dir(policy.File)+"/")
	if err != nil {
		return protect.Rules{}, fmt.Errorf("bucket %s: %w", s.Name(), err)
	}
	return files.Protection(ctx)
}

// open lists the keys that begin with a prefix as a folder.
func (s *Source) open(ctx context.Context, below string) (*tree, *folder.Source, error) {
	t, err := s.list(ctx, below)
	if err != nil {
		return nil, nil, err
	}
	files, err := folder.New(t, s.folder())
	return t, files, err
}

// pageSize is how many objects one call lists.
const pageSize = 1000

// list reads the keys. For documents only the whole list is of use, since rules for
// all lie somewhere in it.
func (s *Source) list(ctx context.Context, below string) (*tree, error) {
	t := newTree(s)
	token := blob.FirstPageToken
	for len(token) > 0 {
		var page []*blob.ListObject
		err := s.calls.Do(ctx, func(ctx context.Context) (err error) {
			var next []byte
			if page, next, err = s.options.Bucket.ListPage(ctx, token, pageSize, &blob.ListOptions{Prefix: s.options.Prefix + below}); err == nil {
				token = next
			}
			return verdict(err)
		})
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		for _, o := range page {
			t.add(o)
		}
	}
	return t, nil
}

// verdict tells what another attempt may mend.
func verdict(err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		return err
	}
	switch gcerrors.Code(err) {
	case gcerrors.NotFound:
		return fmt.Errorf("%w: %w", fs.ErrNotExist, err)
	case gcerrors.PermissionDenied:
		return fmt.Errorf("%w (%w): %w", remote.ErrDenied, fs.ErrPermission, err)
	case gcerrors.InvalidArgument, gcerrors.FailedPrecondition, gcerrors.Unimplemented, gcerrors.AlreadyExists, gcerrors.Canceled:
		return err
	}
	return remote.Passing(err, 0)
}

// split returns folder and name of a path, "." for the top.
func split(p string) (dir, base string) { return path.Dir(p), path.Base(p) }
