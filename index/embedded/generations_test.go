package embedded_test

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/embed"
	"ken/index"
	"ken/index/embedded"
	"ken/index/indextest"
)

func modelNamed(name string, dim int) embed.Model {
	return embed.Model{Name: name, Hash: name, Dim: dim, Fuse: .1}
}

// embedText gives the text a vector that depends on the model.
func embedText(m embed.Model, text string) embed.Vector {
	h := fnv.New64a()
	h.Write([]byte(m.Hash + text))
	r := rand.New(rand.NewPCG(h.Sum64(), 1))
	v := make(embed.Vector, m.Dim)
	for i := range v {
		v[i] = float32(r.IntN(5)) - 2 + float32(i+1)/8
	}
	embed.Normalize(v)
	return v
}

// maker cuts texts at line ends, as indextest.NewEntry does.
func maker(m embed.Model) embedded.Maker {
	return embedded.Maker{
		Cut: func(d corpora.Document, text string, _ []index.Chunk) []index.Chunk {
			lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
			if text == "" {
				lines = nil
			}
			return indextest.NewEntry(embed.Model{}, d, lines...).Chunks
		},
		Embed: func(_ context.Context, texts []string) ([]embed.Vector, error) {
			out := make([]embed.Vector, len(texts))
			for i, t := range texts {
				out[i] = embedText(m, t)
			}
			return out, nil
		},
	}
}

// made returns the document with the vectors of the model.
func made(m embed.Model, d corpora.Document, texts ...string) index.Entry {
	e := indextest.NewEntry(embed.Model{}, d, texts...)
	for _, c := range e.Chunks {
		e.Vectors = append(e.Vectors, embedText(m, index.EmbedText(d, c)))
	}
	return e
}

// inGeneration is the store seen in one generation.
type inGeneration struct {
	*embedded.Store
	in embedded.InGeneration
}

func (g inGeneration) View(ctx context.Context, p acl.Principal, at time.Time) (index.View, error) {
	return g.in.View(ctx, p, at)
}

func in(s *embedded.Store, id uint32) inGeneration {
	return inGeneration{s, embedded.InGeneration{Store: s, ID: id}}
}

func mustAdd(t *testing.T, s *embedded.Store, m embed.Model) uint32 {
	t.Helper()
	id, err := s.AddGeneration(t.Context(), embedded.NewGeneration{Model: m})
	if err != nil {
		t.Fatal(err)
	}
	s.SetMaker(id, maker(m))
	return id
}

func mustCatchUp(t *testing.T, s *embedded.Store, id uint32) {
	t.Helper()
	if err := s.CatchUp(t.Context(), id, nil); err != nil {
		t.Fatal(err)
	}
}

// accompanied is a store that keeps a generation beside the one that the suite
// looks at. After every run of operations that generation must be what one that is
// built from nothing is.
type accompanied struct {
	*reopened
	t  *testing.T
	id uint32
}

var besideModel = modelNamed("beside", 5)

func (a *accompanied) Reopen() error {
	err := a.reopened.Reopen()
	a.SetMaker(a.id, maker(besideModel))
	return err
}

func (a *accompanied) Problems(ctx context.Context) ([]string, error) {
	fresh := mustAdd(a.t, a.Store, besideModel)
	mustCatchUp(a.t, a.Store, fresh)
	differs := indextest.Compare(ctx, in(a.Store, a.id), in(a.Store, fresh))
	problems, err := a.reopened.Problems(ctx)
	if differs != "" {
		problems = append(problems, "the generation that was kept is not what is built anew: "+differs)
	}
	if err := a.Drop(ctx, fresh); err != nil {
		return problems, err
	}
	again, err2 := a.reopened.Problems(ctx)
	return append(problems, again...), errors.Join(err, err2)
}

func TestStoreBesideAGeneration(t *testing.T) {
	indextest.RunExact(t, func(t *testing.T) indextest.Store {
		s := open(t, "data", embedded.Options{FS: vfs.NewMem()})
		return &accompanied{s, t, mustAdd(t, s.Store, besideModel)}
	})
}

var (
	first, second = modelNamed("first", 6), modelNamed("second", 7)
	wikiDoc       = func(id string, l acl.List) corpora.Document {
		return corpora.Document{ID: corpora.DocID("wiki/" + id), Source: "wiki", Path: id, Title: "Page " + id, Language: "en", ACL: l}
	}
)

// generationSteps build, promote, write, roll back and drop. The oracle knows no
// generations: to it a promotion is another model.
func generationSteps(target func() *embedded.Store) []indextest.Step {
	reembed := func(m embed.Model) func(context.Context, indextest.Store) error {
		return func(ctx context.Context, s indextest.Store) error {
			return s.Reembed(ctx, m, func(_ context.Context, chunks []index.Chunk) ([]embed.Vector, error) {
				var out []embed.Vector
				for _, c := range chunks {
					d := corpora.Document{Title: "Page " + strings.TrimPrefix(string(c.Doc), "wiki/")}
					out = append(out, embedText(m, index.EmbedText(d, c)))
				}
				return out, nil
			})
		}
	}
	put := func(m embed.Model, id string, l acl.List, texts ...string) indextest.Step {
		return indextest.Step{Name: "replace " + id, Do: func(ctx context.Context, s indextest.Store) error {
			return s.Replace(ctx, made(m, wikiDoc(id, l), texts...))
		}}
	}
	// only is a step of the store; the oracle does what it amounts to.
	only := func(name string, f func(context.Context, *embedded.Store) error, oracle func(context.Context, indextest.Store) error) indextest.Step {
		return indextest.Step{Name: name, Do: func(ctx context.Context, s indextest.Store) error {
			if _, ok := s.(*indextest.Oracle); !ok {
				return f(ctx, target())
			}
			if oracle == nil {
				return nil
			}
			return oracle(ctx, s)
		}}
	}
	everyone, hr := acl.Allow(acl.Everyone), acl.Allow("group:hr")
	steps := []indextest.Step{{Name: "model", Do: reembed(first)}}
	for i := range 9 { // enough to merge
		steps = append(steps, put(first, fmt.Sprint("n", i), everyone, "leave policy", "server policy"))
	}
	return append(steps,
		only("add", func(ctx context.Context, s *embedded.Store) error {
			id, err := s.AddGeneration(ctx, embedded.NewGeneration{Model: second})
			s.SetMaker(id, maker(second))
			s.SetMaker(0, maker(first))
			return err
		}, nil),
		put(first, "n1", hr, "parental leave"),
		only("build", func(ctx context.Context, s *embedded.Store) error { return s.CatchUp(ctx, 1, nil) }, nil),
		indextest.Step{Name: "revoke", Do: func(ctx context.Context, s indextest.Store) error { return s.SetACL(ctx, "wiki/n2", hr) }},
		only("promote", func(ctx context.Context, s *embedded.Store) error { return s.Promote(ctx, 1, 100) }, reembed(second)),
		put(second, "n3", everyone, "last words"),
		indextest.Step{Name: "delete", Do: func(ctx context.Context, s indextest.Store) error {
			return s.Delete(ctx, "wiki/n1", "wiki/n4", "wiki/n5")
		}},
		indextest.Step{Name: "grant", Do: func(ctx context.Context, s indextest.Store) error { return s.SetACL(ctx, "wiki/n2", everyone) }},
		only("roll back", func(ctx context.Context, s *embedded.Store) error { _, err := s.Rollback(ctx); return err }, reembed(first)),
		only("drop", func(ctx context.Context, s *embedded.Store) error { return s.Drop(ctx, 1) }, nil),
	)
}

// A power cut at any file operation of a build, a promotion, a rollback or a drop
// leaves the generation served that was served before it or after it, whole.
func TestPowerCutWithGenerations(t *testing.T) {
	disk := vfs.NewCrashableMem()
	r := &recorder{disk: disk, random: rand.New(rand.NewPCG(3, 4))}
	s := open(t, "data", embedded.Options{FS: errorfs.Wrap(disk, r)})
	oracle := indextest.NewOracle()
	history := []*indextest.Oracle{oracle.Clone()}
	for _, step := range generationSteps(func() *embedded.Store { return s.Store }) {
		if err := errors.Join(step.Do(t.Context(), s), step.Do(t.Context(), oracle)); err != nil {
			t.Fatalf("%s: %v", step.Name, err)
		}
		if d := indextest.Compare(t.Context(), s, oracle); d != "" {
			t.Fatalf("after %s: %s", step.Name, d)
		}
		r.acknowledge()
		history = append(history, oracle.Clone())
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d power cuts", len(r.snapshots))
	for _, cut := range r.snapshots {
		after, err := embedded.Open("data", embedded.Options{FS: cut.fs})
		if err != nil {
			t.Fatalf("%s: %v", cut.at, err)
		}
		sound(t, after, cut.at, history[cut.acked:min(cut.acked+2, len(history))]...)
	}
}

// A build that a power cut ended goes on where it was.
func TestBuildGoesOnAfterAPowerCut(t *testing.T) {
	disk := vfs.NewCrashableMem()
	s := open(t, "data", embedded.Options{FS: disk})
	for i := range 450 { // more than two commits
		put := made(embed.Model{}, wikiDoc(fmt.Sprint("n", i), acl.Allow(acl.Everyone)), "leave")
		put.Vectors = nil
		if err := s.Replace(t.Context(), put); err != nil {
			t.Fatal(err)
		}
	}
	id := mustAdd(t, s.Store, second)
	batches := 0
	m := maker(second)
	whole := m.Embed
	m.Embed = func(ctx context.Context, texts []string) ([]embed.Vector, error) {
		if batches++; batches == 2 {
			return nil, errors.New("the embedder fell over")
		}
		return whole(ctx, texts)
	}
	s.SetMaker(id, m)
	if err := s.CatchUp(t.Context(), id, nil); err == nil || !strings.Contains(err.Error(), "fell over") {
		t.Fatalf("error %v", err)
	}
	if err := s.Promote(t.Context(), id, 100); !errors.Is(err, embedded.ErrBehind) {
		t.Errorf("promoted half a generation: %v", err)
	}
	after := open(t, "data", embedded.Options{FS: disk.CrashClone(vfs.CrashCloneCfg{})})
	if g := generation(t, after.Store, id); g.Documents != 200 || g.Missing != 250 {
		t.Errorf("after the cut: %+v", g)
	}
	after.SetMaker(id, maker(second))
	mustCatchUp(t, after.Store, id)
	if err := after.Promote(t.Context(), id, 100); err != nil {
		t.Error(err)
	}
	if err := errors.Join(after.Close(), s.Close()); err != nil {
		t.Error(err)
	}
}

func generation(t *testing.T, s *embedded.Store, id uint32) embedded.Generation {
	t.Helper()
	all, err := s.Generations()
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range all {
		if g.ID == id {
			return g
		}
	}
	t.Fatalf("no generation %d in %+v", id, all)
	return embedded.Generation{}
}

// two returns a store with a document and two whole generations.
func two(t *testing.T) *embedded.Store {
	t.Helper()
	s := open(t, "data", embedded.Options{FS: vfs.NewMem()})
	t.Cleanup(func() { _ = s.Close() })
	put := made(embed.Model{}, wikiDoc("a", acl.Allow("group:hr")), "leave policy")
	put.Vectors = nil
	if err := s.Replace(t.Context(), put); err != nil {
		t.Fatal(err)
	}
	mustCatchUp(t, s.Store, mustAdd(t, s.Store, second))
	return s.Store
}

// served counts who is served from the generation, of a thousand people.
func served(s *embedded.Store, id uint32) map[string]bool {
	out := map[string]bool{}
	for i := range 1000 {
		if name := fmt.Sprint("user:u", i); s.GenerationFor(acl.NewPrincipal(acl.Subject(name))) == id {
			out[name] = true
		}
	}
	return out
}

// The share is of people: the same ones at every question, whatever groups they
// are in, and more of them, not others, when it grows.
func TestCanaryIsAFunctionOfTheUser(t *testing.T) {
	s := two(t)
	if n := len(served(s, 1)); n != 0 {
		t.Errorf("%d people are served from what was not promoted", n)
	}
	if err := s.Promote(t.Context(), 1, 20); err != nil {
		t.Fatal(err)
	}
	fifth := served(s, 1)
	if n := len(fifth); n < 150 || n > 250 {
		t.Errorf("%d of 1000 people are served from the canary, want about 200", n)
	}
	if err := s.Promote(t.Context(), 1, 60); err != nil {
		t.Fatal(err)
	}
	most := served(s, 1)
	for name := range fifth {
		if !most[name] {
			t.Errorf("%s left the canary when it grew", name)
		}
		if got := s.GenerationFor(acl.NewPrincipal(acl.Subject(name), "group:new")); got != 1 {
			t.Errorf("%s changed the generation with a group", name)
		}
	}
	if id, err := s.Rollback(t.Context()); err != nil || id != 0 || len(served(s, 1)) != 0 {
		t.Errorf("after the rollback %d is active, %v, and %d are served from the canary", id, err, len(served(s, 1)))
	}
}

// What cannot be made for a generation is not missing in silence: nobody is served
// from it until it has caught up.
func TestAGenerationThatFallsBehindIsNotServed(t *testing.T) {
	s := two(t)
	if err := s.Promote(t.Context(), 1, 99); err != nil {
		t.Fatal(err)
	}
	broken := maker(second)
	broken.Embed = func(context.Context, []string) ([]embed.Vector, error) { return nil, errors.New("down") }
	s.SetMaker(1, broken)
	put := made(embed.Model{}, wikiDoc("b", acl.Allow("group:hr")), "a new one")
	put.Vectors = nil
	if err := s.Replace(t.Context(), put); err != nil {
		t.Fatal(err)
	}
	if g := generation(t, s, 1); g.Percent != 0 || g.Missing != 1 || len(served(s, 1)) != 0 {
		t.Errorf("the generation that is behind: %+v", g)
	}
	for _, percent := range []int{10, 100} {
		if err := s.Promote(t.Context(), 1, percent); !errors.Is(err, embedded.ErrBehind) {
			t.Errorf("promoted to %d %%: %v", percent, err)
		}
	}
	s.SetMaker(1, maker(second))
	mustCatchUp(t, s, 1)
	if err := s.Promote(t.Context(), 1, 100); err != nil {
		t.Error(err)
	}
	if r, err := s.Check(t.Context()); err != nil || len(r.Problems) > 0 {
		t.Errorf("check: %q, %v", r.Problems, err)
	}
}

// A revoke and a delete hold in every generation at once, and a view that is open
// stays what it was.
func TestRevokesHoldInEveryGeneration(t *testing.T) {
	s := two(t)
	hr := acl.NewPrincipal("group:hr")
	ask := func(id uint32) (*index.Hit, index.View) {
		v, err := in(s, id).View(t.Context(), hr, noon)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = v.Close() })
		hits, err := v.SearchText(t.Context(), index.TextQuery{
			Terms: []index.Term{{Forms: []index.Form{{Language: "en", Text: "leav"}}, Weight: 1}}, BM25: index.BM25{K1: 1.2, B: .75, Title: 3},
		}, 5)
		if err != nil || len(hits) == 0 {
			return nil, v
		}
		return &hits[0], v
	}
	held := map[uint32]index.View{}
	found := map[uint32]index.ChunkID{}
	for _, id := range []uint32{0, 1} {
		hit, v := ask(id)
		if hit == nil {
			t.Fatalf("generation %d does not have the document", id)
		}
		held[id], found[id] = v, hit.ID
	}
	if err := s.SetACL(t.Context(), "wiki/a", acl.Allow("group:it")); err != nil {
		t.Fatal(err)
	}
	for id := range held {
		hit, v := ask(id)
		if hit != nil {
			t.Errorf("generation %d finds what was revoked", id)
		}
		if _, err := v.Chunks(t.Context(), []index.ChunkID{found[id]}); !errors.Is(err, index.ErrNotFound) {
			t.Errorf("generation %d gives a text that was revoked: %v", id, err)
		}
		if c, err := held[id].Chunks(t.Context(), []index.ChunkID{found[id]}); err != nil || c[0].Text != "leave policy\n" {
			t.Errorf("a view of generation %d from before changed: %v", id, err)
		}
	}
	// A chunk of one generation is nothing in another.
	_, v := ask(1)
	if _, err := v.Chunks(t.Context(), []index.ChunkID{found[0]}); !errors.Is(err, index.ErrNotFound) {
		t.Errorf("generation 1 gives a chunk of generation 0: %v", err)
	}
}

// What was embedded for the generation that answered before is refused: its
// vectors would be taken for those of another model.
func TestVectorsOfTheGenerationBeforeAreRefused(t *testing.T) {
	s := two(t)
	if err := s.Promote(t.Context(), 1, 100); err != nil {
		t.Fatal(err)
	}
	e := made(second, wikiDoc("b", acl.Allow(acl.Everyone)), "text")
	for hash, want := range map[string]error{"first": index.ErrModel, second.Hash: nil, "": nil} {
		e.Model = hash
		if err := s.Replace(t.Context(), e); !errors.Is(err, want) {
			t.Errorf("vectors of model %q: %v, want %v", hash, err, want)
		}
	}
}

func TestGenerationsRefuse(t *testing.T) {
	s := two(t)
	for name, f := range map[string]func() error{
		"no such one":         func() error { return s.Promote(t.Context(), 7, 100) },
		"nothing to go back":  func() error { _, err := s.Rollback(t.Context()); return err },
		"dropped twice":       func() error { return errors.Join(s.Drop(t.Context(), 1), s.Drop(t.Context(), 1)) },
		"note for nothing":    func() error { return s.Annotate(t.Context(), 9, nil) },
		"view of what is not": func() error { _, err := in(s, 9).View(t.Context(), everyone, noon); return err },
	} {
		if err := f(); !errors.Is(err, embedded.ErrGeneration) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, err := range map[string]error{
		"0 percent":     s.Promote(t.Context(), 1, 0),
		"101 percent":   s.Promote(t.Context(), 1, 101),
		"the active":    s.Drop(t.Context(), 0),
		"no dimensions": func() error { _, err := s.AddGeneration(t.Context(), embedded.NewGeneration{}); return err }(),
	} {
		if err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

// A document that is written while it is being made for a generation gets there in
// the version that was written.
func TestABuildDoesNotStoreWhatWasReplaced(t *testing.T) {
	s := open(t, "data", embedded.Options{FS: vfs.NewMem()})
	defer s.Close()
	put := func(text string) error {
		e := made(embed.Model{}, wikiDoc("a", acl.Allow(acl.Everyone)), text)
		e.Vectors = nil
		return s.Replace(t.Context(), e)
	}
	if err := put("before"); err != nil {
		t.Fatal(err)
	}
	id := mustAdd(t, s.Store, second)
	slow, quick := maker(second), maker(second)
	once := false
	slow.Embed = func(ctx context.Context, texts []string) ([]embed.Vector, error) {
		if !once {
			once = true
			broken := maker(second)
			broken.Embed = func(context.Context, []string) ([]embed.Vector, error) { return nil, errors.New("busy") }
			s.SetMaker(id, broken) // so that the build alone can bring it in
			if err := put("after"); err != nil {
				t.Error(err)
			}
		}
		return quick.Embed(ctx, texts)
	}
	s.SetMaker(id, slow)
	mustCatchUp(t, s.Store, id)
	v, err := in(s.Store, id).View(t.Context(), everyone, noon)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	_, ids, err := v.Document(t.Context(), "wiki/a")
	if err != nil {
		t.Fatal(err)
	}
	if c, err := v.Chunks(t.Context(), ids); err != nil || len(c) != 1 || c[0].Text != "after\n" {
		t.Errorf("chunks %+v, %v", c, err)
	}
}
