package acl

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
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
// in force names one of its subjects, no deny grant in force does, and it holds
// every subject that is required. The zero List admits no one. A List is
// immutable.
type List struct {
	allow, deny []Grant   // sorted, without duplicates
	require     []Subject // sorted, without duplicates; see Classified
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

// Allow returns the grants that admit, in canonical order. The caller owns the
// slice.
func (l List) Allow() []Grant { return slices.Clone(l.allow) }

// Deny returns the grants that refuse, in canonical order. The caller owns the
// slice.
func (l List) Deny() []Grant { return slices.Clone(l.deny) }

// Admits reports whether p may read, at the given instant, what l protects.
func (l List) Admits(p Principal, at time.Time) bool {
	return holdsAny(p, l.allow, at) && !holdsAny(p, l.deny, at) && holdsAll(p, l.require)
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
	var b strings.Builder
	for _, g := range l.allow {
		g.appendKey(&b, '+')
	}
	for _, g := range l.deny {
		g.appendKey(&b, '-')
	}
	for _, s := range l.require {
		fmt.Fprintf(&b, "!%q;", string(s))
	}
	return b.String()
}

// appendKey quotes the subject, so that none can imitate the end of a grant,
// and writes times as seconds and nanoseconds, which every time.Time has.
func (g Grant) appendKey(b *strings.Builder, sign byte) {
	b.WriteByte(sign)
	b.WriteString(strconv.Quote(string(g.Subject)))
	for _, t := range []time.Time{g.NotBefore, g.NotAfter} {
		b.WriteByte(' ')
		if !t.IsZero() {
			fmt.Fprintf(b, "%d.%09d", t.Unix(), t.Nanosecond())
		}
	}
	b.WriteByte(';')
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
