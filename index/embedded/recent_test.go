package embedded

import (
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/index"
)

// What searches remember of an erased document goes with its bytes on disk.
func TestCompactForgetsErasedTexts(t *testing.T) {
	s, err := Open("index", Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	d := corpora.Document{ID: "wiki/a", Source: "wiki", Language: "en", ACL: acl.Allow(acl.Everyone)}
	if err := s.Replace(t.Context(), index.Entry{Document: d, Chunks: []index.Chunk{{Doc: d.ID, Span: index.Span{End: 5}, Text: "otter"}}}); err != nil {
		t.Fatal(err)
	}
	v, err := s.View(t.Context(), acl.NewPrincipal("user:ann"), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	_, ids, err := v.Document(t.Context(), d.ID)
	if err == nil {
		_, err = v.Chunks(t.Context(), ids)
	}
	if err != nil {
		t.Fatal(err)
	}
	v.Close()
	if !s.remembers("otter") {
		t.Fatal("the text is not remembered: this test could not fail")
	}
	if err := s.Erase(t.Context(), d.ID); err != nil {
		t.Fatal(err)
	}
	if err := s.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s.remembers("otter") {
		t.Error("the text is still remembered")
	}
}

func (s *Store) remembers(text string) bool {
	for _, all := range []map[uint32]sized[*recentChunk]{s.truth.recent.young, s.truth.recent.old} {
		for _, c := range all {
			if strings.Contains(c.value.Text, text) {
				return true
			}
		}
	}
	return false
}
