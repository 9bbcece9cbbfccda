package eval_test

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ken/corpora"
	"ken/eval"
	"ken/eval/evaldata"
	"ken/retrieval"
)

// bench is one set with an index that is built once and asked in several ways.
type bench struct {
	set   eval.Set
	index eval.Index
}

func newBench(t *testing.T, set eval.Set) bench {
	t.Helper()
	built, err := build(t)(t.Context(), t.TempDir(), set.Source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { built.Close() })
	return bench{set, built}
}

// kept is an index that outlives the run.
type kept struct{ eval.Index }

func (kept) Close() error { return nil }

func (b bench) run(t *testing.T, mode retrieval.Mode, params ...string) eval.Report {
	t.Helper()
	p := retrieval.DefaultParams()
	for _, assignment := range params {
		if err := p.Set(assignment); err != nil {
			t.Fatal(err)
		}
	}
	report := run(t, eval.Options{
		Set: b.set, Mode: mode, Retrieval: retrieval.Options{Embedder: embedder(t), Params: p},
		Build: func(context.Context, string, corpora.Source) (eval.Index, error) { return kept{b.index}, nil },
	})
	if report.Leaks != 0 {
		t.Errorf("%s %s: %d leaks", b.set.Name, mode, report.Leaks)
	}
	logReport(t, report, params)
	return report
}

func logReport(t *testing.T, r eval.Report, params []string) {
	m := r.Metrics
	t.Logf("| %s | %s | %s | %d | %.4f | %.4f | %.4f | %.1f | %.1f |", r.Set, r.Settings["mode"], strings.Join(params, " "), r.Queries,
		m["ndcg@10"], m["recall@100"], m["hit@3"], r.LatencyMS.P50, r.LatencyMS.P95)
}

func atLeast(t *testing.T, r eval.Report, metric string, floor float64) {
	t.Helper()
	if got := r.Metrics[metric]; got < floor {
		t.Errorf("%s, mode %s: %s = %.4f, floor %.3f", r.Set, r.Settings["mode"], metric, got, floor)
	}
}

// plainBM25 is BM25 as others publish it: title and text count alike, and
// nothing else happens.
var plainBM25 = []string{"k1=0.9", "b=0.4", "title=1", "rm3_terms=0", "gram_weight=0"}

func TestPlainBM25IsWhatOthersMeasure(t *testing.T) {
	set, err := eval.Load(filepath.Join(evaldata.Dir(t, "."), "scifact"))
	if err != nil {
		t.Fatal(err)
	}
	const published = .679 // nDCG@10, Anserini's flat BM25
	report := newBench(t, set).run(t, retrieval.Lexical, plainBM25...)
	if got := report.Metrics["ndcg@10"]; got < published-.01 || got > published+.01 {
		t.Errorf("ndcg@10 = %.4f, published %.3f", got, published)
	}
}

func TestFloors(t *testing.T) {
	data := evaldata.Dir(t, ".")
	for _, c := range []struct {
		set             string
		lexical, hybrid float64 // nDCG@10
	}{
		{"scifact", .70, .70},
		{"xquad/en", .95, .95},
		{"xquad/de", .91, .91},
		{"xquad/zh", .96, .96},
		{"xquad/th", .88, .88},
		{"limit-small", .98, .98},
	} {
		t.Run(c.set, func(t *testing.T) {
			set, err := eval.Load(filepath.Join(data, filepath.FromSlash(c.set)))
			if err != nil {
				t.Fatal(err)
			}
			b := newBench(t, set)
			lexical, hybrid, vector := b.run(t, retrieval.Lexical), b.run(t, retrieval.Hybrid), b.run(t, retrieval.Vector)
			atLeast(t, lexical, "ndcg@10", c.lexical)
			atLeast(t, hybrid, "ndcg@10", c.hybrid)
			atLeast(t, hybrid, "ndcg@10", max(lexical.Metrics["ndcg@10"], vector.Metrics["ndcg@10"])-.005)
		})
	}
}

// TestHandbookFloors asks the questions of a real handbook as three personas,
// once over the prepared texts and once over the folder of Markdown as it is.
func TestHandbookFloors(t *testing.T) {
	dir := filepath.Join(evaldata.Dir(t, "."), "handbook-18f")
	prepared, err := eval.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	asIs, err := eval.Load(unpackHandbook(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	for name, set := range map[string]eval.Set{"prepared": prepared, "as it is": asIs} {
		t.Run(name, func(t *testing.T) {
			report := newBench(t, set).run(t, retrieval.Hybrid)
			if len(report.Personas) != 3 {
				t.Errorf("%d personas", len(report.Personas))
			}
			for _, p := range report.Personas {
				t.Logf("| %s | %d | ndcg@10 %.4f | hit@3 %.4f | answer %.3f |", p.Name, p.Queries, p.Metrics["ndcg@10"], p.Metrics["hit@3"], p.Metrics["answer_in_context"])
				if p.Metrics["hit@3"] < .89 {
					t.Errorf("%s: hit@3 = %.4f, floor .89", p.Name, p.Metrics["hit@3"])
				}
			}
		})
	}
}

// unpackHandbook makes a set of the handbook's tree, whose lists become a
// policy file.
func unpackHandbook(t *testing.T, dir string) string {
	t.Helper()
	out := t.TempDir()
	corpus := filepath.Join(out, "corpus")
	untar(t, filepath.Join(dir, "tree.tar.gz"), "handbook-18f/pages/", corpus)
	for _, name := range []string{"queries.jsonl.gz", "qrels.tsv", "answers.jsonl.gz", "users.jsonl.gz"} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(out, name), data)
	}
	write(t, filepath.Join(corpus, ".ken", "acl.yaml"), policy(t, filepath.Join(dir, "acl.jsonl.gz")))
	return out
}

func untar(t *testing.T, archive, prefix, to string) {
	t.Helper()
	files := tar.NewReader(gunzip(t, archive))
	for {
		h, err := files.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		name, ok := strings.CutPrefix(path.Clean(h.Name), prefix)
		if !ok || h.Typeflag != tar.TypeReg || !filepath.IsLocal(name) {
			continue
		}
		data, err := io.ReadAll(files)
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(to, filepath.FromSlash(name)), data)
	}
}

func gunzip(t *testing.T, name string) io.Reader {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	r, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func write(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

func policy(t *testing.T, lists string) []byte {
	t.Helper()
	rules := make(map[string]string)
	for dec := json.NewDecoder(gunzip(t, lists)); ; {
		var l struct {
			ID     string `json:"_id"`
			Groups []string
		}
		if err := dec.Decode(&l); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		for i, g := range l.Groups {
			if g != "everyone" {
				l.Groups[i] = "group:" + g
			}
		}
		rules[l.ID] = strings.Join(l.Groups, ", ")
	}
	out := "version: 1\ndefault: deny\nrules:\n"
	for _, id := range slices.Sorted(maps.Keys(rules)) {
		out += fmt.Sprintf("  - path: %q\n    allow: [%s]\n", id, rules[id])
	}
	return []byte(out)
}
