package embedded

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"pgregory.net/rapid"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/embed"
	"ken/index"
	"ken/index/analyze"
	"ken/index/indextest"
)

// Whatever was written, searches that remember answer what a store answers that was
// just opened on a copy of the disk, to the bit, and older views what they did.
func TestWarmAnswersAsFresh(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		disk := vfs.NewCrashableMem()
		s, err := Open("data", Options{FS: disk})
		if err != nil {
			t.Fatal(err)
		}
		w := &warm{Store: s, disk: disk, now: noon}
		defer w.close(t)
		t.Repeat(map[string]func(*rapid.T){
			"":           w.compare,
			"replace":    w.replace,
			"acl":        w.setACL,
			"update":     w.update,
			"delete":     func(t *rapid.T) { pass(t, w.Delete(t.Context(), anyID(t))) },
			"erase":      func(t *rapid.T) { pass(t, w.Erase(t.Context(), anyID(t))) },
			"merge":      func(t *rapid.T) { pass(t, w.Merge(t.Context())) },
			"compact":    w.compact,
			"reembed":    w.reembed,
			"generation": w.generation,
			"time": func(t *rapid.T) {
				w.now = noon.Add(time.Duration(rapid.IntRange(-1, 8).Draw(t, "half hours")) * time.Hour / 2)
			},
			"hold": w.hold,
		})
	})
}

// warm is a store that remembers what searches asked for.
type warm struct {
	*Store
	disk *vfs.MemFS
	now  time.Time
	held []heldView
}

// heldView is a view of an older state and what it answered.
type heldView struct {
	view   index.View
	answer answer
}

// answer is what a view says to a few questions, and what it counts.
type answer struct {
	Chunks, Title, Body uint64
	Languages           []string
	Hits                [][]index.Hit
	Documents           []corpora.Document
	Texts               [][]index.Chunk
	Outlines            [][]index.Outline
	Errors              []string
}

// answerOf puts the questions.
func answerOf(ctx context.Context, v index.View) (a answer) {
	r := v.(*view).readable
	a.Chunks, a.Title, a.Body, a.Languages = r.chunks, r.title, r.body, v.Languages()
	failed := func(err error) { a.Errors = append(a.Errors, fmt.Sprint(err)) }
	for _, words := range []string{"leave", "policy leave", "server urlaub policy"} {
		q := index.TextQuery{Terms: analyze.Query(words, v.Languages()), BM25: index.BM25{K1: 1.2, B: .75, Title: 3}}
		hits, err := v.SearchText(ctx, q, 9)
		a.Hits = append(a.Hits, hits)
		failed(err)
	}
	for _, q := range []index.TextQuery{
		{Terms: []index.Term{{Weight: 1, Forms: []index.Form{{Language: "en", Text: "lea", Prefix: true}}}}, BM25: index.BM25{K1: 1.2, B: .75, Title: 3}},
		{Terms: analyze.Query("leave", v.Languages()), Filter: index.Filter{Phrases: []string{"leave policy"}}, BM25: index.BM25{K1: 1.2, B: .75, Title: 3}},
	} {
		hits, err := v.SearchText(ctx, q, 9)
		a.Hits = append(a.Hits, hits)
		failed(err)
	}
	if dim := v.Model().Dim; dim > 0 {
		hits, err := v.SearchVector(ctx, vectorOf(v.Model(), "leave"), index.Filter{}, 9)
		a.Hits = append(a.Hits, hits)
		failed(err)
	}
	docs, err := v.Documents(ctx, "", "", 100)
	a.Documents = docs
	failed(err)
	for _, id := range ids {
		d, chunks, err := v.Document(ctx, id)
		a.Documents = append(a.Documents, d)
		failed(err)
		texts, err := v.Chunks(ctx, chunks)
		a.Texts = append(a.Texts, texts)
		failed(err)
		outlines, err := v.Outlines(ctx, chunks, true)
		a.Outlines = append(a.Outlines, outlines)
		failed(err)
	}
	return a
}

// answers is what all people are told in all generations.
func answers(t *rapid.T, s *Store, at time.Time) (out []answer) {
	for _, v := range views(t, s, at) {
		out = append(out, answerOf(t.Context(), v))
		pass(t, v.Close())
	}
	return out
}

func views(t *rapid.T, s *Store, at time.Time) (out []index.View) {
	generations, err := s.Generations()
	pass(t, err)
	for _, who := range []acl.Principal{acl.NewPrincipal(), acl.NewPrincipal("user:ann"), acl.NewPrincipal("user:bob", "group:hr")} {
		for _, g := range generations {
			if g.Missing > 0 { // nobody is served from it
				continue
			}
			v, err := InGeneration{s, g.ID}.View(t.Context(), who, at)
			pass(t, err)
			out = append(out, v)
		}
	}
	return out
}

func (w *warm) compare(t *rapid.T) {
	fresh, err := Open("data", Options{FS: w.disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 100, RNG: rand.New(rand.NewPCG(1, 2))})})
	pass(t, err)
	want := answers(t, fresh, w.now)
	pass(t, fresh.Close())
	for range 2 { // what the first remembers, the second is told
		if got := answers(t, w.Store, w.now); !reflect.DeepEqual(got, want) {
			t.Fatalf("answered\n%+v\nwant\n%+v", got, want)
		}
	}
	for _, h := range w.held {
		if got := answerOf(t.Context(), h.view); !reflect.DeepEqual(got, h.answer) {
			t.Fatalf("an older view answered\n%+v\nwant\n%+v", got, h.answer)
		}
	}
}

// hold keeps views; the state that they are of may be one that nobody asked yet.
func (w *warm) hold(t *rapid.T) {
	if len(w.held) > 6 {
		w.letGo(t)
	}
	for _, v := range views(t, w.Store, w.now) {
		w.held = append(w.held, heldView{v, answerOf(t.Context(), v)})
	}
}

func (w *warm) letGo(t *rapid.T) {
	for _, h := range w.held {
		pass(t, h.view.Close())
	}
	w.held = nil
}

func (w *warm) close(t *rapid.T) {
	w.letGo(t)
	pass(t, w.Close())
}

func (w *warm) replace(t *rapid.T) {
	var entries []index.Entry
	for range rapid.IntRange(1, 3).Draw(t, "entries") {
		d := corpora.Document{
			ID: anyID(t), Title: rapid.SampledFrom([]string{"Leave", "Page"}).Draw(t, "title"),
			Language: rapid.SampledFrom([]string{"en", "de"}).Draw(t, "language"), ACL: rapid.SampledFrom(lists8).Draw(t, "list"),
		}
		text := rapid.SampledFrom([]string{"leave policy", "leave leave", "server", "policy policy server leave", "urlaub"})
		e := indextest.NewEntry(embed.Model{}, d, rapid.SliceOfN(text, 0, 3).Draw(t, "texts")...)
		if m := w.Model(); m.Dim > 0 {
			e.Vectors, _ = vectorsOf(m)(t.Context(), e.Chunks)
		}
		entries = append(entries, e)
	}
	pass(t, w.Replace(t.Context(), entries...))
}

func (w *warm) setACL(t *rapid.T) {
	pass(t, w.SetACL(t.Context(), anyID(t), rapid.SampledFrom(lists8).Draw(t, "list")))
}

func (w *warm) update(t *rapid.T) {
	id := anyID(t)
	for d, err := range w.Store.Documents(t.Context(), "") {
		pass(t, err)
		if d.ID == id {
			d.URL = rapid.SampledFrom([]string{"https://example.org/1", "https://example.org/2"}).Draw(t, "url")
			pass(t, w.Update(t.Context(), d))
		}
	}
}

func (w *warm) compact(t *rapid.T) {
	w.letGo(t) // it waits for them
	pass(t, w.Compact(t.Context()))
}

func (w *warm) reembed(t *rapid.T) {
	m := modelOf(rapid.IntRange(1, 2).Draw(t, "model"))
	pass(t, w.Reembed(t.Context(), m, vectorsOf(m)))
}

// generation adds one, makes what it lacks, promotes, rolls back or drops it.
func (w *warm) generation(t *rapid.T) {
	all, err := w.Generations()
	pass(t, err)
	last := all[len(all)-1]
	switch what := rapid.IntRange(0, 3).Draw(t, "what"); {
	case len(all) == 1 && w.Model().Dim > 0:
		m := modelOf(3)
		id, err := w.AddGeneration(t.Context(), NewGeneration{Model: m})
		pass(t, err)
		w.SetMaker(id, makerOf(m))
	case len(all) == 1:
	case what == 0:
		pass(t, w.CatchUp(t.Context(), last.ID, nil))
	case what == 1:
		pass(t, w.Promote(t.Context(), last.ID, 100))
	case what == 2:
		_, err := w.Rollback(t.Context())
		pass(t, err)
	default:
		pass(t, w.Drop(t.Context(), last.ID))
	}
}

func makerOf(m embed.Model) Maker {
	return Maker{
		Cut: func(_ corpora.Document, _ string, was []index.Chunk) []index.Chunk { return was },
		Embed: func(_ context.Context, texts []string) (out []embed.Vector, _ error) {
			for _, text := range texts {
				out = append(out, vectorOf(m, text))
			}
			return out, nil
		},
	}
}

var (
	ids    = []corpora.DocID{"a", "b", "c", "d", "e", "f", "g", "h"}
	lists8 = []acl.List{
		{}, acl.Allow(acl.Everyone), acl.Allow("user:ann"), acl.Allow("group:hr"), acl.Allow("group:hr", "user:ann"),
		acl.NewList([]acl.Grant{{Subject: "user:ann", NotAfter: noon.Add(2 * time.Hour)}}, nil),
		acl.NewList([]acl.Grant{{Subject: acl.Everyone, NotBefore: noon.Add(time.Hour)}}, nil),
		acl.NewList([]acl.Grant{{Subject: acl.Everyone}}, []acl.Grant{{Subject: "group:hr", NotBefore: noon.Add(3 * time.Hour)}}),
	}
)

func anyID(t *rapid.T) corpora.DocID { return rapid.SampledFrom(ids).Draw(t, "id") }

// pass fails for errors but those of operations that were not possible.
func pass(t *rapid.T, err error) {
	if err != nil && !possible(err) {
		t.Fatal(err)
	}
}

// possible reports whether the error says that there was nothing to do it to.
func possible(err error) bool {
	return slices.ContainsFunc([]error{index.ErrNotFound, index.ErrErased, index.ErrModel, ErrGeneration, ErrBehind}, func(other error) bool {
		return errors.Is(err, other)
	})
}

func modelOf(n int) embed.Model {
	return embed.Model{Name: fmt.Sprint("m", n), Hash: fmt.Sprint("m", n), Dim: 4}
}

// vectorOf gives few vectors, so that scores tie.
func vectorOf(m embed.Model, text string) embed.Vector {
	n := len(text) + int(m.Hash[1])
	v := embed.Vector{1, float32(n % 3), float32(n % 5), float32(n % 2)}
	embed.Normalize(v)
	return v
}

func vectorsOf(m embed.Model) func(context.Context, []index.Chunk) ([]embed.Vector, error) {
	return func(_ context.Context, chunks []index.Chunk) (out []embed.Vector, _ error) {
		for _, c := range chunks {
			out = append(out, vectorOf(m, c.Text))
		}
		return out, nil
	}
}

// Steps of lengths fit what is readable now, also if searches came before the first
// documents and in between.
func TestStepsFollowTheAverage(t *testing.T) {
	s, err := Open("data", Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	query := index.TextQuery{Terms: analyze.Query("leave", []string{"en"}), BM25: index.BM25{K1: 1.2, B: .75, Title: 3}}
	for n, words := range []int{0, 3, 40, 400, 5} {
		id := fmt.Sprint("wiki/", n)
		if words > 0 {
			e := indextest.NewEntry(embed.Model{}, corpora.Document{ID: corpora.DocID(id), Source: "wiki", Path: id, Language: "en", ACL: acl.Allow(acl.Everyone)}, strings.Repeat("leave ", words))
			if err := s.Replace(t.Context(), e); err != nil {
				t.Fatal(err)
			}
		}
		got, err := s.View(t.Context(), acl.NewPrincipal("user:ann"), noon)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := got.SearchText(t.Context(), query, 10); err != nil {
			t.Fatal(err)
		}
		r := got.(*view).readable
		if now, then := r.averageBody(), r.line.average; r.chunks != uint64(n) || max(now, then) > 2*min(now, then) {
			t.Errorf("%d chunks of %v words have steps made for %v", r.chunks, r.averageBody(), r.line.average)
		}
		for i := range r.ranks {
			for rank, row := range slices.Collect(setBits(r.rows[i])) {
				_, body := got.(*view).state.segments[i].lex.Lengths(row)
				if said := r.ranks[i].steps.of[rank] >> 4; said != r.line.step(body) {
					t.Errorf("a body of %d words is in step %d, want %d", body, said, r.line.step(body))
				}
			}
		}
		got.Close()
	}
}
