package embedded

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"ken/corpora/acl"
)

// TestIndexOfListsLosesNoClass compares the classes that are asked because they name
// a subject of the principal with all of them.
func TestIndexOfListsLosesNoClass(t *testing.T) {
	subjects := rapid.SampledFrom([]acl.Subject{"user:ann", "user:bob", "group:hr", acl.Everyone, acl.Authenticated})
	times := rapid.SampledFrom([]time.Time{{}, noon.Add(-time.Hour), noon.Add(time.Hour)})
	grants := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) acl.Grant {
		return acl.Grant{Subject: subjects.Draw(t, "subject"), NotBefore: times.Draw(t, "from"), NotAfter: times.Draw(t, "to")}
	}), 0, 3)
	rapid.Check(t, func(t *rapid.T) {
		kept, cs := &truth{}, classes{}
		for id := range uint32(rapid.IntRange(0, 8).Draw(t, "classes")) {
			cs[id] = newClass(id, acl.NewList(grants.Draw(t, "allow"), grants.Draw(t, "deny")))
		}
		p := rapid.SampledFrom([]acl.Principal{{}, acl.NewPrincipal(), acl.NewPrincipal("user:ann", "group:hr"), acl.NewPrincipal("group:hr")}).Draw(t, "p")
		var want []uint32
		var until time.Time
		for _, id := range slices.Sorted(maps.Keys(cs)) {
			if cs[id].list.Admits(p, noon) {
				want = append(want, id)
			}
			if b := cs[id].list.Boundary(noon); !b.IsZero() && (until.IsZero() || b.Before(until)) {
				until = b
			}
		}
		if others := maps.Clone(cs); rapid.Bool().Draw(t, "an earlier state asked") { // which had other classes, maybe
			for _, id := range rapid.SliceOf(rapid.Uint32Range(0, 9)).Draw(t, "gone or new") {
				if delete(others, id); cs[id] == nil {
					others[id] = newClass(id, acl.NewList(grants.Draw(t, "allow"), nil))
				}
			}
			newReadable(&state{classes: others, truth: kept}, p, noon)
		}
		r := newReadable(&state{classes: cs, truth: kept}, p, noon)
		var got []uint32
		for _, c := range r.classes {
			got = append(got, c.id)
		}
		if !slices.Equal(got, want) || !r.until.Equal(until) {
			t.Fatalf("classes %v until %v, want %v until %v", got, r.until, want, until)
		}
	})
}

// BenchmarkReadable makes the readable set of a tenth: a principal who holds 46
// subjects, 10,000 lists, 100,000 chunks. The first asks of a state whose classes
// are new, the others of one that has those of the state before.
func BenchmarkReadable(b *testing.B) {
	cs, held := classes{}, []acl.Subject{}
	for i := range 46 {
		held = append(held, acl.Group(fmt.Sprint(i*10)))
	}
	for id := range uint32(10_000) {
		cs[id] = newClass(id, acl.Allow(acl.Group(fmt.Sprint(id%460)), acl.User(fmt.Sprint(id))))
		cs[id].add(documentHead{first: id * 10, chunks: 10, language: "en"})
	}
	s := &segment{segmentRecord: segmentRecord{Last: 99_999, Chunks: 100_000}}
	who := acl.NewPrincipal(held...)
	b.Run("new classes", func(b *testing.B) {
		for b.Loop() {
			newReadable(&state{classes: cs, segments: []*segment{s}, truth: &truth{}}, who, noon)
		}
	})
	b.Run("same classes", func(b *testing.B) {
		kept := &truth{}
		for b.Loop() {
			newReadable(&state{classes: cs, segments: []*segment{s}, truth: kept}, who, noon)
		}
	})
}
