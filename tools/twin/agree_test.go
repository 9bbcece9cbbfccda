package twin_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/embed"
	"ken/index"
	"ken/index/embedded"
	"ken/retrieval"
)

// graph is a random world of groups, lists and people, and the definition of
// who may read, written once more and simpler: by walking up the groups.
type graph struct {
	rng     *rand.Rand
	now     time.Time
	members map[acl.Subject][]acl.Subject
	lists   []written
}

// written is a list as somebody wrote it.
type written struct {
	allow, deny []acl.Grant
	class       string
}

func (w written) list() acl.List { return acl.NewList(w.allow, w.deny).Classified(w.class) }

const (
	graphUsers  = 25
	graphGroups = 9
	graphDocs   = 20
)

func newGraph(seed uint64) *graph {
	g := &graph{rng: rand.New(rand.NewPCG(seed, 7)), now: time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC), members: map[acl.Subject][]acl.Subject{}}
	for n := range graphGroups {
		var members []acl.Subject
		for range g.rng.IntN(4) {
			members = append(members, user(g.rng.IntN(graphUsers)))
		}
		for range g.rng.IntN(3) {
			if n > 0 { // of a lower number: no cycle
				members = append(members, group(g.rng.IntN(n)))
			}
		}
		g.members[group(n)] = members
	}
	for range graphDocs {
		w := written{class: []string{"public", "public", "public", "internal", "restricted", "pii"}[g.rng.IntN(6)]}
		for range g.rng.IntN(3) {
			w.allow = append(w.allow, g.grant())
		}
		for range g.rng.IntN(2) {
			w.deny = append(w.deny, g.grant())
		}
		g.lists = append(g.lists, w)
	}
	return g
}

func user(n int) acl.Subject  { return acl.User(fmt.Sprintf("u%d", n)) }
func group(n int) acl.Subject { return acl.Group(fmt.Sprintf("g%d", n)) }

func (g *graph) grant() acl.Grant {
	var s acl.Subject
	switch n := g.rng.IntN(12); {
	case n == 0:
		s = acl.Everyone
	case n == 1:
		s = acl.Authenticated
	case n < 5:
		s = user(g.rng.IntN(graphUsers))
	default:
		s = group(g.rng.IntN(graphGroups))
	}
	out := acl.Grant{Subject: s}
	if g.rng.IntN(4) == 0 {
		out.NotBefore = g.now.Add(time.Duration(g.rng.IntN(3)-1) * time.Hour)
	}
	if g.rng.IntN(4) == 0 {
		out.NotAfter = g.now.Add(time.Duration(g.rng.IntN(3)-1) * time.Hour)
	}
	return out
}

// in reports whether somebody is in a group, by walking down.
func (g *graph) in(who, of acl.Subject) bool {
	for _, m := range g.members[of] {
		if m == who || m.IsGroup() && g.in(who, m) {
			return true
		}
	}
	return false
}

// may is the definition.
func (g *graph) may(who acl.Subject, clearance string, w written) bool {
	names := func(grants []acl.Grant) bool {
		for _, x := range grants {
			begun := x.NotBefore.IsZero() || !g.now.Before(x.NotBefore)
			over := !x.NotAfter.IsZero() && !g.now.Before(x.NotAfter)
			named := x.Subject == acl.Everyone || x.Subject == acl.Authenticated || x.Subject == who || x.Subject.IsGroup() && g.in(who, x.Subject)
			if begun && !over && named {
				return true
			}
		}
		return false
	}
	order := map[string]int{"public": 0, "internal": 1, "confidential": 2, "restricted": 3}
	cleared := w.class == "public" || w.class == clearance
	if have, ok := order[clearance]; ok && !cleared {
		need, ok := order[w.class]
		cleared = ok && need <= have
	}
	return names(w.allow) && !names(w.deny) && cleared
}

func docID(n int) corpora.DocID { return corpora.DocID(fmt.Sprintf("wiki/%02d.md", n)) }

func (g *graph) store(t *testing.T) *embedded.Store {
	store, err := embedded.Open("index", embedded.Options{FS: vfs.NewMem()})
	if err != nil {
		t.Error(err)
		return nil
	}
	var entries []index.Entry
	for n, w := range g.lists {
		text := fmt.Sprintf("otter number%02d\n", n)
		entries = append(entries, index.Entry{
			Document: corpora.Document{ID: docID(n), Source: "wiki", Title: "Page", Language: "en", Version: "1", ACL: w.list()},
			Chunks:   []index.Chunk{{Doc: docID(n), Span: index.Span{End: len(text)}, Text: text}},
		})
	}
	if err := store.Replace(t.Context(), entries...); err != nil {
		t.Error(err)
	}
	return store
}

// TestAllWaysAgree: whether somebody may read a document is the same for the
// definition, the list, a listing, a search, a fetch and the view that a
// notification would be asked of; over random users, documents and graphs of groups.
func TestAllWaysAgree(t *testing.T) {
	const perGraph = graphUsers * graphDocs
	graphs := 100_000 / perGraph
	if testing.Short() {
		graphs = 10
	}
	var triples, readable, next atomic.Int64
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for seed := next.Add(1); seed <= int64(graphs) && !t.Failed(); seed = next.Add(1) {
				n, may := agree(t, newGraph(uint64(seed)))
				triples.Add(int64(n))
				readable.Add(int64(may))
			}
		})
	}
	wg.Wait()
	t.Logf("%d triples over %d graphs, %d of them readable", triples.Load(), graphs, readable.Load())
	if r := readable.Load() * 20; r < triples.Load() || r > 19*triples.Load() {
		t.Error("the graphs say little: nearly all or nearly none may read")
	}
}

func agree(t *testing.T, g *graph) (triples, readable int) {
	store := g.store(t)
	if store == nil {
		return 0, 0
	}
	defer store.Close()
	searcher, err := retrieval.New(store, retrieval.Options{Clock: func() time.Time { return g.now }})
	if err != nil {
		t.Error(err)
		return 0, 0
	}
	groups, err := acl.NewGroups(g.members, g.now)
	if err != nil {
		t.Error(err)
		return 0, 0
	}
	for n := range graphUsers {
		clearance := []string{"", "internal", "restricted", "pii"}[g.rng.IntN(4)]
		subjects := []acl.Subject{user(n)}
		if clearance != "" {
			subjects = append(subjects, acl.Clearance(clearance))
		}
		p, err := acl.Resolver{Directory: groups}.Resolve(t.Context(), acl.NewPrincipal(subjects...))
		if err != nil {
			t.Error(err)
			return triples, readable
		}
		want := map[corpora.DocID]bool{}
		for d, w := range g.lists {
			if g.may(user(n), clearance, w) {
				want[docID(d)] = true
			}
		}
		for way, got := range waysOf(t, g, store, searcher, p) {
			if !maps.Equal(got, want) {
				t.Errorf("%v: %s says %v, the definition %v", p.Subjects(), way, slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
			}
		}
		triples, readable = triples+graphDocs, readable+len(want)
	}
	return triples, readable
}

// waysOf returns what each way says that somebody may read.
func waysOf(t *testing.T, g *graph, store *embedded.Store, searcher *retrieval.Searcher, p acl.Principal) map[string]map[corpora.DocID]bool {
	ctx := t.Context()
	out := map[string]map[corpora.DocID]bool{"check": {}, "list": {}, "search": {}, "fetch": {}, "view": {}}
	docs, err := searcher.Documents(ctx, p, "", "", 0)
	if err != nil {
		t.Error(err)
	}
	for _, d := range docs {
		out["list"][d.ID] = true
	}
	// Nothing folds: the filter by document asks of each alone.
	view, err := store.View(ctx, p, g.now)
	if err != nil {
		t.Error(err)
		return out
	}
	defer view.Close()
	hits, err := view.SearchText(ctx, index.TextQuery{Terms: []index.Term{{Forms: []index.Form{{Language: "en", Text: "otter"}}, Weight: 1}}, BM25: index.BM25{K1: 1.2, B: .75, Title: 3}}, 50)
	if err != nil {
		t.Error(err)
	}
	for _, h := range hits {
		chunks, err := view.Chunks(ctx, []index.ChunkID{h.ID})
		if err != nil {
			t.Error(err)
			continue
		}
		out["search"][chunks[0].Doc] = true
	}
	for d, w := range g.lists {
		id := docID(d)
		out["check"] = note(out["check"], id, w.list().Admits(p, g.now))
		_, err := searcher.Fetch(ctx, p, id, 0, 0)
		out["fetch"] = note(out["fetch"], id, !missing(t, err))
		_, _, err = view.Document(ctx, id)
		out["view"] = note(out["view"], id, !missing(t, err))
	}
	return out
}

func note(m map[corpora.DocID]bool, id corpora.DocID, may bool) map[corpora.DocID]bool {
	if may {
		m[id] = true
	}
	return m
}

func missing(t *testing.T, err error) bool {
	if err != nil && !errors.Is(err, index.ErrNotFound) {
		t.Error(err)
	}
	return err != nil
}

// TestAlwaysAsManyAsThereAre: whatever share of the index somebody may read, a
// search gives min(k, matches) results of each leg, and no others' matches
// count against them.
func TestAlwaysAsManyAsThereAre(t *testing.T) {
	documents := 20_000
	if testing.Short() {
		documents = 2_000
	}
	store, err := embedded.Open("index", embedded.Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	const dim = 8
	model := embed.Model{Name: "m", Hash: "m", Dim: dim}
	if err := store.Reembed(t.Context(), model, func(context.Context, []index.Chunk) ([]embed.Vector, error) { return nil, nil }); err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 1))
	shares := map[string]int{"0.01 %": 10_000, "0.1 %": 1_000, "1 %": 100, "10 %": 10, "50 %": 2, "100 %": 1}
	var entries []index.Entry
	matching := map[string]int{}
	for n := range documents {
		var allow []acl.Subject
		for share, every := range shares {
			if n%every == 0 {
				allow = append(allow, acl.Group(share))
				if n%3 == 0 {
					matching[share]++
				}
			}
		}
		v := make(embed.Vector, dim)
		for i := range v {
			v[i] = float32(rng.NormFloat64())
		}
		embed.Normalize(v)
		text := fmt.Sprintf("page %d heron\n", n)
		if n%3 == 0 {
			text = fmt.Sprintf("page %d otter\n", n)
		}
		id := corpora.DocID(fmt.Sprintf("wiki/%d.md", n))
		entries = append(entries, index.Entry{
			Document: corpora.Document{ID: id, Source: "wiki", Language: "en", Version: "1", ACL: acl.Allow(allow...)},
			Chunks:   []index.Chunk{{Doc: id, Span: index.Span{End: len(text)}, Text: text}}, Vectors: []embed.Vector{v},
		})
	}
	for batch := range slices.Chunk(entries, 5_000) {
		if err := store.Replace(t.Context(), batch...); err != nil {
			t.Fatal(err)
		}
	}
	for share, every := range shares {
		view, err := store.View(t.Context(), acl.NewPrincipal("user:ann", acl.Group(share)), time.Now())
		if err != nil {
			t.Fatal(err)
		}
		readable := (documents + every - 1) / every
		for _, k := range []int{1, 2, 5, 10, 50, 200, 1_000} {
			q := index.TextQuery{Terms: []index.Term{{Forms: []index.Form{{Language: "en", Text: "otter"}}, Weight: 1}}, BM25: index.BM25{K1: 1.2, B: .75, Title: 3}}
			hits, err := view.SearchText(t.Context(), q, k)
			if err != nil || len(hits) != min(k, matching[share]) {
				t.Errorf("%s, k %d: %d hits by words, want %d, error %v", share, k, len(hits), min(k, matching[share]), err)
			}
			hits, err = view.SearchVector(t.Context(), entries[1].Vectors[0], index.Filter{}, k)
			if err != nil || len(hits) != min(k, readable) {
				t.Errorf("%s, k %d: %d hits by vector, want %d, error %v", share, k, len(hits), min(k, readable), err)
			}
		}
		view.Close()
	}
}
