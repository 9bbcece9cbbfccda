package retrieval_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/embed"
	"ken/embed/hashed"
	"ken/index"
	"ken/index/indextest"
	"ken/index/ingest"
	"ken/retrieval"
)

var (
	noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	ann  = acl.NewPrincipal("user:ann")
	bob  = acl.NewPrincipal("user:bob")
)

// page is a document of the tests, one chunk per text, readable by everyone
// unless it says otherwise.
type page struct {
	id           corpora.DocID
	title        string
	texts        []string
	readers      []acl.Subject
	language     string
	source       string
	status       corpora.Status
	supersededBy corpora.DocID
	tokens       int // per chunk; 0 is one per word
}

func embedder(t testing.TB) *hashed.Embedder {
	t.Helper()
	e, err := hashed.New(hashed.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func (p page) entry(t testing.TB) index.Entry {
	t.Helper()
	d := corpora.Document{
		ID: p.id, Title: p.title, Source: p.source, Language: p.language, Status: p.status, SupersededBy: p.supersededBy, MediaType: "text/plain",
		ACL: acl.Allow(p.readers...),
	}
	if d.Source == "" {
		d.Source = "wiki"
	}
	if d.Language == "" {
		d.Language = "en"
	}
	if p.readers == nil {
		d.ACL = acl.Allow(acl.Everyone)
	}
	d.Version = ingest.Version(d, strings.Join(p.texts, ""))
	entry := index.Entry{Document: d}
	at := 0
	for n, text := range p.texts {
		c := index.Chunk{Doc: p.id, N: n, Span: index.Span{Start: at, End: at + len(text)}, Text: text, Tokens: p.tokens}
		if c.Tokens == 0 {
			c.Tokens = len(strings.Fields(text))
		}
		at += len(text)
		vs, err := embedder(t).Embed(t.Context(), embed.Passage, []string{index.TitleText(d, c) + "\n" + index.BodyText(c)})
		if err != nil {
			t.Fatal(err)
		}
		entry.Chunks, entry.Vectors = append(entry.Chunks, c), append(entry.Vectors, vs[0])
	}
	return entry
}

// fill puts the pages into the store. A new store gets the model of the hashed embedder.
func fill(t testing.TB, store indextest.Store, pages ...page) {
	t.Helper()
	if store.Model().Dim == 0 {
		none := func(context.Context, []index.Chunk) ([]embed.Vector, error) { return nil, nil }
		if err := store.Reembed(t.Context(), embedder(t).Model(), none); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range pages {
		if err := store.Replace(t.Context(), p.entry(t)); err != nil {
			t.Fatal(err)
		}
	}
}

// library returns a searcher over an oracle that holds the pages.
func library(t testing.TB, o retrieval.Options, pages ...page) *retrieval.Searcher {
	t.Helper()
	store := indextest.NewOracle()
	fill(t, store, pages...)
	return searcher(t, store, o)
}

func searcher(t testing.TB, store retrieval.Store, o retrieval.Options) *retrieval.Searcher {
	t.Helper()
	if o.Clock == nil {
		o.Clock = func() time.Time { return noon }
	}
	s, err := retrieval.New(store, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func search(t *testing.T, s *retrieval.Searcher, p acl.Principal, r retrieval.Request) retrieval.Response {
	t.Helper()
	response, err := s.Search(t.Context(), p, r)
	if err != nil {
		t.Fatal(err)
	}
	return response
}

func found(r retrieval.Response) []corpora.DocID {
	var out []corpora.DocID
	for _, result := range r.Results {
		out = append(out, result.Document.ID)
	}
	return out
}

func expect(t *testing.T, r retrieval.Response, want ...corpora.DocID) {
	t.Helper()
	if got := found(r); !slices.Equal(got, want) {
		t.Errorf("found %q, want %q", got, want)
	}
}

// down is an embedder and a reranker of this model that does not answer.
type down struct{ model embed.Model }

var errDown = errors.New("connection refused")

func (d down) Model() embed.Model { return d.model }
func (down) Embed(context.Context, embed.Kind, []string) ([]embed.Vector, error) {
	return nil, errDown
}
func (down) Rerank(context.Context, string, []string) ([]float64, error) { return nil, errDown }
