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

// followed returns the index of the classes after some came and others went.
func followed(t *rapid.T, cs map[uint32]*class, grants *rapid.Generator[[]acl.Grant]) *aclIndex {
	var all, gone []*class
	for _, id := range slices.Sorted(maps.Keys(cs)) {
		all = append(all, cs[id])
	}
	for id := range uint32(rapid.IntRange(0, 3).Draw(t, "gone")) {
		gone = append(gone, newClass(100+id, acl.NewList(grants.Draw(t, "allow"), grants.Draw(t, "deny"))))
	}
	n := rapid.IntRange(0, len(all)).Draw(t, "at first")
	x := newACLIndex(classesOf(nil))
	for _, e := range []edit{{created: all[:n]}, {created: gone}, {created: all[n:], pruned: gone}} {
		x = e.index(x)
	}
	return x
}

// TestIndexOfListsLosesNoClass compares the classes that are asked because they name
// a subject of the principal with all of them.
func TestIndexOfListsLosesNoClass(t *testing.T) {
	subjects := rapid.SampledFrom([]acl.Subject{"user:ann", "user:bob", "group:hr", acl.Everyone, acl.Authenticated})
	times := rapid.SampledFrom([]time.Time{{}, noon.Add(-time.Hour), noon.Add(time.Hour)})
	grants := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) acl.Grant {
		return acl.Grant{Subject: subjects.Draw(t, "subject"), NotBefore: times.Draw(t, "from"), NotAfter: times.Draw(t, "to")}
	}), 0, 3)
	rapid.Check(t, func(t *rapid.T) {
		cs := map[uint32]*class{}
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
		st := &state{classes: classesOf(cs)}
		st.index.Store(followed(t, cs, grants))
		r := newReadable(st, p, noon)
		if got := r.classes; !slices.Equal(got, want) || !r.until.Equal(until) {
			t.Fatalf("classes %v until %v, want %v until %v", r.classes, r.until, want, until)
		}
	})
}

// BenchmarkReadable makes the readable set of a tenth: a principal who holds 46
// subjects, 10,000 lists, 100,000 chunks. The first has no index of the lists yet.
func BenchmarkReadable(b *testing.B) {
	cs, held := map[uint32]*class{}, []acl.Subject{}
	for i := range 46 {
		held = append(held, acl.Group(fmt.Sprint(i*10)))
	}
	for id := range uint32(10_000) {
		cs[id] = newClass(id, acl.Allow(acl.Group(fmt.Sprint(id%460)), acl.User(fmt.Sprint(id))))
		cs[id].add(documentHead{first: id * 10, chunks: 10, language: "en"})
	}
	segments, who := []*segment{{segmentRecord: segmentRecord{Last: 99_999, Chunks: 100_000}}}, acl.NewPrincipal(held...)
	b.Run("first", func(b *testing.B) {
		for b.Loop() {
			newReadable(&state{classes: classesOf(cs), segments: segments}, who, noon)
		}
	})
	b.Run("other", func(b *testing.B) {
		st := &state{classes: classesOf(cs), segments: segments}
		for b.Loop() {
			newReadable(st, who, noon)
		}
	})
}
