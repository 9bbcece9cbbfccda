package sourcetest

import (
	"context"
	"testing"

	"ken/corpora"
	"ken/corpora/acl"
)

// Fixture is a source and what a test can do to the place behind it. Names are
// those of Markdown documents ("a.md", "dir/b.md") that the place can hold.
type Fixture struct {
	// Source has no documents yet.
	Source corpora.Source
	// Put creates or replaces a document with this text. Unless SetACL was
	// called, nothing says who may read it.
	Put func(name, text string)
	// Remove deletes a document.
	Remove func(name string)
	// SetACL makes the subjects, and no others, those who may read the document.
	SetACL func(name string, who ...acl.Subject)
	// Spoil makes the document one that cannot be read, other than by removing it.
	Spoil func(name string)
	// Snapshot says that Load gives a document as it was when it was listed,
	// though it may be gone since.
	Snapshot bool
	// Break makes a listing fail as a whole or in part. nil: that cannot be
	// brought about.
	Break func()
}

// Run runs the suite. open returns a fresh fixture for each test and registers
// its end with t.Cleanup.
func Run(t *testing.T, open func(t *testing.T) Fixture) {
	t.Helper()
	for _, test := range []struct {
		name string
		run  func(*testing.T, Fixture)
	}{
		{"an empty source is complete", emptyIsComplete},
		{"ids are unique, stable and in order", idsAreStable},
		{"a loaded document matches its change", loadMatches},
		{"stamps stay without a change", stampsStay},
		{"stamps change with the text", stampsFollowText},
		{"stamps change with the permissions", stampsFollowACL},
		{"no permission known means nobody", zeroACL},
		{"permissions come with the document", aclArrives},
		{"load can be repeated", loadRepeats},
		{"load works from many goroutines", loadConcurrently},
		{"load works after the listing", loadLater},
		{"a removed document is gone", removedIsGone},
		{"a removed document is not listed", removedIsNotListed},
		{"an unreadable document is its own error", spoiledIsNamed},
		{"a broken listing is not complete", brokenIsIncomplete},
		{"a cancelled listing ends", cancelledListing},
		{"a cancelled load ends", cancelledLoad},
		{"a listing can be left early", earlyEnd},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, open(t)) })
	}
}

// listing is what one call of Changes told.
type listing struct {
	puts      []corpora.Change
	docErrors map[corpora.DocID]error
	err       error // of the source
	complete  bool
}

// list reads the source and checks the rules that hold for every listing.
func list(ctx context.Context, t *testing.T, s corpora.Source) listing {
	t.Helper()
	l := listing{docErrors: make(map[corpora.DocID]error)}
	for c, err := range s.Changes(ctx, "") {
		if l.complete || l.err != nil {
			t.Fatalf("after its end the listing goes on with %q, %v", c.ID, err)
		}
		switch {
		case err != nil && c.ID != "":
			l.docErrors[c.ID] = err
		case err != nil:
			l.err = err
		case c.Op == corpora.Complete:
			l.complete = true
		case c.Op == corpora.Put:
			checkPut(t, c)
			l.puts = append(l.puts, c)
		}
	}
	return l
}

func checkPut(t *testing.T, c corpora.Change) {
	t.Helper()
	if c.ID == "" || c.Stamp == "" || c.Load == nil {
		t.Errorf("put %q: stamp %q, load given: %v; want all three", c.ID, c.Stamp, c.Load != nil)
	}
}

// whole is a listing that must be complete and without errors.
func whole(t *testing.T, s corpora.Source) listing {
	t.Helper()
	l := list(t.Context(), t, s)
	if l.err != nil || !l.complete || len(l.docErrors) > 0 {
		t.Fatalf("listing: error %v, complete %v, documents with errors %v", l.err, l.complete, l.docErrors)
	}
	return l
}

// only is the change of the only document of a listing.
func only(t *testing.T, s corpora.Source) corpora.Change {
	t.Helper()
	l := whole(t, s)
	if len(l.puts) != 1 {
		t.Fatalf("%d documents, want 1", len(l.puts))
	}
	return l.puts[0]
}

func load(t *testing.T, c corpora.Change) (corpora.Document, string) {
	t.Helper()
	d, data, err := c.Load(t.Context())
	if err != nil {
		t.Fatalf("load %s: %v", c.ID, err)
	}
	return d, string(data)
}
