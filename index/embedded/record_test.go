package embedded

import (
	"errors"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"ken/corpora"
	"ken/index"
)

func TestChunkRecordReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 1<<40)
		text := rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) })
		c := index.Chunk{
			Doc: corpora.DocID(text.Draw(t, "doc")), N: n.Draw(t, "n"), Span: index.Span{Start: n.Draw(t, "start"), End: n.Draw(t, "end")},
			Tokens: n.Draw(t, "tokens"), Context: text.Draw(t, "context"), Text: text.Draw(t, "text"),
		}
		if headings := rapid.SliceOf(text).Draw(t, "heading"); len(headings) > 0 {
			c.Heading = headings
		}
		got, err := decodeChunk(encodeChunk(c))
		if err != nil || !reflect.DeepEqual(got, c) {
			t.Fatalf("%+v, %v, want %+v", got, err, c)
		}
	})
}

// Records are read without trust: damage is an error.
func FuzzRecords(f *testing.F) {
	f.Add(encodeChunk(index.Chunk{Doc: "a", Heading: []string{"h"}, Text: "text"}))
	if record, err := encodeDocument(documentHead{class: 1, chunks: 2, language: "en"}, corpora.Document{ID: "a"}); err == nil {
		f.Add(record)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := decodeChunk(data); err != nil && !errors.Is(err, errTruth) {
			t.Errorf("chunk: %v", err)
		}
		if _, _, err := decodeDocument(data); err != nil && !errors.Is(err, errTruth) {
			t.Errorf("document: %v", err)
		}
	})
}
