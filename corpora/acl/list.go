package acl

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// Grant gives (or, in a deny list, takes) a right to read. A zero time is open:
// the grant is in force from NotBefore, included, to NotAfter, excluded.
type Grant struct {
	Subject   Subject
	NotBefore time.Time
	NotAfter  time.Time
}

func (g Grant) inForce(at time.Time) bool {
	return (g.NotBefore.IsZero() || !at.Before(g.NotBefore)) &&
		(g.NotAfter.IsZero() || at.Before(g.NotAfter))
}

// List says who may read a document. A principal is admitted if an allow grant
// in force names one of its subjects and no deny grant in force does. The zero
// List admits no one. A List is immutable.
type List struct {
	allow, deny []Grant // sorted, without duplicates
}

// NewList returns the list of these grants, in any order.
func NewList(allow, deny []Grant) List {
	return List{allow: canonical(allow), deny: canonical(deny)}
}

// Allow returns the list that admits the holders of any of the subjects.
func Allow(subjects ...Subject) List { return NewList(Grants(subjects...), nil) }

// Grants returns one grant without limits of time per subject.
func Grants(subjects ...Subject) []Grant {
	out := make([]Grant, len(subjects))
	for i, s := range subjects {
		out[i] = Grant{Subject: s}
	}
	return out
}

// Allow and Deny return the grants in canonical order. The caller owns the slices.
func (l List) Allow() []Grant { return slices.Clone(l.allow) }

// Deny returns the grants that refuse, in canonical order.
func (l List) Deny() []Grant { return slices.Clone(l.deny) }

// Admits reports whether p may read, at the given instant, what l protects.
func (l List) Admits(p Principal, at time.Time) bool {
	return holdsAny(p, l.allow, at) && !holdsAny(p, l.deny, at)
}

func holdsAny(p Principal, grants []Grant, at time.Time) bool {
	return slices.ContainsFunc(grants, func(g Grant) bool {
		return p.Holds(g.Subject) && g.inForce(at)
	})
}

// Boundary returns the first instant after at when a grant of l starts or ends,
// and so the instant until which an answer of Admits may be remembered. It is
// the zero time if there is none.
func (l List) Boundary(at time.Time) time.Time {
	var next time.Time
	for _, grants := range [][]Grant{l.allow, l.deny} {
		for _, g := range grants {
			for _, t := range []time.Time{g.NotBefore, g.NotAfter} {
				if t.After(at) && (next.IsZero() || t.Before(next)) {
					next = t
				}
			}
		}
	}
	return next
}

// Key returns a canonical text that is equal for two lists exactly when they
// have the same grants. Documents with the same key form an ACL class.
func (l List) Key() string {
	text, err := json.Marshal(l)
	if err != nil { // a List holds strings and times in UTC only
		panic(fmt.Sprintf("acl: encode list: %v", err))
	}
	return string(text)
}

type listJSON struct {
	Allow []grantJSON `json:"allow,omitempty"`
	Deny  []grantJSON `json:"deny,omitempty"`
}

type grantJSON struct {
	Subject   Subject   `json:"subject"`
	NotBefore time.Time `json:"not_before,omitzero"`
	NotAfter  time.Time `json:"not_after,omitzero"`
}

// MarshalJSON writes the canonical form.
func (l List) MarshalJSON() ([]byte, error) {
	return json.Marshal(listJSON{Allow: toJSON(l.allow), Deny: toJSON(l.deny)})
}

// UnmarshalJSON reads what MarshalJSON wrote. A malformed subject is an error,
// so that damage can only close a document, never open it.
func (l *List) UnmarshalJSON(data []byte) error {
	var in listJSON
	if err := json.Unmarshal(data, &in); err != nil {
		return fmt.Errorf("acl: read list: %w", err)
	}
	allow, err := fromJSON(in.Allow)
	if err != nil {
		return err
	}
	deny, err := fromJSON(in.Deny)
	if err != nil {
		return err
	}
	*l = NewList(allow, deny)
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
			return nil, fmt.Errorf("acl: read list: %w", err)
		}
		out[i] = Grant(g)
	}
	return out, nil
}

// canonical sorts the grants, in UTC and without the monotonic clock, and drops
// duplicates.
func canonical(grants []Grant) []Grant {
	out := slices.Clone(grants)
	for i := range out {
		out[i].NotBefore = out[i].NotBefore.Round(0).UTC()
		out[i].NotAfter = out[i].NotAfter.Round(0).UTC()
	}
	slices.SortFunc(out, func(a, b Grant) int {
		return cmp.Or(cmp.Compare(a.Subject, b.Subject), a.NotBefore.Compare(b.NotBefore), a.NotAfter.Compare(b.NotAfter))
	})
	return slices.Compact(out)
}
