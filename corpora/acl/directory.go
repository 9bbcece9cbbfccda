package acl

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Membership is what a directory knows of somebody at an instant.
type Membership struct {
	Subjects []Subject // groups, through other groups too, and clearances
	AsOf     time.Time // when the directory learned it
}

// Directory knows who belongs to which groups.
type Directory interface {
	// Groups returns what the holder of the subjects belongs to, directly or
	// through other groups. Somebody that the directory does not know belongs
	// to nothing, which is no error.
	Groups(ctx context.Context, held []Subject) (Membership, error)
}

// ErrMembership is wrapped by every failure to find out what somebody belongs to.
var ErrMembership = errors.New("membership is not known")

// Resolver gives principals the groups that a directory knows of. The zero
// Resolver knows of none and leaves principals as they are.
type Resolver struct {
	Directory Directory
	MaxAge    time.Duration    // what is older counts as not known; 0 is no limit
	Clock     func() time.Time // nil is time.Now
}

// Resolve returns p with what it belongs to. If that is not known, or was
// learned too long ago, it returns the zero Principal and an error that wraps
// [ErrMembership]: to go on without the groups could lift a deny.
func (r Resolver) Resolve(ctx context.Context, p Principal) (Principal, error) {
	if r.Directory == nil || p.IsZero() {
		return p, nil
	}
	m, err := r.Directory.Groups(ctx, p.Subjects())
	if err != nil {
		return Principal{}, fmt.Errorf("%w: %w", ErrMembership, err)
	}
	if age := r.now().Sub(m.AsOf); r.MaxAge > 0 && (m.AsOf.IsZero() || age > r.MaxAge) {
		return Principal{}, fmt.Errorf("%w: it was learned %s ago, and %s is the limit", ErrMembership, age.Round(time.Second), r.MaxAge)
	}
	all := p.Subjects()
	for _, s := range m.Subjects {
		if !s.IsUser() { // nobody becomes somebody else by belonging to something
			all = append(all, s)
		}
	}
	return NewPrincipal(all...), nil
}

func (r Resolver) now() time.Time {
	if r.Clock == nil {
		return time.Now()
	}
	return r.Clock()
}

// Groups are groups by name with their members: users, other groups,
// [Everyone] or [Authenticated]. They are a Directory as long as their source
// is not asked again. The zero Groups has none.
type Groups struct {
	of   map[Subject][]Subject // a member's groups
	all  []Subject             // sorted
	asOf time.Time
}

// CycleError says that a group is, through others, its own member.
type CycleError struct{ Path []Subject } // begins and ends with the same group

func (e *CycleError) Error() string {
	return fmt.Sprintf("the groups are members of one another: %v", e.Path)
}

// NewGroups returns the groups as they were learned at an instant. A group that is its
// own member, through however many others, is a [*CycleError].
func NewGroups(members map[Subject][]Subject, asOf time.Time) (Groups, error) {
	g := Groups{of: map[Subject][]Subject{}, asOf: asOf}
	for group := range members {
		g.all = append(g.all, group)
	}
	slices.Sort(g.all)
	for _, group := range g.all {
		for _, m := range members[group] {
			g.of[m] = append(g.of[m], group)
		}
	}
	for _, group := range g.all {
		if path := g.pathTo(group, group); path != nil {
			return Groups{}, &CycleError{path}
		}
	}
	return g, nil
}

// Names returns the groups, sorted. The caller owns the slice.
func (g Groups) Names() []Subject { return slices.Clone(g.all) }

// Groups returns the groups that hold any of the subjects, in byte order.
func (g Groups) Groups(_ context.Context, held []Subject) (Membership, error) {
	seen := map[Subject]bool{}
	var out []Subject
	for next := slices.Clone(held); len(next) > 0; {
		s := next[0]
		next = next[1:]
		for _, group := range g.of[s] {
			if !seen[group] {
				seen[group] = true
				out = append(out, group)
				next = append(next, group)
			}
		}
	}
	slices.Sort(out)
	return Membership{Subjects: out, AsOf: g.asOf}, nil
}

// Path returns the shortest way from one of the held subjects to a group,
// both included, for explanations; nil if there is none.
func (g Groups) Path(held []Subject, group Subject) []Subject {
	if slices.Contains(held, group) {
		return []Subject{group}
	}
	var best []Subject
	for _, s := range held {
		if path := g.pathTo(s, group); path != nil && (best == nil || len(path) < len(best)) {
			best = path
		}
	}
	return best
}

// pathTo goes from a member to a group in at least one step, breadth first.
func (g Groups) pathTo(from, to Subject) []Subject {
	came := map[Subject]Subject{}
	for next := []Subject{from}; len(next) > 0; {
		s := next[0]
		next = next[1:]
		for _, group := range g.of[s] {
			if _, seen := came[group]; seen {
				continue
			}
			came[group] = s
			if group == to {
				return g.trace(came, from, to)
			}
			next = append(next, group)
		}
	}
	return nil
}

func (g Groups) trace(came map[Subject]Subject, from, to Subject) []Subject {
	path := []Subject{to}
	for s := came[to]; s != from; s = came[s] {
		path = append(path, s)
	}
	path = append(path, from)
	slices.Reverse(path)
	return path
}
