package analyze_test

import (
	"bufio"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ken/eval/evaldata"
	"ken/index"
	"ken/index/analyze"
)

// TestQuality pins what the analysis is worth: nDCG@10 of a brute-force BM25F
// over judged sets, with the index's formula (see index.BM25) and one chunk per
// document. The floors are what the product promises for lexical search alone.
func TestQuality(t *testing.T) {
	recipe := index.BM25{K1: 1.2, B: .75, Title: 3}
	for _, c := range []struct {
		set, lang  string
		bm         index.BM25
		oneField   bool
		low, above float64
	}{
		{set: "xquad/en", lang: "en", bm: recipe, low: .96, above: 1},
		{set: "xquad/de", lang: "de", bm: recipe, low: .935, above: 1},
		{set: "xquad/zh", lang: "zh", bm: recipe, low: .96, above: 1},
		{set: "xquad/th", lang: "th", bm: recipe, low: .96, above: 1},
		{set: "scifact", lang: "en", bm: index.BM25{K1: .9, B: .4, Title: 1}, oneField: true, low: .669, above: .689},
		{set: "scifact", lang: "en", bm: recipe, low: .69, above: 1},
	} {
		t.Run(c.set, func(t *testing.T) {
			set := readSet(t, c.set)
			got := set.ndcg(newBrute(set, c.lang, c.oneField), c.bm)
			t.Logf("%s one field %v: nDCG@10 %.4f", c.set, c.oneField, got)
			if got < c.low || got > c.above {
				t.Errorf("nDCG@10 = %.4f, want %.3f to %.3f", got, c.low, c.above)
			}
		})
	}
}

// TestDetectOnJudgedSets pins how often the language of a paragraph, and of a
// question of one line, is found.
func TestDetectOnJudgedSets(t *testing.T) {
	for _, c := range []struct {
		set, lang        string
		passage, oneLine float64 // least share of right answers
	}{
		{"xquad/en", "en", .99, .99},
		{"xquad/de", "de", .99, .97},
		{"xquad/zh", "zh", 1, .99},
		{"xquad/th", "th", .99, .99},
		{"scifact", "en", .99, .9},
	} {
		t.Run(c.set, func(t *testing.T) {
			set := readSet(t, c.set)
			passages := share(set.docs, c.lang, func(d item) string { return d.Text })
			questions := share(set.queries, c.lang, func(q item) string { return q.Text })
			t.Logf("%s: passages %.4f, questions %.4f", c.set, passages, questions)
			if passages < c.passage || questions < c.oneLine {
				t.Errorf("found in %.4f of passages and %.4f of questions, want %v and %v", passages, questions, c.passage, c.oneLine)
			}
		})
	}
}

func share(items []item, lang string, text func(item) string) float64 {
	found := 0
	wrong := map[string]int{}
	for _, x := range items {
		if got := analyze.Detect(text(x)); got == lang {
			found++
		} else {
			wrong[got]++
		}
	}
	return float64(found) / float64(len(items))
}

type item struct {
	ID    string `json:"_id"`
	Title string `json:"title"`
	Text  string `json:"text"`
}

type judgedSet struct {
	docs, queries []item
	judged        map[string]map[string]float64
}

func readSet(t testing.TB, name string) judgedSet {
	t.Helper()
	dir := evaldata.Dir(t, name)
	s := judgedSet{judged: map[string]map[string]float64{}}
	s.docs = readItems(t, filepath.Join(dir, "corpus.jsonl.gz"))
	s.queries = readItems(t, filepath.Join(dir, "queries.jsonl.gz"))
	data, err := os.ReadFile(filepath.Join(dir, "qrels.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		f := strings.Fields(line)
		if len(f) != 3 || f[0] == "query-id" {
			continue
		}
		if s.judged[f[0]] == nil {
			s.judged[f[0]] = map[string]float64{}
		}
		s.judged[f[0]][f[1]] = btof(f[2] != "0")
	}
	return s
}

func btof(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func readItems(t testing.TB, path string) []item {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var out []item
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var x item
		if err := json.Unmarshal(lines.Bytes(), &x); err != nil {
			t.Fatal(err)
		}
		out = append(out, x)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// ndcg returns the mean over the queries that have a judgement.
func (s judgedSet) ndcg(b *brute, bm index.BM25) float64 {
	var sum float64
	n := 0
	for _, q := range s.queries {
		rel := s.judged[q.ID]
		if len(rel) == 0 {
			continue
		}
		n++
		var gain, ideal float64
		for i, id := range b.search(q.Text, bm, 10) {
			gain += rel[id] / math.Log2(float64(i+2))
		}
		for i := range min(len(rel), 10) {
			ideal += 1 / math.Log2(float64(i+2))
		}
		sum += gain / ideal
	}
	return sum / float64(n)
}

// brute is BM25F without any index but a map.
type brute struct {
	lang   string
	ids    []string
	length [2][]float64
	mean   [2]float64
	posts  map[string][]posting
}

type posting struct {
	doc int
	tf  [2]float64
}

func newBrute(s judgedSet, lang string, oneField bool) *brute {
	b := &brute{lang: lang, posts: map[string][]posting{}}
	for i, d := range s.docs {
		fields := [2]string{d.Title, d.Text}
		if oneField {
			fields = [2]string{"", d.Title + " " + d.Text}
		}
		b.ids = append(b.ids, d.ID)
		counts := map[string]*posting{}
		for f, text := range fields {
			terms := analyze.Terms(lang, text)
			b.length[f] = append(b.length[f], float64(len(terms)))
			b.mean[f] += float64(len(terms)) / float64(len(s.docs))
			for _, term := range terms {
				if counts[term] == nil {
					counts[term] = &posting{doc: i}
				}
				counts[term].tf[f]++
			}
		}
		for term, p := range counts {
			b.posts[term] = append(b.posts[term], *p)
		}
	}
	return b
}

func (b *brute) search(query string, bm index.BM25, k int) []string {
	scores := make([]float64, len(b.ids))
	weights := [2]float64{bm.Title, 1}
	for _, term := range analyze.Query(query, []string{b.lang}) {
		posts := b.posts[term.Forms[0].Text]
		idf := math.Log(1 + (float64(len(b.ids))-float64(len(posts))+.5)/(float64(len(posts))+.5))
		for _, p := range posts {
			var tf float64
			for f := range p.tf {
				if p.tf[f] > 0 {
					tf += weights[f] * p.tf[f] / (1 - bm.B + bm.B*b.length[f][p.doc]/b.mean[f])
				}
			}
			scores[p.doc] += term.Weight * idf * tf * (bm.K1 + 1) / (tf + bm.K1)
		}
	}
	order := make([]int, 0, len(scores))
	for i, s := range scores {
		if s > 0 {
			order = append(order, i)
		}
	}
	slices.SortFunc(order, func(x, y int) int {
		return cmp.Or(cmp.Compare(scores[y], scores[x]), cmp.Compare(b.ids[x], b.ids[y]))
	})
	var out []string
	for _, i := range order[:min(k, len(order))] {
		out = append(out, b.ids[i])
	}
	return out
}
