package acl_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"ken/corpora/acl"
)

// The generators draw from few values, so that lists and principals meet.

func subjects() *rapid.Generator[acl.Subject] {
	return rapid.SampledFrom([]acl.Subject{acl.Everyone, acl.Authenticated, "user:ann", "user:bob", "group:hr", "group:<&>", "group:日本"})
}

func instants() *rapid.Generator[time.Time] {
	return rapid.Custom(func(t *rapid.T) time.Time {
		n := rapid.Int64Range(0, 5).Draw(t, "days")
		if n == 0 {
			return time.Time{}
		}
		zone := time.FixedZone("", int(rapid.IntRange(-5, 5).Draw(t, "zone"))*3600)
		return jan.AddDate(0, 0, int(n)).Add(time.Duration(rapid.IntRange(0, 1).Draw(t, "ns"))).In(zone)
	})
}

func lists() *rapid.Generator[acl.List] {
	return rapid.Custom(func(t *rapid.T) acl.List {
		l := acl.NewList(grants().Draw(t, "allow"), grants().Draw(t, "deny"))
		if rapid.Bool().Draw(t, "classified") {
			l = l.Classified(rapid.SampledFrom([]string{"", "public", "internal", "restricted", "pii"}).Draw(t, "class"))
		}
		return l
	})
}

func grants() *rapid.Generator[[]acl.Grant] {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) acl.Grant {
		return acl.Grant{
			Subject:   subjects().Draw(t, "subject"),
			NotBefore: instants().Draw(t, "not before"),
			NotAfter:  instants().Draw(t, "not after"),
		}
	}), 0, 4)
}

func principals() *rapid.Generator[acl.Principal] {
	return rapid.Custom(func(t *rapid.T) acl.Principal {
		if rapid.IntRange(0, 9).Draw(t, "zero") == 0 {
			return acl.Principal{}
		}
		return acl.NewPrincipal(rapid.SliceOfN(subjects(), 0, 3).Draw(t, "subjects")...)
	})
}

// inForce is the definition, written once more and simpler.
func inForce(gs []acl.Grant, p acl.Principal, at time.Time) bool {
	for _, g := range gs {
		begun := g.NotBefore.IsZero() || at.UnixNano() >= g.NotBefore.UnixNano()
		ended := !g.NotAfter.IsZero() && at.UnixNano() >= g.NotAfter.UnixNano()
		if begun && !ended && slices.Contains(p.Subjects(), g.Subject) {
			return true
		}
	}
	return false
}

func TestAdmitsIsItsDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		allow, deny := grants().Draw(t, "allow"), grants().Draw(t, "deny")
		p := principals().Draw(t, "principal")
		at := jan.AddDate(0, 0, rapid.IntRange(0, 6).Draw(t, "at"))
		want := inForce(allow, p, at) && !inForce(deny, p, at)
		if got := acl.NewList(allow, deny).Admits(p, at); got != want {
			t.Fatalf("Admits = %v, want %v", got, want)
		}
	})
}

func TestDenyNeverWidens(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		allow, deny, more := grants().Draw(t, "allow"), grants().Draw(t, "deny"), grants().Draw(t, "more")
		p := principals().Draw(t, "principal")
		at := jan.AddDate(0, 0, rapid.IntRange(0, 6).Draw(t, "at"))
		before := acl.NewList(allow, deny).Admits(p, at)
		after := acl.NewList(allow, slices.Concat(deny, more)).Admits(p, at)
		if after && !before {
			t.Fatal("one more deny admitted somebody")
		}
	})
}

func TestZeroRefuses(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := jan.AddDate(0, 0, rapid.IntRange(0, 6).Draw(t, "at"))
		if (acl.List{}).Admits(principals().Draw(t, "principal"), at) {
			t.Fatal("the zero list admitted somebody")
		}
		if acl.NewList(grants().Draw(t, "allow"), nil).Admits(acl.Principal{}, at) {
			t.Fatal("the zero principal was admitted")
		}
	})
}

func TestOrderDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		allow, deny := grants().Draw(t, "allow"), grants().Draw(t, "deny")
		one := acl.NewList(allow, deny)
		shuffled := rapid.Permutation(slices.Concat(allow, allow)).Draw(t, "shuffled")
		slices.Reverse(deny)
		if other := acl.NewList(shuffled, deny); one.Key() != other.Key() {
			t.Fatalf("%s became %s", one.Key(), other.Key())
		}
	})
}

func TestKeysAreEqualForEqualListsOnly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := acl.NewList(grants().Draw(t, "allow a"), grants().Draw(t, "deny a"))
		b := acl.NewList(grants().Draw(t, "allow b"), grants().Draw(t, "deny b"))
		same := slices.Equal(a.Allow(), b.Allow()) && slices.Equal(a.Deny(), b.Deny())
		if (a.Key() == b.Key()) != same {
			t.Fatalf("keys %s and %s, lists equal: %v", a.Key(), b.Key(), same)
		}
	})
}

// Until the boundary, an answer may be remembered.
func TestNothingChangesBeforeTheBoundary(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := acl.NewList(grants().Draw(t, "allow"), grants().Draw(t, "deny"))
		p := principals().Draw(t, "principal")
		at := jan.AddDate(0, 0, rapid.IntRange(0, 6).Draw(t, "at"))
		later := at.Add(time.Duration(rapid.Int64Range(1, int64(6*24*time.Hour)).Draw(t, "later")))
		if b := l.Boundary(at); (b.IsZero() || later.Before(b)) && l.Admits(p, at) != l.Admits(p, later) {
			t.Fatalf("the answer changed between %v and %v, boundary %v", at, later, b)
		}
	})
}

func TestJSONRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := acl.NewList(grants().Draw(t, "allow"), grants().Draw(t, "deny"))
		data, err := json.Marshal(struct{ ACL acl.List }{want})
		if err != nil {
			t.Fatal(err)
		}
		var got struct{ ACL acl.List }
		if err := json.Unmarshal(data, &got); err != nil {
			t.Fatalf("read %s: %v", data, err)
		}
		if got.ACL.Key() != want.Key() {
			t.Fatalf("%s became %s", want.Key(), got.ACL.Key())
		}
	})
}

// Whatever bytes are lost, added or flipped outside the names and times, nobody
// is admitted who was not. (A damaged name, or a deny that is missing to the
// last byte, is another valid list: that is for the store's checksums.)
func TestDamagedJSONNeverWidens(t *testing.T) {
	list := acl.NewList(acl.Grants(acl.Everyone), acl.Grants("user:ann"))
	text, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	ann := acl.NewPrincipal("user:ann")
	rapid.Check(t, func(t *rapid.T) {
		damaged := slices.Clone(text)
		i := rapid.IntRange(0, len(damaged)-1).Draw(t, "place")
		switch rapid.IntRange(0, 2).Draw(t, "kind") {
		case 0:
			damaged = damaged[:i]
		case 1:
			damaged = slices.Delete(damaged, i, min(len(damaged), i+rapid.IntRange(1, 28).Draw(t, "length")))
		case 2:
			from := rapid.IntRange(0, i).Draw(t, "from")
			damaged = slices.Insert(damaged, i, text[from:i]...)
		}
		var got acl.List
		if err := json.Unmarshal(damaged, &got); err != nil {
			if got.Key() != (acl.List{}).Key() {
				t.Fatalf("an error left the list %s", got.Key())
			}
			return
		}
		named := len(got.Deny()) == 1 && got.Deny()[0].Subject != "user:ann"
		if got.Admits(ann, jun) && !named {
			t.Fatalf("%s admits ann", damaged)
		}
	})
}
