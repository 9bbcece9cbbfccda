package acl_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"ken/corpora/acl"
)

func TestBoth(t *testing.T) {
	wide := acl.NewList(acl.Grants(acl.Everyone, "group:hr"), nil)
	hr := acl.NewList(acl.Grants("group:hr", "group:legal"), acl.Grants("user:sam"))
	for _, lists := range [][2]acl.List{{wide, hr}, {hr, wide}} {
		both := acl.Both(lists[0], lists[1])
		for _, c := range []struct {
			subjects []acl.Subject
			want     bool
		}{
			{[]acl.Subject{"user:ann", "group:hr"}, true},
			{[]acl.Subject{"user:ann"}, false},
			{[]acl.Subject{"group:legal"}, true}, // everyone is allowed by the one, legal by the other
			{[]acl.Subject{"user:sam", "group:hr"}, false},
		} {
			if got := both.Admits(acl.NewPrincipal(c.subjects...), time.Unix(0, 0)); got != c.want {
				t.Errorf("Both admits %v: %v, want %v", c.subjects, got, c.want)
			}
		}
	}
}

// TestBothNarrows draws two lists and a principal: whoever Both admits, each admits.
func TestBothNarrows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := acl.NewList(grants().Draw(t, "a allows"), grants().Draw(t, "a denies"))
		b := acl.NewList(grants().Draw(t, "b allows"), grants().Draw(t, "b denies"))
		p := principals().Draw(t, "p")
		at := instants().Draw(t, "at")
		if acl.Both(a, b).Admits(p, at) && !(a.Admits(p, at) && b.Admits(p, at)) {
			t.Fatalf("Both admits %v at %v, whom not both %v and %v admit", p.Subjects(), at, a.Key(), b.Key())
		}
		if acl.Both(a, a).Key() != a.Key() {
			t.Fatalf("Both(a, a) = %s, want %s", acl.Both(a, a).Key(), a.Key())
		}
	})
}
