package embedded_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/embed"
	"ken/index"
	"ken/index/analyze"
	"ken/index/embedded"
)

const benchDim = 384

// corpus makes documents of ten chunks of a hundred words. Words follow Zipf's
// law, as in real text. One document in ten is for group:few alone.
type corpus struct {
	random *rand.Rand
	zipf   *rand.Zipf
	made   int
}

func newCorpus() *corpus {
	r := rand.New(rand.NewPCG(1, 2))
	return &corpus{random: r, zipf: rand.NewZipf(r, 1.1, 8, 50_000)}
}

func (c *corpus) word() string {
	n := c.zipf.Uint64()
	return string([]byte{'a' + byte(n%26), 'a' + byte(n/26%26), 'a' + byte(n/676%26), 'a' + byte(n/17576%26), 'x'})
}

func (c *corpus) vector() embed.Vector {
	v := make(embed.Vector, benchDim)
	for i := range v {
		v[i] = float32(c.random.NormFloat64())
	}
	embed.Normalize(v)
	return v
}

func (c *corpus) entry() index.Entry {
	d := corpora.Document{ID: corpora.DocID(fmt.Sprintf("bench/%d.md", c.made)), Source: "bench", Path: fmt.Sprintf("%d.md", c.made), Title: c.word(), Language: "en"}
	d.ACL = acl.Allow(acl.Everyone)
	if c.made%10 == 0 {
		d.ACL = acl.Allow("group:few")
	}
	c.made++
	e := index.Entry{Document: d}
	at := 0
	for n := range 10 {
		words := make([]string, 100)
		for i := range words {
			words[i] = c.word()
		}
		text := strings.Join(words, " ")
		e.Chunks = append(e.Chunks, index.Chunk{Doc: d.ID, N: n, Text: text, Span: index.Span{Start: at, End: at + len(text)}, Tokens: 100})
		e.Vectors = append(e.Vectors, c.vector())
		at += len(text)
	}
	return e
}

func (c *corpus) entries(n int) []index.Entry {
	out := make([]index.Entry, n)
	for i := range out {
		out[i] = c.entry()
	}
	return out
}

func noVectors(context.Context, []index.Chunk) ([]embed.Vector, error) { return nil, nil }

// filled returns a store with the number of chunks, written 100 documents at a time.
func filled(b *testing.B, dir string, o embedded.Options, chunks int) *reopened {
	b.Helper()
	s := open(b, dir, o)
	if err := s.Reembed(b.Context(), embed.Model{Name: "bench", Hash: "bench", Dim: benchDim}, noVectors); err != nil {
		b.Fatal(err)
	}
	c := newCorpus()
	for c.made < chunks/10 {
		if err := s.Replace(b.Context(), c.entries(min(100, chunks/10-c.made))...); err != nil {
			b.Fatal(err)
		}
	}
	b.Cleanup(func() { _ = s.Close() })
	return s
}

func BenchmarkSearch(b *testing.B) {
	for _, chunks := range []int{10_000, 100_000} {
		b.Run(fmt.Sprint(chunks), func(b *testing.B) {
			s := filled(b, "bench", embedded.Options{FS: vfs.NewMem()}, chunks)
			for name, who := range map[string]acl.Principal{"most": acl.NewPrincipal(), "all": acl.NewPrincipal("group:few")} {
				v, err := s.View(b.Context(), who, noon)
				if err != nil {
					b.Fatal(err)
				}
				b.Run("Text/"+name, func(b *testing.B) { benchText(b, v) })
				b.Run("Vector/"+name, func(b *testing.B) { benchVector(b, v) })
				if err := v.Close(); err != nil {
					b.Fatal(err)
				}
			}
			b.Run("View", func(b *testing.B) { benchView(b, s) })
		})
	}
}

// benchText asks for six words, common and rare ones.
func benchText(b *testing.B, v index.View) {
	c := newCorpus()
	for b.Loop() {
		words := []string{c.word(), c.word(), c.word(), c.word(), c.word(), c.word()}
		q := index.TextQuery{Terms: analyze.Query(strings.Join(words, " "), []string{"en"}), BM25: index.BM25{K1: 1.2, B: .75, Title: 3}}
		if _, err := v.SearchText(b.Context(), q, 200); err != nil {
			b.Fatal(err)
		}
	}
}

func benchVector(b *testing.B, v index.View) {
	q := newCorpus().vector()
	for b.Loop() {
		if _, err := v.SearchVector(b.Context(), q, index.Filter{}, 200); err != nil {
			b.Fatal(err)
		}
	}
}

// benchView opens views of a principal that was not seen before.
func benchView(b *testing.B, s *reopened) {
	n := 0
	for b.Loop() {
		n++
		v, err := s.View(b.Context(), acl.NewPrincipal(acl.User(fmt.Sprint(n))), noon)
		if err != nil {
			b.Fatal(err)
		}
		if err := v.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkReplace writes 100 documents of ten chunks per operation, to the disk.
func BenchmarkReplace(b *testing.B) {
	s := filled(b, b.TempDir(), embedded.Options{}, 0)
	c := newCorpus()
	chunks := 0
	for b.Loop() {
		b.StopTimer()
		entries := c.entries(100)
		b.StartTimer()
		if err := s.Replace(b.Context(), entries...); err != nil {
			b.Fatal(err)
		}
		chunks += 1000
	}
	b.ReportMetric(float64(chunks)/b.Elapsed().Seconds(), "chunks/s")
}

// BenchmarkSetACL takes rights away and gives them back in a store on disk of
// 100,000 documents with 10,000 lists, and makes a view after each.
func BenchmarkSetACL(b *testing.B) {
	const documents, groups = 100_000, 10_000
	s := open(b, b.TempDir(), embedded.Options{})
	b.Cleanup(func() { _ = s.Close() })
	group := func(i int) acl.List { return acl.Allow(acl.Subject(fmt.Sprint("group:", i%groups))) }
	var entries []index.Entry
	for i := range documents {
		id := corpora.DocID(fmt.Sprint("d", i))
		d := corpora.Document{ID: id, Source: "bench", Language: "en", ACL: group(i)}
		entries = append(entries, index.Entry{Document: d, Chunks: []index.Chunk{{Doc: id, Text: "policy", Span: index.Span{End: 6}}}})
		if len(entries) == 5000 {
			if err := s.Replace(b.Context(), entries...); err != nil {
				b.Fatal(err)
			}
			entries = nil
		}
	}
	var times []float64
	for i := 0; b.Loop(); i++ {
		l := acl.List{}
		if i%2 == 1 {
			l = group(i)
		}
		begin := time.Now()
		if err := s.SetACL(b.Context(), corpora.DocID(fmt.Sprint("d", i*7919%documents)), l); err != nil {
			b.Fatal(err)
		}
		v, err := s.View(b.Context(), acl.NewPrincipal(acl.Subject("group:7")), noon)
		if err != nil {
			b.Fatal(err)
		}
		times = append(times, float64(time.Since(begin).Microseconds())/1000)
		if err := v.Close(); err != nil {
			b.Fatal(err)
		}
	}
	slices.Sort(times)
	b.ReportMetric(times[len(times)/2], "p50-ms")
	b.ReportMetric(times[len(times)*99/100], "p99-ms")
}

// BenchmarkReplaceTogether is BenchmarkReplace by four writers at once.
func BenchmarkReplaceTogether(b *testing.B) {
	s := filled(b, b.TempDir(), embedded.Options{}, 0)
	c := newCorpus()
	var made [][]index.Entry
	for range 64 {
		made = append(made, c.entries(100))
	}
	var next atomic.Int64
	b.SetParallelism(4)
	b.ResetTimer()
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			if err := s.Replace(b.Context(), made[int(next.Add(1))%len(made)]...); err != nil {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(float64(next.Load()*1000)/b.Elapsed().Seconds(), "chunks/s")
}

func BenchmarkOpen(b *testing.B) {
	s := filled(b, b.TempDir(), embedded.Options{}, 20_000)
	for b.Loop() {
		if err := s.Reopen(); err != nil {
			b.Fatal(err)
		}
	}
}
