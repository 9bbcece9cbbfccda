package acl_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"ken/corpora/acl"
)

func TestResolve(t *testing.T) {
	groups, err := acl.NewGroups(map[acl.Subject][]acl.Subject{
		"group:hr":         {"user:ann", "group:people-ops"},
		"group:people-ops": {"user:bob"},
		"group:staff":      {"group:hr", acl.Authenticated},
	}, jan)
	if err != nil {
		t.Fatal(err)
	}
	bob, err := acl.Resolver{Directory: groups}.Resolve(t.Context(), acl.NewPrincipal("user:bob"))
	if err != nil || !bob.Holds("group:hr") || !bob.Holds("group:people-ops") || !bob.Holds("group:staff") {
		t.Errorf("bob is %v, %v", bob.Subjects(), err)
	}
	if eve, _ := (acl.Resolver{Directory: groups}).Resolve(t.Context(), acl.NewPrincipal("user:eve")); eve.Holds("group:hr") || !eve.Holds("group:staff") {
		t.Errorf("eve is %v", eve.Subjects())
	}
	if got, want := groups.Path([]acl.Subject{"user:bob", acl.Everyone}, "group:hr"), []acl.Subject{"user:bob", "group:people-ops", "group:hr"}; !slices.Equal(got, want) {
		t.Errorf("path %v, want %v", got, want)
	}
}

type broken struct{ err error }

func (b broken) Groups(context.Context, []acl.Subject) (acl.Membership, error) {
	return acl.Membership{Subjects: []acl.Subject{"user:root", "group:hr"}}, b.err
}

// Whoever's groups are not known is nobody: without its groups it might escape a deny.
func TestResolveFailsClosed(t *testing.T) {
	old, err := acl.NewGroups(map[acl.Subject][]acl.Subject{"group:hr": {"user:ann"}}, jan)
	if err != nil {
		t.Fatal(err)
	}
	late := func() time.Time { return jan.Add(time.Hour + 1) }
	for name, r := range map[string]acl.Resolver{
		"the directory fails": {Directory: broken{errors.New("down")}},
		"too old":             {Directory: old, MaxAge: time.Hour, Clock: late},
		"of unknown age":      {Directory: broken{}, MaxAge: time.Hour, Clock: late},
	} {
		p, err := r.Resolve(t.Context(), acl.NewPrincipal("user:ann"))
		if !p.IsZero() || !errors.Is(err, acl.ErrMembership) {
			t.Errorf("%s: %v, %v", name, p.Subjects(), err)
		}
	}
	just := acl.Resolver{Directory: old, MaxAge: time.Hour, Clock: func() time.Time { return jan.Add(time.Hour) }}
	if p, err := just.Resolve(t.Context(), acl.NewPrincipal("user:ann")); err != nil || !p.Holds("group:hr") {
		t.Errorf("just in time: %v, %v", p.Subjects(), err)
	}
	if p, err := (acl.Resolver{Directory: broken{}}).Resolve(t.Context(), acl.NewPrincipal("user:ann")); err != nil || p.Holds("user:root") {
		t.Errorf("a directory made ann another person: %v, %v", p.Subjects(), err)
	}
	if p, err := (acl.Resolver{Directory: broken{}}).Resolve(t.Context(), acl.Principal{}); err != nil || !p.IsZero() {
		t.Errorf("nobody became %v, %v", p.Subjects(), err)
	}
}

// TestGroupsAreTheirDefinition compares with the closure by repeated passes over all
// groups, and cycles with a walk that counts steps.
func TestGroupsAreTheirDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		members := map[acl.Subject][]acl.Subject{}
		for i := range rapid.IntRange(1, 6).Draw(t, "groups") {
			var m []acl.Subject
			for range rapid.IntRange(0, 3).Draw(t, "members") {
				n := rapid.IntRange(0, 7).Draw(t, "member")
				if n >= 6 {
					m = append(m, acl.User(fmt.Sprint(n)))
				} else {
					m = append(m, acl.Group(fmt.Sprint(n)))
				}
			}
			members[acl.Group(fmt.Sprint(i))] = m
		}
		holds := func(from acl.Subject) map[acl.Subject]bool {
			in := map[acl.Subject]bool{from: true}
			reached := map[acl.Subject]bool{}
			for range members {
				for g, ms := range members {
					if slices.ContainsFunc(ms, func(m acl.Subject) bool { return in[m] }) {
						in[g], reached[g] = true, true
					}
				}
			}
			return reached
		}
		cyclic := false
		for g := range members {
			cyclic = cyclic || holds(g)[g]
		}
		groups, err := acl.NewGroups(members, jan)
		if cycle, ok := errors.AsType[*acl.CycleError](err); ok != cyclic {
			t.Fatalf("cycle %v, want %v", cycle, cyclic)
		}
		if cyclic {
			return
		}
		got, _ := groups.Groups(t.Context(), []acl.Subject{"user:6"})
		want := holds("user:6")
		if len(got.Subjects) != len(want) {
			t.Fatalf("user:6 is in %v, want %v", got.Subjects, want)
		}
		for _, g := range got.Subjects {
			path := groups.Path([]acl.Subject{"user:6"}, g)
			if !want[g] || len(path) < 2 || path[0] != "user:6" || path[len(path)-1] != g {
				t.Fatalf("%s by %v", g, path)
			}
		}
	})
}
