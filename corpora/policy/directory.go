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
// understood nobody's groups are known. Safe for concurrent use.
type Directory struct {
	path string

	mu     sync.Mutex
	seen   fs.FileInfo
	groups acl.Groups
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
	m, err := g.Groups(ctx, held)
	m.AsOf = time.Now() // the file was looked at just now
	return m, err
}

// Current returns the groups as the file has them now.
func (d *Directory) Current() (acl.Groups, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	info, err := os.Stat(d.path)
	if err != nil {
		return acl.Groups{}, err
	}
	if d.seen != nil && os.SameFile(d.seen, info) && d.seen.Size() == info.Size() && d.seen.ModTime().Equal(info.ModTime()) {
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
	groups, ok := p.Groups(time.Now())
	if !ok {
		return acl.Groups{}, fmt.Errorf("%s: %w", d.path, errNoGroups)
	}
	d.groups, d.seen = groups, info
	return groups, nil
}

var errNoGroups = errors.New("it declares no groups: write groups: {hr: [user:ann]}")
