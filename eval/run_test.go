package eval_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
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
	"ken/index"
	"ken/index/embedded"
	"ken/index/ingest"
	"ken/retrieval"
)

func embedder(t testing.TB) embed.Embedder {
	t.Helper()
	e, err := hashed.New(hashed.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// build fills an index in memory by the whole pipeline.
func build(t testing.TB) eval.Build {
	return func(ctx context.Context, dir string, source corpora.Source) (eval.Index, error) {
		if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
			t.Errorf("the folder %s holds %d entries, error %v; want an empty one", dir, len(entries), err)
		}
		store, err := embedded.Open("index", embedded.Options{FS: vfs.NewMem()})
		if err != nil {
			return nil, err
		}
		summary, err := ingest.Run(ctx, ingest.Options{Store: store, Embedder: embedder(t), Extract: extract.Default()}, source)
		if err != nil {
			return nil, err
		}
		if len(summary.Quarantined) > 0 {
			t.Errorf("not taken in: %v", summary.Quarantined)
		}
		return store, nil
	}
}

func run(t *testing.T, o eval.Options) eval.Report {
	t.Helper()
	report, err := eval.Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func load(t *testing.T, contents map[string]string) eval.Set {
	t.Helper()
	set, err := eval.LoadFS(files(contents), "small")
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func TestRun(t *testing.T) {
	report := run(t, eval.Options{Set: load(t, small()), Build: build(t), Retrieval: retrieval.Options{Embedder: embedder(t)}})
	if report.Queries != 2 || report.Leaks != 0 || report.Metrics["ndcg@10"] != 1 || report.Metrics["hit@1"] != 1 || report.Personas != nil || len(report.Degraded) > 0 {
		t.Errorf("report %+v", report)
	}
	if report.LatencyMS.P50 <= 0 || report.LatencyMS.P50 > report.LatencyMS.P95 || report.LatencyMS.P95 > report.LatencyMS.P99 {
		t.Errorf("latency %+v", report.LatencyMS)
	}
	for name, want := range map[string]any{"k1": 1.2, "mode": "hybrid", "fusion": "convex", "alpha": hashed.Fuse} {
		if report.Settings[name] != want {
			t.Errorf("setting %s is %v, want %v", name, report.Settings[name], want)
		}
	}
}

// Each persona is expected to find what is relevant and readable: ann may not
// read q2's document, so q2 is not scored for her.
func TestRunAsPersonas(t *testing.T) {
	report := run(t, eval.Options{Set: load(t, withACL()), Build: build(t), Mode: retrieval.Lexical})
	var got []string
	for _, p := range report.Personas {
		got = append(got, fmt.Sprintf("%s %d %.2f", p.Name, p.Queries, p.Metrics["hit@1"]))
	}
	if s := strings.Join(got, ", "); s != "ann 1 1.00, bob 2 1.00, user:cy 2 1.00" || report.Queries != 5 || report.Leaks != 0 {
		t.Errorf("personas %s; %d questions, %d leaks", s, report.Queries, report.Leaks)
	}
	// "18 weeks" is q1's answer for bob and cy; ann's is another, which no document holds.
	if report.Metrics["answer_in_context"] != 1 || report.Personas[0].Metrics["answer_in_context"] != 0 {
		t.Errorf("answers in context: all %v, ann %v", report.Metrics["answer_in_context"], report.Personas[0].Metrics["answer_in_context"])
	}
}

// TestLeaksAreCounted gives the run indexes that leak.
func TestLeaksAreCounted(t *testing.T) {
	for name, open := range map[string]func(index.View, acl.Principal) index.View{
		"no permissions at all": nil,
		"another's title":       func(v index.View, _ acl.Principal) index.View { return retitled{v} },
		"another's text":        func(v index.View, _ acl.Principal) index.View { return retexted{v} },
	} {
		t.Run(name, func(t *testing.T) {
			report := run(t, eval.Options{Set: load(t, withACL()), Mode: retrieval.Lexical, Build: func(ctx context.Context, dir string, s corpora.Source) (eval.Index, error) {
				index, err := build(t)(ctx, dir, s)
				return leaky{index, open}, err
			}})
			if report.Leaks == 0 {
				t.Error("no leak was counted")
			}
		})
	}
}

// leaky is an index that shows the view of one who reads all, or a changed view.
type leaky struct {
	eval.Index
	open func(index.View, acl.Principal) index.View
}

func (l leaky) View(ctx context.Context, p acl.Principal, at time.Time) (index.View, error) {
	if l.open == nil {
		return l.Index.View(ctx, acl.NewPrincipal("user:bob", "group:hr"), at)
	}
	v, err := l.Index.View(ctx, p, at)
	if err != nil {
		return nil, err
	}
	return l.open(v, p), nil
}

type retitled struct{ index.View }

func (r retitled) Document(ctx context.Context, id corpora.DocID) (corpora.Document, []index.ChunkID, error) {
	d, chunks, err := r.View.Document(ctx, id)
	d.Title = "Pay"
	return d, chunks, err
}

type retexted struct{ index.View }

func (r retexted) Chunks(ctx context.Context, ids []index.ChunkID) ([]index.Chunk, error) {
	chunks, err := r.View.Chunks(ctx, ids)
	for i := range chunks {
		chunks[i].Text = "The salary of level four ends at 91,000 euros a year"
	}
	return chunks, err
}

// The same run gives the same report, but for the time it took.
func TestRunIsDeterministic(t *testing.T) {
	var reports [2]string
	for i := range reports {
		report := run(t, eval.Options{Set: load(t, withACL()), Build: build(t), Retrieval: retrieval.Options{Embedder: embedder(t)}})
		report.LatencyMS, report.StagesMS = eval.Latency{}, nil
		for j := range report.Outcomes {
			report.Outcomes[j].LatencyMS, report.Outcomes[j].StagesMS = 0, nil
		}
		for j := range report.Personas {
			report.Personas[j].LatencyMS = eval.Latency{}
		}
		text, err := json.MarshalIndent(report, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		reports[i] = string(text)
	}
	if reports[0] != reports[1] {
		t.Errorf("first %s\nthen %s", reports[0], reports[1])
	}
	for _, key := range []string{`"set"`, `"queries"`, `"metrics"`, `"leaks": 0`, `"latency_ms"`, `"personas"`, `"settings"`} {
		if !strings.Contains(reports[0], key) {
			t.Errorf("the report has no %s", key)
		}
	}
}

func TestRunSaysWhatIsDegraded(t *testing.T) {
	report := run(t, eval.Options{Set: load(t, small()), Build: build(t)})
	if report.Degraded["vector"] != 2 || report.Settings["model"] != "none" {
		t.Errorf("degraded %v, model %v", report.Degraded, report.Settings["model"])
	}
}

func TestRunRefuses(t *testing.T) {
	unjudged := small()
	unjudged["qrels.tsv"] = "query-id\tcorpus-id\tscore\nq1\tleave\t0\n"
	failing := func(context.Context, string, corpora.Source) (eval.Index, error) { return nil, errors.New("disk full") }
	for name, c := range map[string]struct {
		o    eval.Options
		want string
	}{
		"nothing":         {eval.Options{}, "a set and a way to build its index are needed"},
		"no index":        {eval.Options{Set: load(t, small()), Build: failing}, "evaluate small: build the index: disk full"},
		"nothing to find": {eval.Options{Set: load(t, unjudged), Build: build(t)}, "nothing to measure"},
		"a bad mode":      {eval.Options{Set: load(t, small()), Build: build(t), Mode: "magic"}, `query q1: bad request: mode "magic"`},
	} {
		if _, err := eval.Run(t.Context(), c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", name, err, c.want)
		}
	}
}

// The run's folder is gone at its end, whatever the end was.
func TestRunRemovesItsFolder(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	var dir string
	for _, fail := range []error{nil, errors.New("disk full")} {
		_, err := eval.Run(t.Context(), eval.Options{Set: load(t, small()), Build: func(ctx context.Context, d string, s corpora.Source) (eval.Index, error) {
			dir = d
			if fail != nil {
				return nil, fail
			}
			return build(t)(ctx, d, s)
		}})
		if !errors.Is(err, fail) {
			t.Fatal(err)
		}
		if _, err := os.Stat(dir); !os.IsNotExist(err) {
			t.Errorf("%s is still there: %v", dir, err)
		}
	}
}

// TestSample holds the floors of the bundled corpus.
func TestSample(t *testing.T) {
	set, err := eval.LoadFS(sample.Set(), sample.Name)
	if err != nil {
		t.Fatal(err)
	}
	report := run(t, eval.Options{Set: set, Build: build(t), Retrieval: retrieval.Options{Embedder: embedder(t)}})
	if report.Leaks != 0 || len(report.Personas) != 6 || len(report.Notes) > 0 {
		t.Errorf("%d leaks, %d personas, notes %q", report.Leaks, len(report.Personas), report.Notes)
	}
	for name, floor := range map[string]float64{"ndcg@10": .82, "hit@3": .86, "recall@100": 1, "answer_in_context": .86} {
		if report.Metrics[name] < floor {
			t.Errorf("%s = %.4f, floor %.2f", name, report.Metrics[name], floor)
		}
	}
}

func ExampleRun() {
	set, err := eval.LoadFS(sample.Set(), sample.Name)
	if err != nil {
		fmt.Println(err)
		return
	}
	report, err := eval.Run(context.Background(), eval.Options{
		Set:  set,
		Mode: retrieval.Lexical,
		Build: func(ctx context.Context, dir string, source corpora.Source) (eval.Index, error) {
			e, err := hashed.New(hashed.Options{})
			if err != nil {
				return nil, err
			}
			store, err := embedded.Open(dir, embedded.Options{})
			if err != nil {
				return nil, err
			}
			_, err = ingest.Run(ctx, ingest.Options{Store: store, Embedder: e, Extract: extract.Default()}, source)
			return store, err
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(report.Personas), "personas,", report.Leaks, "leaks")
	// Output: 6 personas, 0 leaks
}
