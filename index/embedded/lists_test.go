package embedded

import (
	"fmt"
	"runtime"
	"testing"
	"weak"

	"ken/corpora/acl"
	"ken/index"
)

// Lists that are remembered keep no readable set in memory, which may be far larger
// than they are and is not counted as theirs.
func TestListsKeepNoReadableSet(t *testing.T) {
	s := openMem(t)
	put(t, s, "page", acl.Allow("user:ann"), "leave policy")
	put(t, s, "other", acl.Allow("user:ann"), "leave")
	var sets []weak.Pointer[readable]
	for i := range 20 {
		if err := s.SetACL(t.Context(), "other", lists8[1+i%2]); err != nil {
			t.Fatal(err)
		}
		opened, err := s.View(t.Context(), acl.NewPrincipal("user:ann"), noon)
		if err != nil {
			t.Fatal(err)
		}
		v := opened.(*view)
		word := index.Term{Weight: 1, Forms: []index.Form{{Language: "en", Text: fmt.Sprint("word", i)}}} // of which lists stay
		if _, err := v.SearchText(t.Context(), index.TextQuery{Terms: []index.Term{word}, BM25: index.BM25{K1: 1.2, B: .75, Title: 3}}, 10); err != nil {
			t.Fatal(err)
		}
		sets = append(sets, weak.Make(v.readable))
		if err := v.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(s.state.kept.lists.young); n < len(sets) {
		t.Fatalf("%d lists are remembered: this test could not fail", n)
	}
	runtime.GC()
	alive := 0
	for _, set := range sets {
		if set.Value() != nil {
			alive++
		}
	}
	if alive > 2 { // the newest, and what a register may still name
		t.Errorf("%d of %d readable sets are in memory", alive, len(sets))
	}
}
