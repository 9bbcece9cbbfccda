package gate_test

import (
	"context"
	"iter"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/corpora/extract"
	"ken/corpora/sample"
	"ken/embed"
	"ken/embed/hashed"
	"ken/eval"
	"ken/eval/gate"
	"ken/eval/suite"
	"ken/index"
	"ken/index/analyze"
	"ken/index/embedded"
	"ken/index/ingest"
	"ken/retrieval"
)

// plant is a fault in one part of the product.
type plant struct {
	source func(corpora.Source) corpora.Source
	view   func(v, everything index.View) index.View
	params func(*retrieval.Params)
}

// measure runs the bundled suite's thresholds on ranking with the fault in place.
func measure(t *testing.T, p plant) suite.Result {
	t.Helper()
	data, err := os.ReadFile("../suites/bundled.yaml")
	if err != nil {
		t.Fatal(err)
	}
	s, err := suite.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	s.Baseline, s.Sets[0].Modes = false, []retrieval.Mode{retrieval.Hybrid}
	s.Thresholds = slices.DeleteFunc(s.Thresholds, func(t suite.Threshold) bool {
		return t.Mode != "" || strings.HasPrefix(t.Metric, "answer@") && t.Metric != "answer@1000"
	})
	e, err := hashed.New(hashed.Options{})
	if err != nil {
		t.Fatal(err)
	}
	params := retrieval.DefaultParams()
	if p.params != nil {
		p.params(&params)
	}
	result, err := suite.Measure(t.Context(), s, suite.Options{
		Load:      func(string) (eval.Set, error) { return eval.LoadFS(sample.Set(), sample.Name) },
		Retrieval: retrieval.Options{Embedder: e, Params: params},
		Budgets:   []int{eval.AccuracyBudget},
		Build: func(ctx context.Context, _ string, source corpora.Source) (eval.Index, error) {
			if p.source != nil {
				source = p.source(source)
			}
			store, err := embedded.Open("index", embedded.Options{FS: vfs.NewMem()})
			if err != nil {
				return nil, err
			}
			_, err = ingest.Run(ctx, ingest.Options{Store: store, Embedder: e, Extract: extract.Default()}, source)
			return faulty{store, p.view}, err
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return result
}

type faulty struct {
	eval.Index
	view func(v, everything index.View) index.View
}

func (f faulty) View(ctx context.Context, p acl.Principal, at time.Time) (index.View, error) {
	v, err := f.Index.View(ctx, p, at)
	if err != nil || f.view == nil {
		return v, err
	}
	all, err := f.Index.View(ctx, acl.NewPrincipal("user:ines", "user:dov", "group:staff", "group:hr", "group:finance", "group:legal",
		"group:engineering", "group:executives", "group:contractors", "group:support"), at)
	return f.view(v, all), err
}

// unstemmed has every document in an unknown language, whose words are folded only.
type unstemmed struct{ corpora.Source }

func (u unstemmed) Changes(ctx context.Context, after corpora.Cursor) iter.Seq2[corpora.Change, error] {
	return func(yield func(corpora.Change, error) bool) {
		for c, err := range u.Source.Changes(ctx, after) {
			if load := c.Load; load != nil {
				c.Load = func(ctx context.Context) (corpora.Document, []byte, error) {
					d, text, err := load(ctx)
					d.Language = analyze.Und
					return d, text, err
				}
			}
			if !yield(c, err) {
				return
			}
		}
	}
}

// filtered takes the best ten of all documents and drops what may not be read
// afterwards.
type filtered struct {
	index.View
	all index.View
}

func (f filtered) SearchText(ctx context.Context, q index.TextQuery, _ int) ([]index.Hit, error) {
	hits, err := f.all.SearchText(ctx, q, 10)
	return f.readable(ctx, hits), err
}

func (f filtered) SearchVector(ctx context.Context, v embed.Vector, filter index.Filter, _ int) ([]index.Hit, error) {
	hits, err := f.all.SearchVector(ctx, v, filter, 10)
	return f.readable(ctx, hits), err
}

func (f filtered) readable(ctx context.Context, hits []index.Hit) []index.Hit {
	return slices.DeleteFunc(hits, func(h index.Hit) bool {
		_, err := f.Chunks(ctx, []index.ChunkID{h.ID})
		return err != nil
	})
}

func (f filtered) Close() error {
	f.all.Close()
	return f.View.Close()
}

type slow struct{ index.View }

func (s slow) SearchVector(ctx context.Context, v embed.Vector, f index.Filter, k int) ([]index.Hit, error) {
	time.Sleep(20 * time.Millisecond)
	return s.View.SearchVector(ctx, v, f, k)
}

// A change that makes the product worse is stopped, and the gate names the
// metric and the questions that it harms.
func TestPlantedRegressions(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED in short mode: it builds five indexes")
	}
	before := measure(t, plant{})
	for name, c := range map[string]struct {
		plant
		metric, message string
	}{
		"stemming off":  {plant{source: func(s corpora.Source) corpora.Source { return unstemmed{s} }}, "ndcg@10", ""},
		"title boost 0": {plant{params: func(p *retrieval.Params) { p.Title = 0 }}, "ndcg@10", ""},
		"the permission check after the best ten": {plant{view: func(v, all index.View) index.View { return filtered{v, all} }}, "recall@100", ""},
		"a vector leg that sleeps 20 ms":          {plant{view: func(v, all index.View) index.View { all.Close(); return slow{v} }}, gate.LatencyMetric, "stage vector"},
	} {
		t.Run(name, func(t *testing.T) {
			var names []string
			after := measure(t, c.plant)
			for _, g := range failed(gate.Check(before, after, gate.Options{})) {
				names = append(names, g.Name)
				t.Logf("%s: %s; worst %q", g.Name, g.Message, g.Worst)
				if strings.HasSuffix(g.Name, c.metric) && (len(g.Worst) == 0 || !strings.Contains(g.Worst[0], " -> ")) || strings.HasSuffix(g.Name, c.metric) && !strings.Contains(g.Message, c.message) {
					t.Errorf("gate %+v", g)
				}
			}
			if !slices.Contains(names, "pegelwick, hybrid: "+c.metric) {
				t.Errorf("failed %q, want %s among them", names, c.metric)
			}
		})
	}
}
