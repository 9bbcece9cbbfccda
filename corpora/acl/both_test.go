package acl_test

import (
	"testing"
	"time"

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
			{[]acl.Subject{"group:legal"}, false},
			{[]acl.Subject{"user:sam", "group:hr"}, false},
		} {
			if got := both.Admits(acl.NewPrincipal(c.subjects...), time.Unix(0, 0)); got != c.want {
				t.Errorf("Both admits %v: %v, want %v", c.subjects, got, c.want)
			}
		}
	}
}
