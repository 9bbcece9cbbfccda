package embedded

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/embed"
	"ken/index"
	"ken/index/indextest"
)

// Of a document that is stored and replaced or deleted within one commit, no text
// and no row is left over.
func TestOneCommitTakesBackWhatItStores(t *testing.T) {
	s, err := Open("data", Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	var group []*request
	replace := func(id string, texts ...string) {
		d := corpora.Document{ID: corpora.DocID(id), Source: "wiki", Path: id, Title: "Page", Language: "en", ACL: acl.Allow(acl.Everyone)}
		ready, err := s.analyze(t.Context(), []index.Entry{indextest.NewEntry(embed.Model{}, d, texts...)})
		if err != nil {
			t.Fatal(err)
		}
		group = append(group, &request{ctx: t.Context(), apply: func(c *change) error { return c.replace(t.Context(), ready, nil) }})
	}
	replace("empty")
	replace("replaced", "one of two", "two of two")
	replace("deleted", "secret", "text")
	replace("kept", "kept text")
	replace("replaced", "other")
	group = append(group, &request{ctx: t.Context(), apply: func(c *change) error { return c.delete("deleted") }})
	if err := s.commitOnce(group...); err != nil {
		t.Fatal(err)
	}
	lower, texts := []byte{chunkPrefix}, ""
	err = scan(t.Context(), s.truth.db, lower, after(lower), func(_, record []byte) (bool, error) {
		c, err := decodeChunk(record)
		texts += fmt.Sprintln(c.Doc, c.Text)
		return true, err
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Fields(texts); fmt.Sprint(got) != "[kept kept text replaced other]" {
		t.Errorf("texts in the truth: %q", texts)
	}
	mustBeSound(t, s)
}
