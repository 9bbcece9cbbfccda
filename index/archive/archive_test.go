package archive_test

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/embed"
	"ken/index"
	"ken/index/archive"
)

var model = embed.Model{Name: "test", Hash: "h1", Dim: 3, Fuse: .5}

func entries() []index.Entry {
	a := corpora.Document{
		ID: "kb/a", Source: "kb", Path: "a", Title: "<A> & “B”", Language: "en", Tags: []string{"x"}, Class: "internal",
		Status: corpora.Superseded, SupersededBy: "kb/b", Modified: time.Date(2026, 3, 1, 0, 0, 0, 5, time.UTC), Version: "v1",
		ACL: acl.NewList([]acl.Grant{{Subject: "group:hr", NotAfter: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)}}, []acl.Grant{{Subject: "user:sam"}}),
	}
	return []index.Entry{
		{Document: a, Chunks: []index.Chunk{
			{Doc: "kb/a", N: 0, Span: index.Span{Start: 0, End: 6}, Text: "one\né", Heading: []string{"H", "I"}, Tokens: 3},
			{Doc: "kb/a", N: 1, Span: index.Span{Start: 6, End: 9}, Text: "two", Context: "| head |", Tokens: 1},
		}, Vectors: []embed.Vector{{1, 2, 3}, {-1, 0, 1e-30}}},
		{Document: corpora.Document{ID: "kb/b", Source: "kb"}},
	}
}

func write(t testing.TB, m embed.Model, es []index.Entry) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := archive.NewWriter(&b, m)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Erased(strings.Repeat("ab", 32)); err != nil {
		t.Fatal(err)
	}
	for _, e := range es {
		if err := w.Entry(e); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func read(t testing.TB, text []byte) (es []index.Entry, m embed.Model, erased []string, err error) {
	t.Helper()
	_, err = archive.Read(t.Context(), bytes.NewReader(text), archive.Handler{
		Model:  func(got embed.Model) error { m = got; return nil },
		Erased: func(hash string) error { erased = append(erased, hash); return nil },
		Entry:  func(e index.Entry) error { es = append(es, e); return nil },
	})
	return es, m, erased, err
}

func TestRoundTrip(t *testing.T) {
	want := entries()
	got, m, erased, err := read(t, write(t, model, want))
	if err != nil {
		t.Fatal(err)
	}
	if m != model || len(erased) != 1 {
		t.Errorf("model %+v, erased %v", m, erased)
	}
	if got[0].Document.ACL.Key() != want[0].Document.ACL.Key() {
		t.Errorf("list %v", got[0].Document.ACL)
	}
	got[0].Document.ACL, want[0].Document.ACL = acl.List{}, acl.List{}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestWithoutVectors(t *testing.T) {
	got, m, _, err := read(t, write(t, embed.Model{}, entries()))
	if err != nil || m.Dim != 0 || got[0].Vectors != nil {
		t.Errorf("model %+v, vectors %v, %v", m, got[0].Vectors, err)
	}
}

// Every byte counts: an archive that was cut or changed anywhere is refused.
func TestDamageIsNoticed(t *testing.T) {
	whole := write(t, model, entries())
	for n := range whole {
		if _, _, _, err := read(t, whole[:n]); !errors.Is(err, archive.ErrMalformed) {
			t.Fatalf("cut after %d bytes: %v", n, err)
		}
		changed := bytes.Clone(whole)
		changed[n] ^= 1
		if _, _, _, err := read(t, changed); !errors.Is(err, archive.ErrMalformed) {
			t.Fatalf("byte %d (%q) changed: %v", n, whole[n], err)
		}
	}
	if _, _, _, err := read(t, append(bytes.Clone(whole), '\n')); !errors.Is(err, archive.ErrMalformed) {
		t.Errorf("something follows: %v", err)
	}
}

func TestMalformed(t *testing.T) {
	head := `{"ken":"export","version":1}` + "\n"
	for name, text := range map[string]string{
		"no archive":     "{}\n",
		"newer":          `{"ken":"export","version":2}` + "\n",
		"gap":            head + `{"document":{"id":"a"},"chunks":[{"start":1,"end":2,"text":"x","tokens":1}]}` + "\n",
		"overlap":        head + `{"document":{"id":"a"},"chunks":[{"start":0,"end":1,"text":"x","tokens":1},{"start":0,"end":1,"text":"x","tokens":1}]}` + "\n",
		"empty chunk":    head + `{"document":{"id":"a"},"chunks":[{"start":0,"end":0,"text":"","tokens":1}]}` + "\n",
		"negative":       head + `{"document":{"id":"a"},"chunks":[{"start":0,"end":1,"text":"x","tokens":-1}]}` + "\n",
		"no id":          head + `{"document":{"title":"a"}}` + "\n",
		"twice":          head + `{"document":{"id":"a"}}` + "\n" + `{"document":{"id":"a"}}` + "\n",
		"unknown field":  head + `{"document":{"id":"a","akl":{}}}` + "\n",
		"list":           head + `{"document":{"id":"a","acl":{"allow":[{"subject":"everyone"}],"allow":[]}}}` + "\n",
		"vector unasked": head + `{"document":{"id":"a"},"chunks":[{"start":0,"end":1,"text":"x","tokens":1,"vector":"AAAA"}]}` + "\n",
		"hash":           head + `{"erased":"abcd"}` + "\n",
		"nothing":        head + "{}\n",
	} {
		if _, _, _, err := read(t, []byte(text)); !errors.Is(err, archive.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(write(f, model, entries()))
	f.Add([]byte(`{"ken":"export","version":1}` + "\n" + `{"document":{"id":"a","acl":{"allow":[{"subject":"everyone"}]}}}` + "\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		es, m, _, err := read(t, text)
		if err != nil {
			return
		}
		for _, e := range es {
			if m.Dim > 0 && len(e.Vectors) != len(e.Chunks) {
				t.Fatalf("%d vectors of %d chunks", len(e.Vectors), len(e.Chunks))
			}
		}
	})
}

func ExampleWriter() {
	var b strings.Builder
	w, _ := archive.NewWriter(&b, embed.Model{})
	_ = w.Entry(index.Entry{Document: corpora.Document{ID: "kb/leave.md", Title: "Leave"}})
	counts, _ := w.Close()
	fmt.Println(counts.Documents, strings.Count(b.String(), "\n"))
	// Output: 1 3
}

// An id that no source gives would take the place of another source's document.
func TestIDsOfOtherSources(t *testing.T) {
	for _, d := range []corpora.Document{
		{ID: "wiki/a", Source: "kb"}, {ID: "kb", Source: "kb"}, {ID: "kba", Source: "kb"}, {ID: "kb/a"}, {ID: "kb/\x1b[2J", Source: "kb"}, {ID: "kb/a\n", Source: "kb"},
	} {
		if _, _, _, err := read(t, write(t, embed.Model{}, []index.Entry{{Document: d}})); !errors.Is(err, archive.ErrMalformed) {
			t.Errorf("%q of %q: %v", d.ID, d.Source, err)
		}
	}
}
