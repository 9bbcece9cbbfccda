package embedded_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/index"
	"ken/index/analyze"
	"ken/index/embedded"
)

// quantile returns the q-th part of the durations in milliseconds.
func quantile(all []time.Duration, q float64) float64 {
	slices.Sort(all)
	return float64(all[min(len(all)-1, int(q*float64(len(all))))].Microseconds()) / 1000
}

// BenchmarkRevoke revokes and grants among 100,000 documents, on the disk, each
// change acknowledged before the next. Documents share lists, or have one each.
func BenchmarkRevoke(b *testing.B) {
	const documents = 100_000
	for _, lists := range []int{1_000, documents} {
		b.Run(fmt.Sprintf("%d lists", lists), func(b *testing.B) {
			s := open(b, b.TempDir(), embedded.Options{})
			b.Cleanup(func() { _ = s.Close() })
			id := func(n int) corpora.DocID { return corpora.DocID(fmt.Sprintf("wiki/%d.md", n)) }
			var batch []index.Entry
			for n := range documents {
				text := fmt.Sprintf("document %d", n)
				batch = append(batch, index.Entry{
					Document: corpora.Document{ID: id(n), Source: "wiki", Language: "en", ACL: acl.Allow(acl.Group(fmt.Sprint(n % lists)))},
					Chunks:   []index.Chunk{{Doc: id(n), Text: text, Span: index.Span{End: len(text)}}},
				})
				if len(batch) == 5_000 {
					if err := s.Replace(b.Context(), batch...); err != nil {
						b.Fatal(err)
					}
					batch = nil
				}
			}
			var took []time.Duration
			n := 0
			for b.Loop() {
				at := (n * 7919) % documents
				l := acl.NewList(acl.Grants(acl.Group(fmt.Sprint(at%lists))), acl.Grants("user:ann"))
				if n%2 == 1 {
					l = acl.Allow(acl.Group(fmt.Sprint(at % lists)))
				}
				n++
				begun := time.Now()
				if err := s.SetACL(b.Context(), id(at), l); err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(begun))
			}
			b.ReportMetric(quantile(took, .5), "p50-ms")
			b.ReportMetric(quantile(took, .99), "p99-ms")
		})
	}
}

// BenchmarkPromise searches 100,000 chunks as somebody who may read all of them
// and as people who may read a part, in turn, by words and by vector with a view
// of its own for each search. What permissions cost is the quotient.
func BenchmarkPromise(b *testing.B) {
	s := filled(b, "bench", embedded.Options{FS: vfs.NewMem()}, 100_000)
	people := map[string]acl.Principal{"all": acl.NewPrincipal("group:all"), "90 %": acl.NewPrincipal("group:most"), "10 %": acl.NewPrincipal("group:some")}
	for n := range 10_000 {
		l := acl.Allow("group:all", "group:most")
		if n%10 == 0 {
			l = acl.Allow("group:all", "group:some")
		}
		if err := s.SetACL(b.Context(), corpora.DocID(fmt.Sprintf("bench/%d.md", n)), l); err != nil {
			b.Fatal(err)
		}
	}
	names := []string{"all", "90 %", "10 %"}
	took := map[string][]time.Duration{}
	c := newCorpus()
	for b.Loop() {
		words := []string{c.word(), c.word(), c.word(), c.word()}
		q := index.TextQuery{Terms: analyze.Query(strings.Join(words, " "), []string{"en"}), BM25: index.BM25{K1: 1.2, B: .75, Title: 3}}
		vector := c.vector()
		for _, name := range names {
			begun := time.Now()
			v, err := s.View(b.Context(), people[name], noon)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := v.SearchText(b.Context(), q, 200); err != nil {
				b.Fatal(err)
			}
			if _, err := v.SearchVector(b.Context(), vector, index.Filter{}, 200); err != nil {
				b.Fatal(err)
			}
			if err := v.Close(); err != nil {
				b.Fatal(err)
			}
			took[name] = append(took[name], time.Since(begun))
		}
	}
	for _, name := range names {
		label := strings.ReplaceAll(name, " %", "pct")
		b.ReportMetric(quantile(took[name], .5), label+"-p50-ms")
		b.ReportMetric(quantile(took[name], .99), label+"-p99-ms")
	}
}
