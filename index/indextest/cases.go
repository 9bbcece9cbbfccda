package indextest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/embed"
	"ken/index"
	"ken/index/analyze"
)

// cases are the promises one by one, each on a new store.
var cases = map[string]func(*testing.T, Store){
	"an empty store answers":                    testEmpty,
	"k bounds the answer and nothing else":      testK,
	"what may not be read does not exist":       testUnreadable,
	"grants start and end":                      testGrants,
	"deny wins":                                 testDeny,
	"a revoke holds at once":                    testRevoke,
	"a view does not change":                    testSnapshot,
	"filters narrow and never change a score":   testFilters,
	"unreadable documents change no statistic":  testStatistics,
	"phrases stand word by word":                testPhrases,
	"a prefix is all readable words":            testPrefixes,
	"languages are those of readable chunks":    testLanguages,
	"another model is refused until it is used": testModels,
	"ids that are not there":                    testUnknown,
	"readers see whole writes":                  testConcurrent,
	"a cancelled search ends":                   testCancelled,
	"operators see everything":                  testOperators,
	"a term has one form per language":          testForms,
}

var (
	ann = acl.NewPrincipal("user:ann")
	bob = acl.NewPrincipal("user:bob")
)

func doc(id string, l acl.List) corpora.Document {
	return corpora.Document{ID: corpora.DocID(id), Source: "wiki", Path: id, Title: "Page", Language: "en", MediaType: "text/plain", ACL: l}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// fill puts one document per text into the store, "d0" and so on, with vectors.
func fill(t *testing.T, s Store, l acl.List, texts ...string) {
	t.Helper()
	must(t, s.Reembed(t.Context(), model(1), embedAs(model(1))))
	for i, text := range texts {
		must(t, s.Replace(t.Context(), NewEntry(model(1), doc(fmt.Sprintf("d%d", i), l), text)))
	}
}

func query(word string) index.TextQuery {
	return index.TextQuery{Terms: analyze.Query(word, []string{"en", "de", analyze.Und}), BM25: index.BM25{K1: 1.2, B: .75, Title: 3}}
}

// search returns the ids of the documents that the person finds, best first.
func search(t *testing.T, s Store, who acl.Principal, at time.Time, q index.TextQuery) []corpora.DocID {
	t.Helper()
	v := openView(t, s, who, at)
	defer closeView(t, v)
	hits, err := v.SearchText(t.Context(), q, 100)
	must(t, err)
	return documentsOf(t, v, hits)
}

func documentsOf(t *testing.T, v index.View, hits []index.Hit) []corpora.DocID {
	t.Helper()
	var out []corpora.DocID
	for _, h := range hits {
		chunks, err := v.Chunks(t.Context(), []index.ChunkID{h.ID})
		must(t, err)
		if key := index.ContentKey(chunks[0].Doc, chunks[0].N, chunks[0].Text); key != h.Key {
			t.Errorf("hit in %q has key %x, want %x", chunks[0].Doc, h.Key, key)
		}
		out = append(out, chunks[0].Doc)
	}
	return out
}

func expect(t *testing.T, got []corpora.DocID, want ...corpora.DocID) {
	t.Helper()
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("found %q, want %q", got, want)
	}
}

func testEmpty(t *testing.T, s Store) {
	v := openView(t, s, ann, noon)
	defer closeView(t, v)
	if hits, err := v.SearchText(t.Context(), query("leave"), 10); err != nil || len(hits) != 0 {
		t.Errorf("text search: %v, %v", hits, err)
	}
	if _, err := v.SearchVector(t.Context(), vectorOf(model(1), "x"), index.Filter{}, 10); !errors.Is(err, index.ErrModel) {
		t.Errorf("vector search without a model: %v", err)
	}
	if docs, err := v.Documents(t.Context(), "", "", 10); err != nil || len(docs) != 0 {
		t.Errorf("documents: %v, %v", docs, err)
	}
	if v.Model().Dim != 0 || len(v.Languages()) != 0 {
		t.Errorf("model %v, languages %q", v.Model(), v.Languages())
	}
}

func testK(t *testing.T, s Store) {
	fill(t, s, acl.Allow("user:ann"), "leave policy", "leave", "leave of absence", "nothing")
	v := openView(t, s, ann, noon)
	defer closeView(t, v)
	for k, want := range map[int][2]int{-1: {}, 0: {}, 1: {1, 1}, 3: {3, 3}, 4: {3, 4}, 1_000_000_000: {3, 4}} {
		texts, err := v.SearchText(t.Context(), query("leave"), k)
		must(t, err)
		vectors, err := v.SearchVector(t.Context(), vectorOf(model(1), "x"), index.Filter{}, k)
		must(t, err)
		if len(texts) != want[0] || len(vectors) != want[1] {
			t.Errorf("k = %d: %d texts and %d vectors, want %d and %d", k, len(texts), len(vectors), want[0], want[1])
		}
	}
}

func testUnreadable(t *testing.T, s Store) {
	must(t, s.Replace(t.Context(),
		NewEntry(embed.Model{}, doc("open", acl.Allow("user:ann", "user:bob")), "leave", "more"),
		NewEntry(embed.Model{}, doc("secret", acl.Allow("user:ann")), "leave", "more"),
		NewEntry(embed.Model{}, doc("empty", acl.Allow("user:ann"))), // no chunks
	))
	a, b := openView(t, s, ann, noon), openView(t, s, bob, noon)
	defer closeView(t, a)
	defer closeView(t, b)
	_, open, err := a.Document(t.Context(), "open")
	must(t, err)
	_, secret, err := a.Document(t.Context(), "secret")
	must(t, err)
	if _, ids, err := a.Document(t.Context(), "empty"); err != nil || len(ids) != 0 {
		t.Errorf("document without chunks: %v, %v", ids, err)
	}
	_, never := b.Chunks(t.Context(), []index.ChunkID{1 << 60})
	for _, id := range append(secret, 0xffffffff, 1<<32, ^index.ChunkID(0)) {
		if o, err := b.Outlines(t.Context(), []index.ChunkID{open[0], id}, true); o != nil || !errors.Is(err, index.ErrNotFound) || err.Error() != never.Error() {
			t.Errorf("outline of %d: %v, %v; of one that never was: %v", id, o, err, never)
		}
		if _, err := b.Chunks(t.Context(), []index.ChunkID{open[0], id}); !errors.Is(err, index.ErrNotFound) || err.Error() != never.Error() {
			t.Errorf("chunk %d: %v, want the error of one that never was: %v", id, err, never)
		}
	}
	_, _, never = b.Document(t.Context(), "never")
	for _, id := range []corpora.DocID{"secret", "empty"} {
		if _, _, err := b.Document(t.Context(), id); !errors.Is(err, index.ErrNotFound) || err.Error() != never.Error() {
			t.Errorf("document %q: %v, want the error of one that never was: %v", id, err, never)
		}
	}
	docs, err := b.Documents(t.Context(), "", "", 10)
	must(t, err)
	if len(docs) != 1 || docs[0].ID != "open" || docs[0].ACL.Key() != (acl.List{}).Key() {
		t.Errorf("documents %+v, want open without its ACL", docs)
	}
}

func testGrants(t *testing.T, s Store) {
	hour := func(h int) time.Time { return noon.Add(time.Duration(h) * time.Hour) }
	limited := acl.NewList([]acl.Grant{{Subject: "user:ann", NotBefore: hour(1), NotAfter: hour(2)}}, nil)
	denied := acl.NewList(acl.Grants("user:ann"), []acl.Grant{{Subject: "user:ann", NotBefore: hour(1), NotAfter: hour(2)}})
	must(t, s.Replace(t.Context(), NewEntry(embed.Model{}, doc("in", limited), "leave"), NewEntry(embed.Model{}, doc("out", denied), "leave")))
	for range 2 { // twice and back in time: what is remembered must not outlive the boundary
		expect(t, search(t, s, ann, hour(1).Add(-1), query("leave")), "out")
		expect(t, search(t, s, ann, hour(1), query("leave")), "in")
		expect(t, search(t, s, ann, hour(2).Add(-1), query("leave")), "in")
		expect(t, search(t, s, ann, hour(2), query("leave")), "out")
	}
}

func testDeny(t *testing.T, s Store) {
	l := acl.NewList(acl.Grants(acl.Everyone, "group:hr"), acl.Grants("user:bob"))
	must(t, s.Replace(t.Context(), NewEntry(embed.Model{}, doc("d", l), "leave"), NewEntry(embed.Model{}, doc("nobody", acl.List{}), "leave")))
	expect(t, search(t, s, ann, noon, query("leave")), "d")
	expect(t, search(t, s, bob, noon, query("leave")))
	expect(t, search(t, s, acl.NewPrincipal("user:bob", "group:hr"), noon, query("leave")))
	expect(t, search(t, s, acl.Principal{}, noon, query("leave")))
}

func testRevoke(t *testing.T, s Store) {
	fill(t, s, acl.Allow("user:ann"), "leave one", "leave two")
	before := openView(t, s, ann, noon)
	defer closeView(t, before)
	must(t, s.SetACL(t.Context(), "d0", acl.Allow("user:bob")))
	expect(t, search(t, s, ann, noon, query("leave")), "d1")
	expect(t, search(t, s, bob, noon, query("leave")), "d0")
	v := openView(t, s, bob, noon)
	defer closeView(t, v)
	hits, err := v.SearchVector(t.Context(), vectorOf(model(1), "x"), index.Filter{}, 10)
	must(t, err)
	expect(t, documentsOf(t, v, hits), "d0")
	must(t, s.Delete(t.Context(), "d0"))
	expect(t, search(t, s, bob, noon, query("leave")))
}

func testSnapshot(t *testing.T, s Store) {
	fill(t, s, acl.Allow("user:ann"), "leave one", "leave two")
	v := openView(t, s, ann, noon)
	defer closeView(t, v)
	ask := func() string {
		hits, err := v.SearchText(t.Context(), query("leave"), 10)
		must(t, err)
		near, err := v.SearchVector(t.Context(), vectorOf(model(1), "x"), index.Filter{}, 10)
		must(t, err)
		docs, err := v.Documents(t.Context(), "", "", 10)
		must(t, err)
		return fmt.Sprint(hits, near, documentsOf(t, v, hits), documentsOf(t, v, near), docs, v.Languages(), v.Model())
	}
	want := ask()
	must(t, s.Replace(t.Context(), NewEntry(model(1), doc("d0", acl.Allow("user:ann")), "other words")))
	must(t, s.SetACL(t.Context(), "d1", acl.List{}))
	must(t, s.Delete(t.Context(), "d0", "d1"))
	must(t, s.Reembed(t.Context(), model(2), embedAs(model(2))))
	for i := range 20 { // enough for merges
		must(t, s.Replace(t.Context(), NewEntry(model(2), doc(fmt.Sprint("n", i), acl.Allow("user:ann")), "leave")))
	}
	if got := ask(); got != want {
		t.Errorf("the view changed from\n%s\nto\n%s", want, got)
	}
}

func testModels(t *testing.T, s Store) {
	fill(t, s, acl.Allow("user:ann"), "one", "two")
	other := NewEntry(model(2), doc("d2", acl.Allow("user:ann")), "three")
	if err := s.Replace(t.Context(), other); !errors.Is(err, index.ErrModel) {
		t.Errorf("vectors of another dimension: %v", err)
	}
	if err := s.Reembed(t.Context(), model(2), embedAs(model(1))); !errors.Is(err, index.ErrModel) {
		t.Errorf("an embedder that does not keep to its model: %v", err)
	}
	if s.Model() != model(1) {
		t.Errorf("a failed change of the model left %v", s.Model())
	}
	old := openView(t, s, ann, noon)
	defer closeView(t, old)
	must(t, s.Reembed(t.Context(), model(2), embedAs(model(2))))
	must(t, s.Replace(t.Context(), other))
	v := openView(t, s, ann, noon)
	defer closeView(t, v)
	for _, c := range []struct {
		view  index.View
		model embed.Model
		want  int
	}{{old, model(1), 2}, {v, model(2), 3}} {
		hits, err := c.view.SearchVector(t.Context(), vectorOf(c.model, "one\n"), index.Filter{}, 10)
		must(t, err)
		if len(hits) != c.want || hits[0].Score < .999 || c.view.Model() != c.model {
			t.Errorf("%s: %v", c.model.Name, hits)
		}
	}
	if _, err := v.SearchVector(t.Context(), vectorOf(model(1), "x"), index.Filter{}, 0); !errors.Is(err, index.ErrModel) {
		t.Errorf("query of the old model: %v", err)
	}
}

func testUnknown(t *testing.T, s Store) {
	if err := s.SetACL(t.Context(), "none", acl.Allow("user:ann")); !errors.Is(err, index.ErrNotFound) {
		t.Errorf("set acl: %v", err)
	}
	if err := s.Update(t.Context(), doc("none", acl.List{})); !errors.Is(err, index.ErrNotFound) {
		t.Errorf("update: %v", err)
	}
	must(t, s.Delete(t.Context(), "none"))
	must(t, s.Delete(t.Context()))
	must(t, s.Replace(t.Context()))
}

// testConcurrent rewrites two documents together, over and over: whoever looks
// sees both of one round.
func testConcurrent(t *testing.T, s Store) {
	write := func(round int) error {
		text := fmt.Sprintf("leave round%d", round)
		l := acl.Allow("user:ann")
		return s.Replace(t.Context(), NewEntry(embed.Model{}, doc("a", l), text), NewEntry(embed.Model{}, doc("b", l), text))
	}
	must(t, write(0))
	done := make(chan struct{})
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
					if err := seesOneRound(t.Context(), s); err != nil {
						t.Error(err)
						return
					}
				}
			}
		})
	}
	for round := range 60 {
		if err := write(round); err != nil {
			t.Error(err)
			break
		}
	}
	close(done)
	readers.Wait()
}

func seesOneRound(ctx context.Context, s Store) error {
	v, err := s.View(ctx, ann, noon)
	if err != nil {
		return err
	}
	hits, err := v.SearchText(ctx, query("leave"), 10)
	if err != nil {
		return err
	}
	texts := map[string]int{}
	for _, h := range hits {
		chunks, err := v.Chunks(ctx, []index.ChunkID{h.ID})
		if err != nil {
			return err
		}
		texts[chunks[0].Text]++
	}
	if len(hits) != 2 || len(texts) != 1 {
		return fmt.Errorf("a view has %d hits with texts %v, want both documents of one round", len(hits), slices.Collect(maps.Keys(texts)))
	}
	return v.Close()
}

func testCancelled(t *testing.T, s Store) {
	fill(t, s, acl.Allow("user:ann"), "leave")
	v := openView(t, s, ann, noon)
	defer closeView(t, v)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, text := v.SearchText(ctx, query("leave"), 10)
	_, vector := v.SearchVector(ctx, vectorOf(model(1), "x"), index.Filter{}, 10)
	write := s.Replace(ctx, NewEntry(model(1), doc("new", acl.Allow("user:ann")), "leave"))
	for _, err := range []error{text, vector, write} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("error %v, want context.Canceled", err)
		}
	}
	expect(t, search(t, s, ann, noon, query("leave")), "d0")
}

func testOperators(t *testing.T, s Store) {
	d := doc("secret", acl.Allow("user:ann"))
	d.Stamp, d.Modified = "mark", noon
	must(t, s.Replace(t.Context(), NewEntry(embed.Model{}, d, "leave")))
	var got []corpora.Document
	for d, err := range s.Documents(t.Context(), "wiki") {
		must(t, err)
		got = append(got, d)
	}
	if len(got) != 1 || !sameDocument(got[0], d) {
		t.Errorf("documents %+v, want %+v with ACL and stamp", got, d)
	}
	for d := range s.Documents(t.Context(), "other") {
		t.Errorf("document %q of another source", d.ID)
	}
}

// testForms: were two forms of one language allowed, a chunk could be counted
// twice and a document frequency be more than the number of chunks.
func testForms(t *testing.T, s Store) {
	fill(t, s, acl.Allow("user:ann"), "leave policy")
	v := openView(t, s, ann, noon)
	defer closeView(t, v)
	q := query("leave")
	q.Terms[0].Forms = []index.Form{{Language: "en", Text: "leav"}, {Language: "en", Text: "polici"}}
	if hits, err := v.SearchText(t.Context(), q, 10); err == nil {
		t.Errorf("two forms of one language: %v", hits)
	}
}
