package hashed_test

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ken/embed"
	"ken/embed/hashed"
	"ken/eval/evaldata"
)

// The figures are those of the version in use, by exact search. Weights were
// chosen on scifact's training queries; its test queries are reported.
func TestQualityAlone(t *testing.T) {
	for _, test := range []struct {
		set, qrels string
		dim        int
		atLeast    float64 // nDCG@10
	}{
		{"scifact", "qrels.train.tsv", 384, .487},
		{"scifact", "qrels.tsv", 384, .483},
		{"scifact", "qrels.tsv", 1024, .538},
		{"xquad/en", "qrels.tsv", 384, .859},
		{"xquad/de", "qrels.tsv", 384, .791},
		{"xquad/zh", "qrels.tsv", 384, .751},
		{"xquad/th", "qrels.tsv", 384, .802},
		{"limit-small", "qrels.tsv", 384, .753},
	} {
		set := readSet(t, evaldata.Dir(t, test.set), test.qrels)
		got := set.ndcg(t, open(t, test.dim))
		t.Logf("%s %s, %d dimensions: nDCG@10 %.4f over %d queries", test.set, test.qrels, test.dim, got, len(set.queries))
		if got < test.atLeast {
			t.Errorf("%s %s: nDCG@10 %.4f, want at least %.3f", test.set, test.qrels, got, test.atLeast)
		}
	}
}

type record struct {
	ID    string `json:"_id"`
	Title string `json:"title"`
	Text  string `json:"text"`
}

type set struct {
	docs, queries []record // judged queries only
	relevant      map[string]map[string]bool
}

func readSet(t *testing.T, dir, qrels string) set {
	t.Helper()
	s := set{docs: readRecords(t, filepath.Join(dir, "corpus.jsonl.gz")), relevant: map[string]map[string]bool{}}
	data, err := os.ReadFile(filepath.Join(dir, qrels))
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(strings.TrimSpace(string(data)), "\n") {
		f := strings.Split(strings.TrimSpace(line), "\t")
		if i == 0 || f[2] == "0" {
			continue
		}
		if s.relevant[f[0]] == nil {
			s.relevant[f[0]] = map[string]bool{}
		}
		s.relevant[f[0]][f[1]] = true
	}
	s.queries = slices.DeleteFunc(readRecords(t, filepath.Join(dir, "queries.jsonl.gz")), func(q record) bool {
		return s.relevant[q.ID] == nil
	})
	return s
}

func readRecords(t *testing.T, path string) []record {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	var out []record
	for d := json.NewDecoder(bufio.NewReader(unzipped)); d.More(); {
		var r record
		if err := d.Decode(&r); err != nil {
			t.Fatal(err)
		}
		out = append(out, r)
	}
	return out
}

// ndcg ranks every document for every query by cosine.
func (s set) ndcg(t *testing.T, e *hashed.Embedder) float64 {
	t.Helper()
	docs := make([]string, len(s.docs))
	for i, d := range s.docs {
		docs[i] = d.Title + "\n" + d.Text
	}
	vs := vectors(t, e, docs...)
	var sum float64
	for _, q := range s.queries {
		sum += s.ndcgOf(q.ID, best(vectors(t, e, q.Text)[0], vs, 10))
	}
	return sum / float64(len(s.queries))
}

func (s set) ndcgOf(query string, ranked []int) float64 {
	var got, ideal float64
	for rank, i := range ranked {
		if s.relevant[query][s.docs[i].ID] {
			got += 1 / math.Log2(float64(rank)+2)
		}
	}
	for rank := range min(len(ranked), len(s.relevant[query])) {
		ideal += 1 / math.Log2(float64(rank)+2)
	}
	return got / ideal
}

// best returns the places of the k nearest vectors, nearest first.
func best(q embed.Vector, vs []embed.Vector, k int) []int {
	scores := make([]float64, len(vs))
	order := make([]int, len(vs))
	for i, v := range vs {
		order[i], scores[i] = i, cosine(q, v)
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case scores[a] > scores[b]:
			return -1
		case scores[a] < scores[b]:
			return 1
		}
		return 0
	})
	return order[:min(k, len(order))]
}

// BenchmarkEmbed embeds a chunk of 1.5 kB in which most words are new, as in prose.
func BenchmarkEmbed(b *testing.B) {
	for _, test := range []struct{ name, letters string }{
		{"ASCII", "etaoinshrdlucmfwypvbgk"},
		{"accents", "etaoinshrdlücmfwäpvéö"},
		{"Cyrillic", "оеаинтсрвлкмдпуяызьбг"},
		{"Chinese", "的一是了我不人在他有这个上们来到时大地为子中你说生国年着就那和要"},
	} {
		text := prose([]rune(test.letters), 1500)
		b.Run(test.name, func(b *testing.B) {
			e := open(b, 0)
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				vectors(b, e, text)
			}
		})
	}
}

func prose(letters []rune, size int) string {
	random := rand.New(rand.NewPCG(1, 2))
	var b strings.Builder
	for b.Len() < size {
		for range 1 + random.IntN(9) {
			b.WriteRune(letters[int(float64(len(letters))*random.Float64()*random.Float64())])
		}
		b.WriteByte(' ')
	}
	return b.String()
}
