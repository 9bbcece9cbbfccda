package acl

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// ErrEncoding is wrapped by every error about a stored list that is not as
// MarshalJSON wrote it.
var ErrEncoding = errors.New("malformed access list")

type listJSON struct {
	Allow []grantJSON `json:"allow,omitempty"`
	Deny  []grantJSON `json:"deny,omitempty"`
	// Require came later than the others; stores that were written before have none.
	Require []Subject `json:"require,omitempty"`
}

type grantJSON struct {
	Subject   Subject   `json:"subject"`
	NotBefore time.Time `json:"not_before,omitzero"`
	NotAfter  time.Time `json:"not_after,omitzero"`
}

// MarshalJSON writes the canonical form: {"allow": [...], "deny": [...], "require": [...]}, sorted,
// empty lists and open times left out. A time beyond the year 9999 is an error.
func (l List) MarshalJSON() ([]byte, error) {
	return json.Marshal(listJSON{Allow: toJSON(l.allow), Deny: toJSON(l.deny), Require: l.require})
}

// UnmarshalJSON reads what MarshalJSON wrote and, apart from white space between
// the tokens, nothing else. A lenient reader would drop a deny whose key was
// damaged or that a second key of the same name replaced, and so open a
// document; here such a text is an error that wraps [ErrEncoding], and l
// becomes the zero List.
func (l *List) UnmarshalJSON(data []byte) error {
	*l = List{}
	var in listJSON
	if err := json.Unmarshal(data, &in); err != nil {
		return fmt.Errorf("acl: %w: %w", ErrEncoding, err)
	}
	allow, err := fromJSON(in.Allow)
	if err != nil {
		return err
	}
	deny, err := fromJSON(in.Deny)
	if err != nil {
		return err
	}
	for _, s := range in.Require {
		if _, err := ParseSubject(string(s)); err != nil {
			return fmt.Errorf("acl: %w: %w", ErrEncoding, err)
		}
	}
	read := NewList(allow, deny).requiring(in.Require...)
	if err := sameText(read, data); err != nil {
		return err
	}
	*l = read
	return nil
}

// sameText checks that writing the list again gives the text it was read from.
func sameText(l List, data []byte) error {
	want, err := json.Marshal(l)
	if err != nil {
		return fmt.Errorf("acl: %w: %w", ErrEncoding, err)
	}
	var got bytes.Buffer
	if err := json.Compact(&got, data); err != nil {
		return fmt.Errorf("acl: %w: %w", ErrEncoding, err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		return fmt.Errorf("acl: %w: not in canonical form", ErrEncoding)
	}
	return nil
}

func toJSON(grants []Grant) []grantJSON {
	out := make([]grantJSON, len(grants))
	for i, g := range grants {
		out[i] = grantJSON(g)
	}
	return out
}

func fromJSON(in []grantJSON) ([]Grant, error) {
	out := make([]Grant, len(in))
	for i, g := range in {
		if _, err := ParseSubject(string(g.Subject)); err != nil {
			return nil, fmt.Errorf("acl: %w: %w", ErrEncoding, err)
		}
		out[i] = Grant(g)
	}
	return out, nil
}
