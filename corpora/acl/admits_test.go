package acl_test

import (
	"testing"
	"time"

	"ken/corpora/acl"
)

var (
	jan = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	jun = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	dec = time.Date(2026, 12, 31, 0, 0, 0, 0, time.UTC)
)

func during(s acl.Subject, from, to time.Time) []acl.Grant {
	return []acl.Grant{{Subject: s, NotBefore: from, NotAfter: to}}
}

func TestAdmits(t *testing.T) {
	ann := acl.NewPrincipal("user:ann", "group:hr")
	anonymous := acl.NewPrincipal()
	tests := []struct {
		name string
		list acl.List
		who  acl.Principal
		at   time.Time
		want bool
	}{
		{"the zero list admits no one", acl.List{}, ann, jun, false},
		{"the zero principal may not read what everyone may", acl.Allow(acl.Everyone), acl.Principal{}, jun, false},
		{"everyone is also who is not signed in", acl.Allow(acl.Everyone), anonymous, jun, true},
		{"authenticated is who has a user", acl.Allow(acl.Authenticated), ann, jun, true},
		{"authenticated is not who has only groups", acl.Allow(acl.Authenticated), acl.NewPrincipal("group:hr"), jun, false},
		{"authenticated is not who is not signed in", acl.Allow(acl.Authenticated), anonymous, jun, false},
		{"by user", acl.Allow("user:ann"), ann, jun, true},
		{"by group", acl.Allow("group:hr"), ann, jun, true},
		{"another user", acl.Allow("user:bob"), ann, jun, false},
		{"a group of the user's name", acl.Allow("group:ann"), ann, jun, false},
		{"case counts", acl.Allow("user:Ann"), ann, jun, false},
		{"a prefix is not the name", acl.Allow("user:an"), ann, jun, false},
		{"composed and decomposed letters are two names", acl.Allow("user:zo\u00eb"), acl.NewPrincipal("user:zoe\u0308"), jun, false},
		{"deny of the user", acl.NewList(acl.Grants("group:hr"), acl.Grants("user:ann")), ann, jun, false},
		{"deny of a group wins over allow of the user", acl.NewList(acl.Grants("user:ann"), acl.Grants("group:hr")), ann, jun, false},
		{"deny of another leaves it", acl.NewList(acl.Grants("group:hr"), acl.Grants("user:bob")), ann, jun, true},
		{"deny without allow", acl.NewList(nil, acl.Grants("user:bob")), ann, jun, false},
		{"before the grant", acl.NewList(during("user:ann", jun, dec), nil), ann, jun.Add(-1), false},
		{"the first instant counts", acl.NewList(during("user:ann", jun, dec), nil), ann, jun, true},
		{"the last instant does not", acl.NewList(during("user:ann", jun, dec), nil), ann, dec, false},
		{"just before the end", acl.NewList(during("user:ann", jun, dec), nil), ann, dec.Add(-1), true},
		{"the instant counts, not the zone", acl.NewList(during("user:ann", jun, dec), nil), ann, jun.In(time.FixedZone("", 7200)), true},
		{"deny that has ended", acl.NewList(acl.Grants("user:ann"), during("user:ann", time.Time{}, jun)), ann, jun, true},
		{"deny that has not begun", acl.NewList(acl.Grants("user:ann"), during("user:ann", dec, time.Time{})), ann, jun, true},
		{"deny in force", acl.NewList(acl.Grants("user:ann"), during("user:ann", jan, dec)), ann, jun, false},
		{"one of two spans is in force", acl.NewList(append(during("user:ann", jan, jan.Add(1)), during("user:ann", jun, dec)...), nil), ann, jun, true},
		{"a span that ends before it begins", acl.NewList(during("user:ann", dec, jan), nil), ann, jun, false},
		{"a malformed subject admits nobody", acl.Allow("", "user:", "ann"), acl.NewPrincipal("", "user:", "ann"), jun, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.list.Admits(tt.who, tt.at); got != tt.want {
				t.Errorf("list %s admits %v at %v: %v, want %v", tt.list.Key(), tt.who.Subjects(), tt.at, got, tt.want)
			}
		})
	}
}

func TestBoundary(t *testing.T) {
	list := acl.NewList(during("user:ann", jan, dec), during("user:bob", jun, time.Time{}))
	tests := []struct {
		name     string
		at, want time.Time
	}{
		{"first start", jan.Add(-1), jan},
		{"strictly later", jan, jun},
		{"a deny counts", jan.Add(1), jun},
		{"an end", jun, dec},
		{"none left", dec, time.Time{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := list.Boundary(tt.at); !got.Equal(tt.want) {
				t.Errorf("Boundary(%v) = %v, want %v", tt.at, got, tt.want)
			}
		})
	}
	if got := acl.Allow(acl.Everyone).Boundary(jan); !got.IsZero() {
		t.Errorf("Boundary of a list without times = %v, want zero", got)
	}
}

func TestListsCannotBeChangedFromOutside(t *testing.T) {
	grants := acl.Grants("user:ann")
	list := acl.NewList(grants, grants)
	grants[0].Subject = acl.Everyone
	list.Allow()[0].Subject = acl.Everyone
	list.Deny()[0].Subject = acl.Everyone
	want := acl.NewList(acl.Grants("user:ann"), acl.Grants("user:ann"))
	if list.Key() != want.Key() {
		t.Errorf("list is now %s", list.Key())
	}
	p := acl.NewPrincipal("user:ann")
	p.Subjects()[0] = "group:hr"
	if p.Holds("group:hr") {
		t.Error("principal gained group:hr")
	}
}
