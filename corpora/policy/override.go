package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/internal/atomicfile"
)

// Override is what an administrator said about one document. It outlives what
// the document's source says: [Override.Apply] goes over every list that the
// source gives.
type Override struct {
	Set    *acl.List `json:"set,omitempty"`   // in place of the source's grants
	Change acl.List  `json:"change,omitzero"` // added to them
	// Source is what the source said last, to go back to; nil if no ingest
	// has told since the first override.
	Source *acl.List `json:"source,omitempty"`
}

// Apply returns the list in force. What is required stays as the source has it.
func (o Override) Apply(source acl.List) acl.List {
	if o.Set != nil {
		source = source.Instead(o.Set.Allow(), o.Set.Deny())
	}
	return source.With(o.Change.Allow(), o.Change.Deny())
}

// byHand marks what was said by hand, so that it can be told from the same
// grant or deny of the source's: it begins before any time that a policy can say.
var byHand = time.Date(1, 1, 1, 0, 0, 0, 1, time.UTC)

// ByHand reports whether a grant or deny comes from an Override without a beginning of its own.
func ByHand(g acl.Grant) bool { return g.NotBefore.Equal(byHand) }

// Remove returns the list without what o had added to it. What the source
// says stays.
func (o Override) Remove(l acl.List) acl.List {
	return l.Instead(minus(l.Allow(), o.Change.Allow()), minus(l.Deny(), o.Change.Deny()))
}

func minus(from, what []acl.Grant) []acl.Grant {
	return slices.DeleteFunc(from, func(g acl.Grant) bool { return slices.Contains(what, g) })
}

// Grant returns o with one more grant, which takes back an earlier revoke of
// the same subject. It lifts no deny of the source's.
func (o Override) Grant(g acl.Grant) Override {
	if g.NotBefore.IsZero() {
		g.NotBefore = byHand
	}
	o.Change = acl.NewList(append(o.Change.Allow(), g), without(o.Change.Deny(), g.Subject))
	return o
}

// Revoke returns o with a deny of the subject, which no grant outweighs.
func (o Override) Revoke(s acl.Subject) Override {
	o.Change = acl.NewList(without(o.Change.Allow(), s), append(o.Change.Deny(), acl.Grant{Subject: s, NotBefore: byHand}))
	return o
}

func without(grants []acl.Grant, s acl.Subject) []acl.Grant {
	return slices.DeleteFunc(grants, func(g acl.Grant) bool { return g.Subject == s })
}

// Overrides are the overrides of a data directory by document.
type Overrides map[corpora.DocID]Override

const maxOverrides = 256 << 20

// ReadOverrides reads the file; one that does not exist holds none. Whatever is
// not understood is an error: half of the revokes must not be taken for all.
func ReadOverrides(path string) (Overrides, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Overrides{}, nil
	}
	if err != nil {
		return nil, err
	}
	if len(data) > maxOverrides {
		return nil, fmt.Errorf("%s has %d bytes, more than %d", path, len(data), maxOverrides)
	}
	out := Overrides{}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&out); err != nil || d.More() {
		return nil, fmt.Errorf("%s is damaged, so nobody can tell what was revoked: restore it from a backup: %w", path, errors.Join(err, errOverrides))
	}
	return out, nil
}

var errOverrides = errors.New("malformed overrides")

// Write replaces the file in one step and returns when that is durable.
func (o Overrides) Write(path string) error {
	data, err := json.MarshalIndent(o, "", "  ")
	if err == nil {
		err = atomicfile.Write(path, append(data, '\n'))
	}
	if err != nil {
		return fmt.Errorf("write overrides: %w", err)
	}
	return nil
}
