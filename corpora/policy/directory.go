package policy

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"

	"ken/corpora/acl"
)

// Directory is the groups that a policy file declares. It follows the file: a
// change counts from the next question on, and while the file cannot be read or
// understood nobody's groups are known. They are as old as the file. Safe for
// concurrent use.
type Directory struct {
	path string

	mu     sync.Mutex
	seen   fs.FileInfo
	groups acl.Groups
	maxAge time.Duration
}

// OpenDirectory reads the file, which must declare groups.
func OpenDirectory(path string) (*Directory, error) {
	d := &Directory{path: path}
	_, err := d.Current()
	return d, err
}

// Groups is [acl.Groups.Groups] of the file as it is now.
func (d *Directory) Groups(ctx context.Context, held []acl.Subject) (acl.Membership, error) {
	g, err := d.Current()
	if err != nil {
		return acl.Membership{}, err
	}
	return g.Groups(ctx, held)
}

// Resolve adds to a principal the groups that the file has now. If they are not
// known, or the file was written longer ago than its max_age, the principal is
// nobody; see [acl.Resolver].
func (d *Directory) Resolve(ctx context.Context, p acl.Principal, clock func() time.Time) (acl.Principal, error) {
	if _, err := d.Current(); err != nil {
		return acl.Principal{}, fmt.Errorf("%w: %w", acl.ErrMembership, err)
	}
	d.mu.Lock()
	maxAge := d.maxAge
	d.mu.Unlock()
	return acl.Resolver{Directory: d, MaxAge: maxAge, Clock: clock}.Resolve(ctx, p)
}

// Current returns the groups as the file has them now.
func (d *Directory) Current() (acl.Groups, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	info, err := os.Stat(d.path)
	if err != nil {
		return acl.Groups{}, err
	}
	if d.seen != nil && same(d.seen, info) {
		return d.groups, nil
	}
	d.seen = nil
	data, err := os.ReadFile(d.path)
	if err != nil {
		return acl.Groups{}, err
	}
	p, err := Parse(data)
	if err != nil {
		return acl.Groups{}, fmt.Errorf("%s: %w", d.path, err)
	}
	groups, ok := p.Groups(info.ModTime())
	if !ok {
		return acl.Groups{}, fmt.Errorf("%s: %w", d.path, errNoGroups)
	}
	d.groups, d.seen, d.maxAge = groups, info, p.maxAge
	return groups, nil
}

var errNoGroups = errors.New("it declares no groups: write groups: {hr: [user:ann]}")
