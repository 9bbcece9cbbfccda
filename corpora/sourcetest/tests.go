package sourcetest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"ken/corpora"
	"ken/corpora/acl"
)

func emptyIsComplete(t *testing.T, f Fixture) {
	if l := whole(t, f.Source); len(l.puts) != 0 {
		t.Errorf("%d documents in an empty source", len(l.puts))
	}
}

func idsAreStable(t *testing.T, f Fixture) {
	for _, name := range []string{"b.md", "a.md", "dir/c.md", "a/d.md"} {
		f.Put(name, "text of "+name)
	}
	first := ids(whole(t, f.Source))
	if again := ids(whole(t, f.Source)); !slices.Equal(first, again) {
		t.Errorf("first %v, then %v", first, again)
	}
	seen := make(map[corpora.DocID]bool)
	for _, id := range first {
		if seen[id] {
			t.Errorf("%s is there twice", id)
		}
		seen[id] = true
		if !strings.HasPrefix(string(id), f.Source.Name()+"/") {
			t.Errorf("%s does not begin with the source's name, %s", id, f.Source.Name())
		}
	}
	if len(first) != 4 {
		t.Errorf("%d documents, want 4", len(first))
	}
}

func ids(l listing) []corpora.DocID {
	out := make([]corpora.DocID, len(l.puts))
	for i, c := range l.puts {
		out[i] = c.ID
	}
	return out
}

func loadMatches(t *testing.T, f Fixture) {
	f.Put("dir/a.md", "# Title\n\nText.\n")
	c := only(t, f.Source)
	d, data := load(t, c)
	switch {
	case d.ID != c.ID:
		t.Errorf("id %s, listed as %s", d.ID, c.ID)
	case d.Stamp != c.Stamp:
		t.Errorf("stamp %s, listed as %s", d.Stamp, c.Stamp)
	case d.Source != f.Source.Name():
		t.Errorf("source %q, want %q", d.Source, f.Source.Name())
	case d.MediaType != "text/markdown":
		t.Errorf("media type %q", d.MediaType)
	case !strings.Contains(data, "Text."):
		t.Errorf("data %q", data)
	}
}

func stampsStay(t *testing.T, f Fixture) {
	f.Put("a.md", "text")
	f.SetACL("a.md", "user:ann")
	first := only(t, f.Source)
	load(t, first)
	f.Put("other.md", "another document")
	f.Remove("other.md")
	if again := only(t, f.Source); again.Stamp != first.Stamp {
		t.Error("the stamp changed though nothing did")
	}
}

func stampsFollowText(t *testing.T, f Fixture) {
	f.Put("a.md", "text")
	first := only(t, f.Source)
	f.Put("a.md", "longer text")
	second := only(t, f.Source)
	if second.Stamp == first.Stamp || second.ID != first.ID {
		t.Errorf("ids %s and %s, stamps %s and %s; want one id, two stamps", first.ID, second.ID, first.Stamp, second.Stamp)
	}
	if _, data := load(t, second); !strings.Contains(data, "longer text") {
		t.Errorf("data %q", data)
	}
}

func stampsFollowACL(t *testing.T, f Fixture) {
	f.Put("a.md", "text")
	stamps := []string{only(t, f.Source).Stamp}
	for _, who := range []acl.Subject{"user:ann", "user:bob"} {
		f.SetACL("a.md", who)
		stamp := only(t, f.Source).Stamp
		if slices.Contains(stamps, stamp) {
			t.Errorf("the stamp does not tell that %s may read now", who)
		}
		stamps = append(stamps, stamp)
	}
}

func zeroACL(t *testing.T, f Fixture) {
	f.Put("a.md", "text")
	if d, _ := load(t, only(t, f.Source)); d.ACL.Key() != (acl.List{}).Key() {
		t.Errorf("nobody said who may read, and it is %s", d.ACL.Key())
	}
}

func aclArrives(t *testing.T, f Fixture) {
	f.Put("a.md", "text")
	f.SetACL("a.md", "user:ann", "group:hr")
	d, _ := load(t, only(t, f.Source))
	if want := acl.Allow("user:ann", "group:hr"); d.ACL.Key() != want.Key() {
		t.Errorf("%s, want %s", d.ACL.Key(), want.Key())
	}
}

func loadRepeats(t *testing.T, f Fixture) {
	f.Put("a.md", "text")
	c := only(t, f.Source)
	d1, data1 := load(t, c)
	d2, data2 := load(t, c)
	if !same(d1, d2) || data1 != data2 {
		t.Errorf("first %+v %q, then %+v %q", d1, data1, d2, data2)
	}
}

func same(a, b corpora.Document) bool {
	return a.ID == b.ID && a.Title == b.Title && a.Stamp == b.Stamp && a.Modified.Equal(b.Modified) && a.ACL.Key() == b.ACL.Key()
}

func loadConcurrently(t *testing.T, f Fixture) {
	for _, name := range []string{"a.md", "b.md", "c.md"} {
		f.Put(name, "text of "+name)
	}
	changes := whole(t, f.Source).puts
	var wg sync.WaitGroup
	for i := range 24 {
		wg.Go(func() {
			c := changes[i%len(changes)]
			d, data, err := c.Load(t.Context())
			if err != nil || d.ID != c.ID || !strings.HasSuffix(string(c.ID), strings.TrimPrefix(string(data), "text of ")) {
				t.Errorf("load %s: %s, %q, %v", c.ID, d.ID, data, err)
			}
		})
	}
	wg.Wait()
}

func loadLater(t *testing.T, f Fixture) {
	f.Put("a.md", "text")
	c := only(t, f.Source)
	whole(t, f.Source)
	load(t, c)
}

func removedIsGone(t *testing.T, f Fixture) {
	f.Put("a.md", "text")
	c := only(t, f.Source)
	f.Remove("a.md")
	_, data, err := c.Load(t.Context())
	if f.Snapshot && err == nil && string(data) == "text" {
		return
	}
	if !errors.Is(err, corpora.ErrGone) || data != nil {
		t.Errorf("load: %q, %v; want %v", data, err, corpora.ErrGone)
	}
}

func removedIsNotListed(t *testing.T, f Fixture) {
	f.Put("a.md", "text")
	f.Put("b.md", "text")
	whole(t, f.Source)
	f.Remove("a.md")
	if c := only(t, f.Source); !strings.HasSuffix(string(c.ID), "b.md") {
		t.Errorf("%s is left, want b.md", c.ID)
	}
}

// The error may come with the listing or from Load. Either way it names the
// document, the others arrive, and the listing is complete.
func spoiledIsNamed(t *testing.T, f Fixture) {
	for _, name := range []string{"a.md", "b.md", "c.md"} {
		f.Put(name, "text")
	}
	f.Spoil("b.md")
	l := list(t.Context(), t, f.Source)
	if l.err != nil || !l.complete {
		t.Fatalf("error %v, complete %v: one bad document is not the source's", l.err, l.complete)
	}
	for _, c := range l.puts {
		if d, data, err := c.Load(t.Context()); err != nil {
			l.docErrors[c.ID] = err
			if data != nil || d.ID != "" {
				t.Errorf("an error came with %s, %q", d.ID, data)
			}
		}
	}
	if len(l.docErrors) != 1 {
		t.Fatalf("errors of %d documents, want 1: %v", len(l.docErrors), l.docErrors)
	}
	for id, err := range l.docErrors {
		if !strings.HasSuffix(string(id), "b.md") || !strings.Contains(err.Error(), "b.md") {
			t.Errorf("the error of %s does not name b.md: %v", id, err)
		}
	}
}

func brokenIsIncomplete(t *testing.T, f Fixture) {
	if f.Break == nil {
		t.Skip("this source's listings cannot be made to fail")
	}
	f.Put("a.md", "text")
	f.Break()
	if l := list(t.Context(), t, f.Source); l.err == nil || l.complete {
		t.Errorf("error %v, complete %v; want an error and no Complete, or what is missing would be deleted", l.err, l.complete)
	}
}

func cancelledListing(t *testing.T, f Fixture) {
	f.Put("a.md", "text")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if l := list(ctx, t, f.Source); !errors.Is(l.err, context.Canceled) || l.complete {
		t.Errorf("error %v, complete %v; want %v", l.err, l.complete, context.Canceled)
	}
}

func cancelledLoad(t *testing.T, f Fixture) {
	f.Put("a.md", "text")
	c := only(t, f.Source)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := c.Load(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
}

func earlyEnd(t *testing.T, f Fixture) {
	f.Put("a.md", "text")
	f.Put("b.md", "text")
	n := 0
	for range f.Source.Changes(t.Context(), "") {
		n++
		break // a source that goes on makes the runtime panic
	}
	if n != 1 {
		t.Errorf("%d changes before the end, want 1", n)
	}
}
