package acl

import (
	"slices"
	"strings"
)

// Principal is who asks: a set of subjects. The zero Principal holds nothing,
// not even [Everyone], and so may read nothing.
type Principal struct {
	subjects []Subject // sorted, without duplicates
}

// NewPrincipal returns the principal that holds the given subjects, [Everyone],
// the lower clearances, and, if one of them is a user, [Authenticated]. With no argument it is the
// anonymous principal. A subject that [ParseSubject] refuses is left out: no
// grant can name it, and it could hold the separator of [Principal.Key].
func NewPrincipal(subjects ...Subject) Principal {
	all := []Subject{Everyone}
	for _, s := range subjects {
		if _, err := ParseSubject(string(s)); err != nil {
			continue
		}
		switch {
		case s.IsUser():
			all = append(all, s, Authenticated)
		case s.IsClearance():
			all = append(all, below(s)...)
		default:
			all = append(all, s)
		}
	}
	slices.Sort(all)
	return Principal{slices.Compact(all)}
}

// Holds reports whether s is one of the principal's subjects.
func (p Principal) Holds(s Subject) bool {
	_, ok := slices.BinarySearch(p.subjects, s)
	return ok
}

// IsZero reports whether p is the zero Principal, which may read nothing.
func (p Principal) IsZero() bool { return len(p.subjects) == 0 }

// User returns the first user subject, or "" if the principal has none.
func (p Principal) User() Subject {
	for _, s := range p.subjects {
		if s.IsUser() {
			return s
		}
	}
	return ""
}

// Subjects returns the subjects in byte order. The caller owns the slice.
func (p Principal) Subjects() []Subject { return slices.Clone(p.subjects) }

// Key returns a string that is equal for two principals exactly when they hold
// the same subjects. No subject contains the separator, a NUL.
func (p Principal) Key() string {
	var b strings.Builder
	for _, s := range p.subjects {
		b.WriteString(string(s))
		b.WriteByte(0)
	}
	return b.String()
}
