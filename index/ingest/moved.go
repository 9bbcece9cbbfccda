package ingest

import (
	"slices"
	"strings"

	"ken/corpora"
	"ken/index"
)

// maxSameTitle bounds how many documents of one title a new document is compared
// with.
const maxSameTitle = 256

// moves finds the stored document that a new one was, or is a copy of. Deletions
// come after a complete listing, so a document that moved is still stored when the
// one at the new place is embedded.
//
// Title and text decide: without the same title there is no vector to take over,
// since the title is embedded with the text. Documents of one title are compared in
// turn, each search beginning after the last match: a folder that moved is listed
// in the order in which it was.
type moves struct {
	titles map[string]*sameTitle
}

type sameTitle struct {
	documents []corpora.Document
	next      int
}

func movesOf(known map[corpora.DocID]corpora.Document) *moves {
	m := &moves{titles: map[string]*sameTitle{}}
	for _, d := range known {
		t := m.titles[d.Title]
		if t == nil {
			t = &sameTitle{}
			m.titles[d.Title] = t
		}
		t.documents = append(t.documents, d)
	}
	for _, t := range m.titles {
		slices.SortFunc(t.documents, func(a, b corpora.Document) int { return strings.Compare(string(a.ID), string(b.ID)) })
	}
	return m
}

// from returns the id of a stored document with the same title and text.
func (m *moves) from(d corpora.Document, chunks []index.Chunk) (corpora.DocID, bool) {
	t := m.titles[d.Title]
	if t == nil {
		return "", false
	}
	text := textOf(chunks)
	for i := range min(len(t.documents), maxSameTitle) {
		at := (t.next + i) % len(t.documents)
		if old := t.documents[at]; Version(old, text) == old.Version {
			t.next = at + 1
			return old.ID, true
		}
	}
	return "", false
}

// textOf is the text that the chunks are a partition of.
func textOf(chunks []index.Chunk) string {
	var b strings.Builder
	for _, c := range chunks {
		b.WriteString(c.Text)
	}
	return b.String()
}
