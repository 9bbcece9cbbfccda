package embedded

import (
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"ken/corpora"
	"ken/corpora/acl"
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
		got, err := decodeChunk(appendChunk(nil, c))
		if err != nil || !reflect.DeepEqual(got, c) {
			t.Fatalf("%+v, %v, want %+v", got, err, c)
		}
	})
}

// Records are read without trust: damage is an error.
func FuzzRecords(f *testing.F) {
	f.Add(appendChunk(nil, index.Chunk{Doc: "a", Heading: []string{"h"}, Text: "text"}))
	if record, err := encodeDocument(documentHead{class: 1, chunks: 2, language: "en"}, corpora.Document{ID: "a"}); err == nil {
		f.Add(record)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := decodeChunk(data); err != nil && !errors.Is(err, errTruth) {
			t.Errorf("chunk: %v", err)
		}
		if _, _, err := decodeDocument(documentKey("a"), data); err != nil && !errors.Is(err, errTruth) {
			t.Errorf("document: %v", err)
		}
		// Behind a valid checksum, too, damage is an error and no crash.
		sealed := seal(documentKey("a"), append(make([]byte, sealSize), data...))
		if _, _, err := decodeDocument(documentKey("a"), sealed); err != nil && !errors.Is(err, errTruth) {
			t.Errorf("sealed document: %v", err)
		}
		if _, err := decodeClass(classKey(1), data); err != nil && !errors.Is(err, errTruth) {
			t.Errorf("class: %v", err)
		}
		if _, err := decodeClass(classKey(1), seal(classKey(1), append(make([]byte, sealSize), data...))); err != nil && !errors.Is(err, errTruth) {
			t.Errorf("sealed class: %v", err)
		}
	})
}

func TestDocumentRecordReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String()
		d := corpora.Document{ID: corpora.DocID(text.Draw(t, "id"))}
		for _, s := range documentFields(&d) {
			*s = text.Draw(t, "field")
		}
		d.Status, d.SupersededBy = corpora.Status(text.Draw(t, "status")), corpora.DocID(text.Draw(t, "by"))
		d.Tags = rapid.SampledFrom([][]string{nil, {}, {"a"}, {"", "b"}}).Draw(t, "tags")
		if rapid.Bool().Draw(t, "dated") {
			d.Modified = time.Unix(rapid.Int64Range(-1e9, 2e9).Draw(t, "seconds"), rapid.Int64Range(0, 999_999_999).Draw(t, "nanos")).UTC()
		}
		h := documentHead{class: 3, first: rapid.Uint32().Draw(t, "first"), chunks: 7, title: 8, body: 9, language: "en"}
		record, err := encodeDocument(h, d)
		if err != nil {
			t.Fatal(err)
		}
		key := documentKey(d.ID)
		h.seal = sealOf(record)
		if gotHead, got, err := decodeDocument(key, record); err != nil || gotHead != h || !reflect.DeepEqual(got, d) {
			t.Fatalf("%+v %+v, %v, want %+v %+v", gotHead, got, err, h, d)
		}
		if _, _, err := decodeDocument(append(key, 'x'), record); !errors.Is(err, errTruth) {
			t.Fatalf("under another key: %v", err)
		}
		at := rapid.IntRange(0, len(record)*8-1).Draw(t, "bit")
		record[at/8] ^= 1 << (at % 8)
		if _, _, err := decodeDocument(key, record); !errors.Is(err, errTruth) {
			t.Fatalf("bit %d flipped: %v", at, err)
		}
	})
}

// A list that was changed, cut, or moved to another class is no permission.
func TestDamagedClassAdmitsNobody(t *testing.T) {
	record, err := encodeClass(1, acl.NewList(acl.Grants("group:hr"), acl.Grants("user:sam")))
	if err != nil {
		t.Fatal(err)
	}
	for n := range record {
		if _, err := decodeClass(classKey(1), record[:n]); !errors.Is(err, errTruth) {
			t.Errorf("cut at %d: %v", n, err)
		}
		for bit := range 8 {
			damaged := slices.Clone(record)
			damaged[n] ^= 1 << bit
			if _, err := decodeClass(classKey(1), damaged); !errors.Is(err, errTruth) {
				t.Errorf("bit %d of byte %d flipped: %v", bit, n, err)
			}
		}
	}
	if _, err := decodeClass(classKey(2), record); !errors.Is(err, errTruth) {
		t.Errorf("under another class: %v", err)
	}
}
