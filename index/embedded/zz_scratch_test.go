package embedded

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/embed"
	"ken/index"
	"ken/index/analyze"
	"ken/index/embedded/flat"
	"ken/index/embedded/lexical"
)

func zzWords(r *rand.Rand, z *rand.Zipf, n int) string {
	w := make([]string, n)
	for i := range w {
		n := z.Uint64()
		w[i] = string([]byte{'a' + byte(n%26), 'a' + byte(n/26%26), 'a' + byte(n/676%26), 'a' + byte(n/17576%26), 'x'})
	}
	return strings.Join(w, " ")
}

func zzBatches(kind string, batches int) [][]index.Entry {
	r := rand.New(rand.NewPCG(1, 2))
	z := rand.NewZipf(r, 1.1, 8, 50_000)
	var texts []string
	if kind == "text" {
		f, err := os.Open(filepath.Join(os.Getenv("KEN_EVAL_DATA"), "scifact", "corpus.jsonl.gz"))
		if err != nil {
			panic(err)
		}
		g, _ := gzip.NewReader(f)
		sc := bufio.NewScanner(g)
		sc.Buffer(nil, 1<<20)
		for sc.Scan() {
			var a struct{ Text string }
			json.Unmarshal(sc.Bytes(), &a)
			texts = append(texts, a.Text)
		}
	}
	var vecs []embed.Vector
	for range 5000 {
		v := make(embed.Vector, 384)
		for i := range v {
			v[i] = float32(r.NormFloat64())
		}
		embed.Normalize(v)
		vecs = append(vecs, v)
	}
	made := 0
	text := func() string {
		if kind != "text" {
			return zzWords(r, z, 100)
		}
		w := []string{}
		n := 0
		for n < 600 {
			a := strings.Fields(texts[r.IntN(len(texts))])
			k := r.IntN(len(a))
			for _, x := range a[k:min(k+20, len(a))] {
				w = append(w, x)
				n += len(x) + 1
			}
		}
		return strings.Join(w, " ")
	}
	var out [][]index.Entry
	for range batches {
		var b []index.Entry
		for range 500 {
			d := corpora.Document{ID: corpora.DocID(fmt.Sprintf("bench/%d.md", made)), Source: "bench", Path: fmt.Sprintf("%d.md", made), Title: zzWords(r, z, 3), Language: "en", ACL: acl.Allow(acl.Group(fmt.Sprint("g", made%50)))}
			made++
			e := index.Entry{Document: d}
			at := 0
			for n := range 10 {
				t := text()
				e.Chunks = append(e.Chunks, index.Chunk{Doc: d.ID, N: n, Text: t, Span: index.Span{Start: at, End: at + len(t)}, Tokens: 200})
				e.Vectors = append(e.Vectors, vecs[(made*10+n)%len(vecs)])
				at += len(t)
			}
			b = append(b, e)
		}
		out = append(out, b)
	}
	return out
}

func BenchmarkZZ(b *testing.B) {
	for _, kind := range []string{"words", "text"} {
		batches := zzBatches(kind, 8)
		chunksOf := func(es []index.Entry) ([]chunkOf, []entry) {
			out := make([]entry, len(es))
			var chunks []chunkOf
			for i, e := range es {
				out[i].Entry = e
				out[i].head.language = "en"
				for n := range e.Chunks {
					chunks = append(chunks, chunkOf{entry: &out[i], n: n})
				}
			}
			return chunks, out
		}
		per := func(b *testing.B) { b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/5000, "µs/chunk") }
		words := analyze.NewLexicon()
		b.Run(kind+"/append", func(b *testing.B) {
			i := 0
			var out []uint32
			for b.Loop() {
				for _, e := range batches[i%len(batches)] {
					for _, c := range e.Chunks {
						out = words.Append(out[:0], "en", c.Text)
					}
				}
				i++
			}
			per(b)
		})
		s := &Store{}
		b.Run(kind+"/invert", func(b *testing.B) {
			i := 0
			for b.Loop() {
				c, _ := chunksOf(batches[i%len(batches)])
				for h := range 2 {
					if _, err := s.invert(context.Background(), c[h*2500:(h+1)*2500]); err != nil {
						b.Fatal(err)
					}
				}
				i++
			}
			per(b)
		})
		b.Run(kind+"/build", func(b *testing.B) {
			c, _ := chunksOf(batches[0])
			x, _ := s.invert(context.Background(), c[:2500])
			y, _ := s.invert(context.Background(), c[2500:])
			ords := make([]uint32, 5000)
			for i := range ords {
				ords[i] = uint32(i)
			}
			for b.Loop() {
				d, err := lexical.Build(ords, x, y)
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(len(d)), "bytes")
			}
			per(b)
		})
		if kind == "words" {
			ords := make([]uint32, 5000)
			for i := range ords {
				ords[i] = uint32(i)
			}
			c, _ := chunksOf(batches[0])
			codes := make([]flat.Code, 5000)
			b.Run("codes", func(b *testing.B) {
				for b.Loop() {
					encodeVectors(context.Background(), c, codes)
				}
				per(b)
			})
			dir := b.TempDir()
			d, _ := zzDir(dir)
			b.Run("vecfile", func(b *testing.B) {
				for b.Loop() {
					zzVec(b, d, dir, ords, c, codes)
				}
				per(b)
			})
		}
	}
}
