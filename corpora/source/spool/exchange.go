package spool

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"time"

	"github.com/gofrs/flock"

	"ken/corpora/acl"
)

// Kept is what a spool holds of an id. The zero Kept is nothing.
type Kept struct {
	Message             // the newest version; without Data if it is a deletion
	By      acl.Subject // who wrote it; "" is not known
	Erased  bool        // by an operator, see [Spool.Erase]
}

// Present reports whether there is a document.
func (k Kept) Present() bool { return k.Version > 0 && !k.Delete && !k.Erased }

// Says reports whether k holds what m says: all but its version and when it was written.
func (k Kept) Says(m Message) bool {
	was := k.Message
	was.Version, was.Updated = m.Version, m.Updated
	return k.Present() && string(was.Data) == string(m.Data) && reflect.DeepEqual(was.plain(), m.plain())
}

// plain is the message without its bytes, with one way to say nothing.
func (m Message) plain() Message {
	m.Data = nil
	if len(m.Tags) == 0 {
		m.Tags = nil
	}
	if len(m.Allow) == 0 {
		m.Allow = nil
	}
	if len(m.Deny) == 0 {
		m.Deny = nil
	}
	return m
}

// Kept tells what the spool holds of an id.
func (s *Spool) Kept(id string) (Kept, error) {
	r, data, err := read(s.dir, id, maxHead)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Kept{}, nil
	case err != nil:
		return Kept{}, err
	}
	return Kept{
		Message: Message{ID: r.ID, Version: r.Version, Delete: r.State == deleted || r.State == refused, Meta: r.Meta, Data: data},
		By:      r.By, Erased: r.State == erased,
	}, nil
}

// Restore makes the spool hold of an id what it held before, or nothing. What was
// erased meanwhile stays so. The caller keeps other writers out, see [Hold].
func (s *Spool) Restore(id string, was Kept) error {
	return s.locked(func() error {
		now, err := s.head(fileOf(id))
		if errors.Is(err, fs.ErrNotExist) || err == nil && now.State == erased {
			return nil
		}
		if err != nil {
			return err
		}
		if was.Version == 0 {
			return s.remove(fileOf(id))
		}
		r := record{ID: id, Version: was.Version, State: present, Meta: was.Meta, By: was.By}
		if was.Delete {
			r.State = deleted
		}
		return s.write(fileOf(id), r, was.Data)
	})
}

const (
	runName  = ".run"
	runEvery = 5 * time.Millisecond // between two looks whether a spool is free
)

// Hold waits until nobody else holds the spool. Whoever compares before writing,
// and whoever carries the spool's documents into an index that is compared with,
// holds it meanwhile. A spool that does not exist has nothing to hold.
func Hold(ctx context.Context, dir string) (release func() error, err error) {
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return func() error { return nil }, nil
	}
	lock := flock.New(filepath.Join(dir, runName), flock.SetPermissions(0o600))
	if ok, err := lock.TryLockContext(ctx, runEvery); err != nil || !ok {
		return nil, fmt.Errorf("wait for the spool: %w", errors.Join(err, ctx.Err()))
	}
	return lock.Close, nil
}
