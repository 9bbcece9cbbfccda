package retrieval_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"pgregory.net/rapid"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/index"
	"ken/index/embedded"
	"ken/index/indextest"
	"ken/retrieval"
)

// The twin test is the promise of non-interference: a searcher over all
// documents and one over the readable ones alone give the same bytes.

var (
	subjects = []acl.Subject{acl.Everyone, acl.Authenticated, "user:ann", "user:bob", "group:hr", "group:it"}
	askers   = []acl.Principal{{}, acl.NewPrincipal(), ann, bob, acl.NewPrincipal("user:ann", "group:hr"), acl.NewPrincipal("user:cy", "group:it", "group:hr")}
	glossary = map[string][]string{
		"en": {"leave", "leaves", "parental", "policy", "the", "weeks", "18", "server", "runs", "die"},
		"de": {"Urlaub", "Eltern", "die", "Regelung", "Wochen", "18", "Server", "the"},
		"zh": {"育儿假", "政策", "服务器", "18"},
	}
	questions = []string{"parental leave policy", "the server", "die Regelung", "育儿假政策", "18 weeks", "who runs the server", "nothing of this"}
)

func genPage(id corpora.DocID) *rapid.Generator[page] {
	return rapid.Custom(func(t *rapid.T) page {
		language := rapid.SampledFrom([]string{"en", "en", "de", "zh"}).Draw(t, "language")
		line := rapid.Map(rapid.SliceOfN(rapid.SampledFrom(glossary[language]), 1, 7), func(w []string) string { return strings.Join(w, " ") + "\n" })
		return page{
			id: id, language: language, title: line.Draw(t, "title"), texts: rapid.SliceOfN(line, 1, 3).Draw(t, "texts"),
			readers: rapid.SliceOfN(rapid.SampledFrom(subjects), 1, 2).Draw(t, "readers"),
			source:  rapid.SampledFrom([]string{"wiki", "mail"}).Draw(t, "source"),
			status:  rapid.SampledFrom([]corpora.Status{"", corpora.Superseded, corpora.Draft}).Draw(t, "status"),
		}
	})
}

func genPages() *rapid.Generator[[]page] {
	return rapid.Custom(func(t *rapid.T) []page {
		out := make([]page, rapid.IntRange(1, 14).Draw(t, "documents"))
		for i := range out {
			out[i] = genPage(corpora.DocID(fmt.Sprintf("doc%02d", i))).Draw(t, "page")
		}
		return out
	})
}

// everything is all that a principal can learn, as JSON.
func everything(t testing.TB, s *retrieval.Searcher, p acl.Principal, ids []corpora.DocID) string {
	var log []any
	add := func(answer any, err error) { log = append(log, answer, fmt.Sprint(err)) }
	for _, q := range questions {
		for _, mode := range []retrieval.Mode{retrieval.Hybrid, retrieval.Lexical, retrieval.Vector} {
			request := retrieval.Request{Query: q, Mode: mode, Limit: 3, Budget: 25, Quota: 2}
			response, err := s.Search(t.Context(), p, request)
			add(response, err)
			for _, result := range response.Results {
				for _, passage := range result.Passages {
					verdict, err := s.Verify(t.Context(), p, passage.Citation)
					add(verdict, err)
				}
			}
			_, ranked, err := s.Explain(t.Context(), p, request)
			for i := range ranked {
				ranked[i].ID = 0 // a handle of the view, which no one is shown
			}
			add(ranked, err)
		}
	}
	for _, id := range ids {
		part, err := s.Fetch(t.Context(), p, id, 0, 0)
		add(part, err)
		listing, err := s.Documents(t.Context(), p, string(id[:4]), "", 5)
		add(listing, err)
	}
	text, err := json.Marshal(log)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func readable(pages []page, p acl.Principal) []page {
	var out []page
	for _, pg := range pages {
		if acl.Allow(pg.readers...).Admits(p, noon) {
			out = append(out, pg)
		}
	}
	return out
}

type opener func(t testing.TB) indextest.Store

func openOracle(testing.TB) indextest.Store { return indextest.NewOracle() }

func openEmbedded(t testing.TB) indextest.Store {
	store, err := embedded.Open("index", embedded.Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// differs fills a store with all pages and one with those that p may read, in
// another order, and returns where what p learns from the two parts, or "".
func differs(t testing.TB, open opener, wrap func(indextest.Store) retrieval.Store, pages []page, p acl.Principal) string {
	all, own := open(t), open(t)
	defer all.Close()
	defer own.Close()
	fill(t, all, pages...)
	mine := readable(pages, p)
	slices.Reverse(mine)
	fill(t, own, mine...)
	var ids []corpora.DocID
	for _, pg := range pages {
		ids = append(ids, pg.id)
	}
	options := retrieval.Options{Embedder: embedder(t), Reranker: longest{}}
	a := everything(t, searcher(t, wrap(all), options), p, ids)
	b := everything(t, searcher(t, wrap(own), options), p, ids)
	if a == b {
		return ""
	}
	i := 0
	for a[i] == b[i] {
		i++
	}
	return fmt.Sprintf("with others' documents …%s, without …%s", a[max(0, i-300):min(len(a), i+60)], b[max(0, i-60):min(len(b), i+60)])
}

func TestTwin(t *testing.T) {
	honest := func(s indextest.Store) retrieval.Store { return s }
	for name, open := range map[string]opener{"oracle": openOracle, "embedded": openEmbedded} {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				pages, p := genPages().Draw(rt, "pages"), rapid.SampledFrom(askers).Draw(rt, "asker")
				if where := differs(t, open, honest, pages, p); where != "" {
					rt.Fatal(where)
				}
			})
		})
	}
}

// TestTwinCanFail gives the twin test stores that leak in one place each: it has
// to notice.
func TestTwinCanFail(t *testing.T) {
	for name, leak := range map[string]func(view, everyone index.View) index.View{
		"statistics":  func(v, all index.View) index.View { return statistics{v, all} },
		"languages":   func(v, all index.View) index.View { return languages{v, all} },
		"the listing": func(v, all index.View) index.View { return listing{v, all} },
	} {
		t.Run(name, func(t *testing.T) {
			wrap := func(s indextest.Store) retrieval.Store { return leaky{s, leak} }
			pages := []page{
				{id: "doc00", language: "en", title: "Parental leave", texts: []string{"parental leave for 18 weeks\n", "the policy\n"}, readers: subjects[:1]},
				{id: "doc01", language: "en", title: "Server", texts: []string{"the server runs until it must die\n"}, readers: subjects[:1]},
				{id: "doc04", language: "en", title: "Weeks", texts: []string{"a policy on the parental weeks\n", "leave the server for weeks\n"}, readers: subjects[:1]},
				{id: "doc02", language: "de", title: "Elternzeit", texts: []string{"die Regelung der Elternzeit, parental leave policy\n"}, readers: []acl.Subject{"user:bob"}},
				{id: "doc03", language: "en", title: "Salaries", texts: []string{"parental parental policy of the server\n"}, readers: []acl.Subject{"user:bob"}},
			}
			if differs(t, openOracle, wrap, pages, ann) == "" {
				t.Error("the leak was not noticed")
			}
		})
	}
}

// leaky is a store whose views look at everybody's documents in one place.
type leaky struct {
	retrieval.Store
	leak func(view, everyone index.View) index.View
}

func (l leaky) View(ctx context.Context, p acl.Principal, at time.Time) (index.View, error) {
	view, err := l.Store.View(ctx, p, at)
	if err != nil {
		return nil, err
	}
	everyone, err := l.Store.View(ctx, acl.NewPrincipal("user:ann", "user:bob", "group:hr", "group:it"), at)
	if err != nil {
		return nil, err
	}
	return l.leak(view, everyone), nil
}

// statistics scores readable chunks by the frequencies of all.
type statistics struct {
	index.View
	all index.View
}

func (s statistics) SearchText(ctx context.Context, q index.TextQuery, k int) ([]index.Hit, error) {
	hits, err := s.all.SearchText(ctx, q, 1000)
	hits = slices.DeleteFunc(hits, func(h index.Hit) bool {
		_, err := s.View.Chunks(ctx, []index.ChunkID{h.ID})
		return err != nil
	})
	return hits[:min(k, len(hits))], err
}

type languages struct {
	index.View
	all index.View
}

func (l languages) Languages() []string { return l.all.Languages() }

type listing struct {
	index.View
	all index.View
}

func (l listing) Documents(ctx context.Context, prefix string, after corpora.DocID, limit int) ([]corpora.Document, error) {
	return l.all.Documents(ctx, prefix, after, limit)
}
