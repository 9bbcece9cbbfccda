package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"ken/corpora/acl"
	"ken/embed"
	"ken/index"
	"ken/index/embedded"
)

func main() {
	var o options
	flag.IntVar(&o.chunks, "chunks", 100_000, "chunks in the index")
	flag.IntVar(&o.queries, "queries", 300, "queries of each kind")
	flag.StringVar(&o.json, "json", "", "file for the figures as JSON; - is standard output")
	flag.StringVar(&o.text, "text", "-", "file for the figures as text")
	flag.StringVar(&o.html, "html", "", "file for the figures as a page")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

type options struct {
	chunks, queries  int
	json, text, html string
}

func run(ctx context.Context, o options) (err error) {
	dir, err := os.MkdirTemp("", "ken-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	b := &bench{options: o, dir: dir, readers: readers(), source: newCorpus(1, .5)}
	for _, step := range []struct {
		name string
		run  func(context.Context) error
	}{
		{"ingest", b.ingest}, {"recipe", b.recipe}, {"memory", b.memory}, {"words", b.words}, {"vectors", b.vectors},
		{"recall", b.recall}, {"callers", b.callers}, {"writes", b.writes}, {"open", b.open},
	} {
		begin := time.Now()
		if err := step.run(ctx); err != nil {
			return errors.Join(fmt.Errorf("%s: %w", step.name, err), b.close())
		}
		fmt.Fprintf(os.Stderr, "%-8s %6.1f s\n", step.name, time.Since(begin).Seconds())
	}
	return errors.Join(b.close(), write(o.json, b.figures.json), write(o.text, b.figures.text), write(o.html, b.figures.html))
}

// bench is a run: the corpus, what holds it, and what was measured.
type bench struct {
	options
	figures figures
	dir     string
	readers map[string]acl.Principal
	source  *corpus
	entries []index.Entry
	stored  []embed.Vector
	ken     *embedded.Store
	bleve   bleveIndex
}

func (b *bench) close() (err error) {
	if b.ken != nil {
		err = b.ken.Close()
	}
	if b.bleve.Index != nil {
		err = errors.Join(err, b.bleve.Close())
	}
	return err
}

// ingest writes the same documents to both, in turn, batch by batch.
func (b *bench) ingest(ctx context.Context) (err error) {
	if b.ken, err = newKen(ctx, filepath.Join(b.dir, "ken")); err != nil {
		return err
	}
	if b.bleve, err = newBleve(filepath.Join(b.dir, "bleve")); err != nil {
		return err
	}
	var own, other time.Duration
	for b.source.made*perDoc < b.chunks {
		first := b.source.made
		entries := b.source.entries(min(batch, b.chunks/perDoc-first))
		begin := time.Now()
		if err := b.ken.Replace(ctx, entries...); err != nil {
			return err
		}
		middle := time.Now()
		if err := b.bleve.add(entries, first); err != nil {
			return err
		}
		own, other = own+middle.Sub(begin), other+time.Since(middle)
		b.entries = append(b.entries, entries...)
	}
	for _, e := range b.entries {
		b.stored = append(b.stored, e.Vectors...)
	}
	b.figures.set("chunks", float64(b.chunks))
	b.figures.set("ingest_chunks_per_s", rate(b.chunks, own))
	b.figures.set("bleve_ingest_chunks_per_s", rate(b.chunks, other))
	b.figures.ratio("ingest_vs_bleve", float64(other), float64(own))
	return nil
}

// recipe measures searches as people make them, with a tenth readable.
func (b *bench) recipe(ctx context.Context) error {
	warm, qs := queries(101, b.queries/3, .5, b.stored), queries(102, b.queries, .5, b.stored)
	full, plain, err := searchers(b.ken, warm, qs)
	if err != nil {
		return err
	}
	for name, p := range b.readers {
		for _, q := range warm {
			if err := search(ctx, full, p, q); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	for _, name := range []string{"tenth", "all", "percent", "permille"} {
		var short, long times
		for _, q := range qs {
			if err := short.measure(func() error { return search(ctx, plain, b.readers[name], q) }); err != nil {
				return err
			}
			if err := long.measure(func() error { return search(ctx, full, b.readers[name], q) }); err != nil {
				return err
			}
		}
		suffix := "_" + name
		if name == "tenth" { // what the targets are about
			suffix = ""
		}
		b.figures.latencies("hybrid"+suffix, short)
		b.figures.latencies("full"+suffix, long)
	}
	return nil
}

func (b *bench) memory(context.Context) error {
	if anonymous, files, ok := resident(); ok {
		b.figures.set("rss_anon_mib_with_rivals_and_corpus", anonymous)
		b.figures.set("rss_file_mib", files)
	}
	s, err := b.ken.Stats()
	if err != nil {
		return err
	}
	b.figures.set("disk_mib", float64(s.Bytes)/(1<<20))
	b.figures.set("segments", float64(s.Segments))
	return nil
}

// words puts each query to ken and to bleve with the readers as a conjunct.
func (b *bench) words(ctx context.Context) error {
	const k = 10
	for _, name := range []string{"tenth", "all", "permille"} {
		p := b.readers[name]
		var held []string
		for _, s := range p.Subjects() {
			held = append(held, string(s))
		}
		var own, other times
		for i, q := range append(queries(201, b.queries/3, .5, nil), queries(202, b.queries, .5, nil)...) {
			var a, c times
			if err := a.measure(func() error { return searchText(ctx, b.ken, p, q.text, k) }); err != nil {
				return err
			}
			if err := c.measure(func() error { return b.bleve.search(ctx, q.text, held, k) }); err != nil {
				return err
			}
			if i >= b.queries/3 {
				own, other = append(own, a...), append(other, c...)
			}
		}
		suffix := "_" + name
		if name == "tenth" {
			suffix = ""
		}
		b.figures.latencies("lexical_acl"+suffix, own)
		b.figures.latencies("bleve_acl"+suffix, other)
		b.figures.ratio("lexical_acl_vs_bleve_p50"+suffix, other.percentile(50), own.percentile(50))
		b.figures.ratio("lexical_acl_vs_bleve_p99"+suffix, other.percentile(99), own.percentile(99))
	}
	return nil
}

// vectors puts each query to ken, to chromem-go and to a scan of all vectors.
func (b *bench) vectors(ctx context.Context) error {
	const k = 10
	rival, err := newChromem(ctx, b.entries)
	if err != nil {
		return err
	}
	for _, c := range []struct {
		reader, name string
		where        map[string]string
	}{{"all", "vector", nil}, {"permille", "vector_permille", map[string]string{"rare": "true"}}} {
		var own, other, scan times
		p := b.readers[c.reader]
		for i, q := range queries(301, max(20, b.queries/5), .5, b.stored) {
			var x, y, z times
			if err := x.measure(func() error { _, err := searchVector(ctx, b.ken, p, q.vector, k); return err }); err != nil {
				return err
			}
			if err := y.measure(func() error { _, err := rival.QueryEmbedding(ctx, q.vector, k, c.where, nil); return err }); err != nil {
				return err
			}
			if i >= 3 {
				own, other = append(own, x...), append(other, y...)
			}
			if c.where == nil && i%5 == 0 {
				if err := z.measure(func() error { naive(q.vector, b.stored, k); return nil }); err != nil {
					return err
				}
				scan = append(scan, z...)
			}
		}
		b.figures.latencies(c.name, own)
		b.figures.latencies("chromem_"+c.name, other)
		b.figures.ratio(c.name+"_vs_chromem_p50", other.percentile(50), own.percentile(50))
		if c.where == nil {
			b.figures.latencies("naive_vector", scan)
			b.figures.ratio("vector_vs_naive_p50", scan.percentile(50), own.percentile(50))
		}
	}
	return nil
}

// recall compares with the scan of all vectors, for each kind of vector.
func (b *bench) recall(ctx context.Context) error {
	least := 1.0
	for _, kind := range []struct {
		name string
		mean float64
	}{{"0", 0}, {"5", .5}, {"8", .8}} {
		store, stored := b.ken, b.stored
		if kind.mean != b.source.mean {
			var err error
			if store, stored, err = b.vectorStore(ctx, kind.mean); err != nil {
				return err
			}
		}
		found, wanted := 0, 0
		for _, q := range queries(401, 50, kind.mean, stored) {
			hits, err := searchVector(ctx, store, b.readers["all"], q.vector, 10)
			if err != nil {
				return err
			}
			best := naive(q.vector, stored, 10)
			found, wanted = found+recalled(hits, best), wanted+len(best)
		}
		if store != b.ken {
			if err := store.Close(); err != nil {
				return err
			}
		}
		b.figures.set("vector_recall_at_10_mean_0."+kind.name, float64(found)/float64(wanted))
		least = min(least, float64(found)/float64(wanted))
	}
	b.figures.set("vector_recall_at_10", least)
	return nil
}

// vectorStore makes a store of vectors of the mean cosine, with little text.
func (b *bench) vectorStore(ctx context.Context, mean float64) (*embedded.Store, []embed.Vector, error) {
	s, err := newKen(ctx, filepath.Join(b.dir, fmt.Sprint("vectors", mean)))
	if err != nil {
		return nil, nil, err
	}
	c := newCorpus(9, mean)
	var stored []embed.Vector
	for n := 0; n*perDoc < b.chunks; {
		var entries []index.Entry
		for range min(batch, b.chunks/perDoc-n) {
			e := index.Entry{Document: b.entries[n].Document}
			for i := range perDoc {
				e.Chunks = append(e.Chunks, index.Chunk{Doc: e.Document.ID, N: i, Text: "x", Span: index.Span{Start: i, End: i + 1}, Tokens: 1})
				e.Vectors = append(e.Vectors, c.vector())
			}
			stored = append(stored, e.Vectors...)
			entries = append(entries, e)
			n++
		}
		if err := s.Replace(ctx, entries...); err != nil {
			return nil, nil, errors.Join(err, s.Close())
		}
	}
	return s, stored, nil
}

// callers measures searches per second of several callers.
func (b *bench) callers(ctx context.Context) error {
	qs := queries(501, 200, .5, b.stored)
	full, _, err := searchers(b.ken, qs)
	if err != nil {
		return err
	}
	for _, n := range []int{1, 2, 8, 64} {
		rate, err := throughput(ctx, full, b.readers["tenth"], qs, n, 2*time.Second)
		if err != nil {
			return err
		}
		b.figures.set(fmt.Sprintf("full_per_s_%d_callers", n), rate)
	}
	return nil
}

// writes measures searches while documents are written as fast as they can be.
func (b *bench) writes(ctx context.Context) error {
	qs := queries(601, b.queries, .5, b.stored)
	full, _, err := searchers(b.ken, qs)
	if err != nil {
		return err
	}
	var idle, busy times
	for _, q := range qs {
		if err := idle.measure(func() error { return search(ctx, full, b.readers["tenth"], q) }); err != nil {
			return err
		}
	}
	writing, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	entries := b.source.entries(1000)
	go func() {
		for i := 0; writing.Err() == nil; i = (i + 100) % len(entries) {
			if err := b.ken.Replace(ctx, entries[i:i+100]...); err != nil {
				ended <- err
				return
			}
		}
		ended <- nil
	}()
	for _, q := range qs {
		if err := busy.measure(func() error { return search(ctx, full, b.readers["tenth"], q) }); err != nil {
			stop()
			return errors.Join(err, <-ended)
		}
	}
	stop()
	b.figures.latencies("full_while_writing", busy)
	b.figures.ratio("while_writing_vs_idle_p99", busy.percentile(99), idle.percentile(99))
	return <-ended
}

// open measures the way from a closed store to the first answer.
func (b *bench) open(ctx context.Context) error {
	if err := b.ken.Close(); err != nil {
		return err
	}
	begin := time.Now()
	s, err := embedded.Open(filepath.Join(b.dir, "ken"), embedded.Options{Process: benchName})
	if err != nil {
		return err
	}
	b.ken = s
	b.figures.set("open_ms", ms(time.Since(begin)))
	q := queries(701, 1, .5, b.stored)
	full, _, err := searchers(s, q)
	if err != nil {
		return err
	}
	if err := search(ctx, full, b.readers["tenth"], q[0]); err != nil {
		return err
	}
	b.figures.set("open_to_answer_ms", ms(time.Since(begin)))
	return nil
}
