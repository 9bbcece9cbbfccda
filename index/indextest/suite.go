package indextest

import (
	"context"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/embed"
	"ken/index"
)

// Open returns a new, empty store. The suite closes it.
type Open func(t *testing.T) Store

// Run runs the suite with scores compared to 1e-9.
func Run(t *testing.T, open Open) { run(t, open, 1e-9) }

// RunExact runs the suite for a back end that promises the oracle's scores to
// the bit, as the embedded one does.
func RunExact(t *testing.T, open Open) { run(t, open, 0) }

// Soak runs random operations and twins against the oracle until the time is over,
// or once if there is none, with scores compared to the bit.
func Soak(t *testing.T, d time.Duration, open Open) {
	rounds := 0
	for begin := time.Now(); rounds == 0 || time.Since(begin) < d; rounds++ {
		testOperations(t, open, 0)
		testTwin(t, open)
		if t.Failed() {
			break
		}
	}
	t.Logf("%d rounds", rounds)
}

func run(t *testing.T, open Open, tolerance float64) {
	t.Run("operations", func(t *testing.T) { testOperations(t, open, tolerance) })
	t.Run("twin", func(t *testing.T) { testTwin(t, open) })
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			test(t, s)
			if err := s.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
		})
	}
}

// testOperations applies random operations to the store and to the oracle.
// After each, views of the same people must answer alike, and views that were
// opened before must answer as they did.
func testOperations(t *testing.T, open Open, tolerance float64) {
	rapid.Check(t, func(r *rapid.T) {
		p := &pair{store: open(t), oracle: NewOracle(), tolerance: tolerance}
		defer p.close(r)
		if rapid.Bool().Draw(r, "start with a model") {
			p.reembed(r)
		}
		r.Repeat(map[string]func(*rapid.T){
			"":        p.compare,
			"replace": p.replace,
			"update":  p.update,
			"acl":     p.setACL,
			"delete":  p.delete,
			"reembed": p.reembed,
			"vectors": p.vectors,
			"refused": p.refused,
			"reopen":  p.reopen,
			"crash":   p.crash,
			"merge":   p.merge,
			"hold":    p.hold,
		})
	})
}

// pair is a store and the oracle, with views of both that are held open.
type pair struct {
	store     Store
	oracle    *Oracle
	tolerance float64
	held      [][2]index.View
}

func (p *pair) close(t *rapid.T) {
	p.release(t)
	if c, ok := p.store.(Checker); ok {
		if problems, err := c.Problems(t.Context()); err != nil || len(problems) > 0 {
			t.Errorf("check: %v, %q", err, problems)
		}
	}
	if err := p.store.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

// both applies an operation to the two and compares how it ended.
func (p *pair) both(t *rapid.T, what string, f func(Store) error) {
	if d := errorsDiffer(f(p.store), f(p.oracle)); d != "" {
		t.Fatalf("%s: %s", what, d)
	}
}

func (p *pair) replace(t *rapid.T) {
	entries := rapid.SliceOfN(genEntry(p.oracle.Model()), 1, 3).Draw(t, "entries")
	p.both(t, "replace", func(s Store) error { return s.Replace(t.Context(), entries...) })
}

func (p *pair) update(t *rapid.T) {
	d := corpora.Document{ID: genID().Draw(t, "id")}
	if s, ok := p.oracle.docs[d.ID]; ok {
		d = s.document
	}
	d.ACL = genList().Draw(t, "acl")
	d.URL = rapid.SampledFrom([]string{"", "https://example.org/x"}).Draw(t, "url")
	d.Status = rapid.SampledFrom([]corpora.Status{"", corpora.Draft, corpora.Superseded}).Draw(t, "status")
	if rapid.IntRange(0, 4).Draw(t, "change what must not change") == 0 {
		d.Title += "!"
	}
	p.both(t, "update", func(s Store) error { return s.Update(t.Context(), d) })
}

func (p *pair) setACL(t *rapid.T) {
	id, l := genID().Draw(t, "id"), genList().Draw(t, "acl")
	p.both(t, "set acl", func(s Store) error { return s.SetACL(t.Context(), id, l) })
}

func (p *pair) delete(t *rapid.T) {
	ids := rapid.SliceOfN(genID(), 0, 2).Draw(t, "ids")
	p.both(t, "delete", func(s Store) error { return s.Delete(t.Context(), ids...) })
}

func (p *pair) reembed(t *rapid.T) {
	m := model(rapid.IntRange(1, 3).Draw(t, "model"))
	embedder := embedAs(m)
	if rapid.IntRange(0, 3).Draw(t, "embedder fails") == 0 {
		embedder = func(ctx context.Context, chunks []index.Chunk) ([]embed.Vector, error) {
			return nil, context.DeadlineExceeded
		}
	}
	p.both(t, "reembed", func(s Store) error { return s.Reembed(t.Context(), m, embedder) })
}

// vectors asks for the vectors of a stored document's chunks, now and then under
// another title, and of chunks that are new.
func (p *pair) vectors(t *rapid.T) {
	e := genEntry(p.oracle.Model()).Draw(t, "entry")
	d, chunks := e.Document, e.Chunks
	for _, c := range p.oracle.docs[d.ID].chunks {
		chunks = append(chunks, c.Chunk)
	}
	if old, ok := p.oracle.docs[d.ID]; ok && rapid.Bool().Draw(t, "same title") {
		d.Title = old.document.Title
	}
	got, gotErr := p.store.Vectors(t.Context(), d, chunks)
	want, wantErr := p.oracle.Vectors(t.Context(), d, chunks)
	if d := errorsDiffer(gotErr, wantErr); d != "" {
		t.Fatalf("vectors: %s", d)
	}
	if !slices.EqualFunc(got, want, slices.Equal[embed.Vector]) {
		t.Fatalf("vectors: got %v, want %v", got, want)
	}
}

// refused hands over a sound entry together with one of another model: neither
// may be stored.
func (p *pair) refused(t *rapid.T) {
	good := genEntry(p.oracle.Model()).Draw(t, "good")
	bad := NewEntry(embed.Model{Dim: 4, Hash: "other"}, corpora.Document{ID: "wiki/bad"}, "bad")
	p.both(t, "replace", func(s Store) error { return s.Replace(t.Context(), good, bad) })
}

func (p *pair) reopen(t *rapid.T) {
	p.release(t)
	if s, ok := p.store.(Reopener); ok {
		if err := s.Reopen(); err != nil {
			t.Fatalf("reopen: %v", err)
		}
	}
}

// crash cuts the power at rest: all that was acknowledged must be there.
func (p *pair) crash(t *rapid.T) {
	p.release(t)
	if s, ok := p.store.(Crasher); ok {
		if err := s.Crash(); err != nil {
			t.Fatalf("crash: %v", err)
		}
	}
}

// merge must change no answer, of views that are held neither.
func (p *pair) merge(t *rapid.T) {
	if s, ok := p.store.(Merger); ok {
		if err := s.Merge(t.Context()); err != nil {
			t.Fatalf("merge: %v", err)
		}
	}
}

// hold keeps a view open across the writes that follow.
func (p *pair) hold(t *rapid.T) {
	if len(p.held) < 3 {
		p.held = append(p.held, p.views(t, genPerson().Draw(t, "person"), genHour().Draw(t, "hour")))
	}
}

func (p *pair) release(t *rapid.T) {
	for _, h := range p.held {
		closeView(t, h[0])
	}
	p.held = nil
}

func (p *pair) compare(t *rapid.T) {
	now := p.views(t, genPerson().Draw(t, "person"), genHour().Draw(t, "hour"))
	defer closeView(t, now[0])
	for _, pair := range append(slices.Clone(p.held), now) {
		questions := genProbe(pair[1].Model()).Draw(t, "questions")
		if d := difference(t.Context(), pair[0], pair[1], questions, p.tolerance); d != "" {
			t.Fatal(d)
		}
	}
	if d := listsDiffer(t.Context(), p.store, p.oracle); d != "" {
		t.Fatal(d)
	}
}

func (p *pair) views(t *rapid.T, who acl.Principal, at time.Time) [2]index.View {
	return [2]index.View{openView(t, p.store, who, at), openView(t, p.oracle, who, at)}
}

func genPerson() *rapid.Generator[acl.Principal] { return rapid.SampledFrom(people) }

func genHour() *rapid.Generator[time.Time] {
	return rapid.Map(rapid.IntRange(-3, 4), func(h int) time.Time { return noon.Add(time.Duration(h) * time.Hour) })
}

// tester is what testing.T and rapid.T have in common here.
type tester interface {
	Helper()
	Context() context.Context
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

func openView(t tester, s Store, who acl.Principal, at time.Time) index.View {
	t.Helper()
	v, err := s.View(t.Context(), who, at)
	if err != nil {
		t.Fatalf("view: %v", err)
	}
	return v
}

func closeView(t tester, v index.View) {
	t.Helper()
	if err := v.Close(); err != nil {
		t.Errorf("close view: %v", err)
	}
}

// testTwin builds two stores: one with everything, with a history of changes,
// and one with nothing but what the person may read, written at once. To that
// person they must be the same to the bit, on every back end.
func testTwin(t *testing.T, open Open) {
	rapid.Check(t, func(r *rapid.T) {
		m := model(1)
		all := &pair{store: open(t), oracle: NewOracle()}
		defer all.close(r)
		all.both(r, "reembed", func(s Store) error { return s.Reembed(r.Context(), m, embedAs(m)) })
		for range rapid.IntRange(1, 8).Draw(r, "writes") {
			rapid.SampledFrom([]func(*rapid.T){all.replace, all.replace, all.setACL, all.delete}).Draw(r, "write")(r)
		}
		who, at := genPerson().Draw(r, "person"), genHour().Draw(r, "hour")
		twin := open(t)
		defer func() { _ = twin.Close() }()
		var entries []index.Entry
		for d := range all.oracle.readable(who, at) {
			entries = append(entries, d)
		}
		if err := twin.Reembed(r.Context(), m, embedAs(m)); err != nil {
			r.Fatalf("reembed: %v", err)
		}
		if err := twin.Replace(r.Context(), entries...); err != nil {
			r.Fatalf("replace: %v", err)
		}
		got, want := openView(r, all.store, who, at), openView(r, twin, who, at)
		defer closeView(r, got)
		defer closeView(r, want)
		for range 3 {
			if d := difference(r.Context(), got, want, genProbe(m).Draw(r, "questions"), 0); d != "" {
				r.Fatal(d)
			}
		}
	})
}
