package ingest_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/corpora/extract"
	"ken/embed"
	"ken/embed/hashed"
	"ken/index"
	"ken/index/indextest"
	"ken/index/ingest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// page is a document of a [shelf].
type page struct {
	path  string
	text  string
	tag   string   // "" is none
	acl   acl.List // the zero value here is everyone, for short cases; see none
	none  bool     // nobody may read it
	stamp string   // "" is a digest of the rest
	err   error    // of loading it
	panic bool     // loading it panics
	lists error    // of listing it
	op    corpora.Op
}

// shelf is a source in memory whose changes are its pages, in order.
type shelf struct {
	pages []page
	open  bool  // the listing ends without Complete
	err   error // the listing breaks off
}

func (s *shelf) Name() string { return "shelf" }

func (s *shelf) Changes(ctx context.Context, _ corpora.Cursor) iter.Seq2[corpora.Change, error] {
	return func(yield func(corpora.Change, error) bool) {
		for _, p := range s.pages {
			if ctx.Err() != nil || !yield(p.change(), p.lists) {
				return
			}
		}
		if s.err != nil && !yield(corpora.Change{}, s.err) || s.open {
			return
		}
		yield(corpora.Change{Op: corpora.Complete}, nil) // after err too: the pipeline must not trust it
	}
}

func (p page) id() corpora.DocID { return corpora.DocID("shelf/" + p.path) }

func (p page) readers() acl.List {
	switch {
	case p.none:
		return acl.List{}
	case p.acl.Key() == acl.List{}.Key():
		return acl.Allow(acl.Everyone)
	}
	return p.acl
}

func (p page) mark() string {
	return cmp.Or(p.stamp, fmt.Sprintf("%s|%s|%s|%v|%v", p.text, p.tag, p.readers().Key(), p.err, p.panic))
}

func (p page) change() corpora.Change {
	return corpora.Change{Op: p.op, ID: p.id(), Stamp: p.mark(), Load: func(context.Context) (corpora.Document, []byte, error) {
		if p.panic {
			panic("secret text of the document")
		}
		var tags []string
		if p.tag != "" {
			tags = []string{p.tag}
		}
		return corpora.Document{
			Tags: tags, ID: p.id(), Source: "shelf", Path: p.path, MediaType: extract.MediaType(p.path, []byte(p.text)),
			Stamp: p.mark(), ACL: p.readers(),
		}, []byte(p.text), p.err
	}}
}

// meter is an embedder that counts what it is asked, and fails when told to.
type meter struct {
	embed.Embedder
	mu    sync.Mutex
	texts int
	fail  func(texts []string) error // nil: never
}

func newMeter(t testing.TB, dim int) *meter {
	e, err := hashed.New(hashed.Options{Dim: dim})
	if err != nil {
		t.Fatal(err)
	}
	return &meter{Embedder: e}
}

func (m *meter) Embed(ctx context.Context, k embed.Kind, texts []string) ([]embed.Vector, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		if err := m.fail(texts); err != nil {
			return nil, err
		}
	}
	m.texts += len(texts)
	return m.Embedder.Embed(ctx, k, texts)
}

var errRefused = errors.New("refused")

// refuse fails for every call with a text that holds the word; "" is any text.
func refuse(word string) func([]string) error {
	return func(texts []string) error {
		if strings.Contains(strings.Join(texts, "\n"), word) {
			return errRefused
		}
		return nil
	}
}

// run ingests and fails the test on an error.
func run(t *testing.T, store ingest.Store, e embed.Embedder, source corpora.Source) ingest.Summary {
	t.Helper()
	s, err := ingest.Run(t.Context(), options(store, e), source)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func options(store ingest.Store, e embed.Embedder) ingest.Options {
	return ingest.Options{Store: store, Embedder: e, Extract: extract.Default(), BatchDocuments: 3, Workers: 4, Clock: func() time.Time { return noon }}
}

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// reads reports which of the store's documents the subject may read, in order.
func reads(t *testing.T, s indextest.Store, who ...acl.Subject) string {
	t.Helper()
	v, err := s.View(t.Context(), acl.NewPrincipal(who...), noon)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	docs, err := v.Documents(t.Context(), "", "", 1000)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, d := range docs {
		names = append(names, strings.TrimPrefix(string(d.ID), "shelf/"))
	}
	return strings.Join(names, " ")
}

// export returns all that the store holds, as text: metadata of every document,
// chunks and vectors (by their products with a fixed one) of the readable ones.
func export(t *testing.T, s indextest.Store) string {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "model %+v\n", s.Model())
	for d, err := range s.Documents(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%+v acl %s\n", d, d.ACL.Key())
	}
	v, err := s.View(t.Context(), acl.NewPrincipal("user:ann", "group:hr"), noon)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	docs, err := v.Documents(t.Context(), "", "", 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range docs {
		exportChunks(t, &b, v, d.ID)
	}
	return b.String()
}

func exportChunks(t *testing.T, b *strings.Builder, v index.View, id corpora.DocID) {
	t.Helper()
	_, ids, err := v.Document(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	chunks, err := v.Chunks(t.Context(), ids)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range chunks {
		c.ID = 0 // a handle of the store
		fmt.Fprintf(b, "%+v\n", c)
	}
	probe := make(embed.Vector, v.Model().Dim)
	for i := range probe {
		probe[i] = 1
	}
	embed.Normalize(probe)
	hits, err := v.SearchVector(t.Context(), probe, index.Filter{Documents: []corpora.DocID{id}}, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range hits {
		fmt.Fprintf(b, "%x %.9f\n", h.Key, h.Score)
	}
}

// same fails with the first line that differs.
func same(t *testing.T, what, got, want string) {
	t.Helper()
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range max(len(g), len(w)) {
		if i >= len(g) || i >= len(w) || g[i] != w[i] {
			t.Fatalf("%s: line %d differs\n got %s\nwant %s", what, i+1, at(g, i), at(w, i))
		}
	}
}

func at(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return "(nothing)"
}
