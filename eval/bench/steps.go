package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"ken/corpora/acl"
	"ken/embed"
	"ken/index"
	"ken/index/embedded"
	"ken/retrieval"
)

// bench is a run: the corpus, what holds it, and what was measured.
type bench struct {
	options
	pair
	figures  figures
	readers  map[string]acl.Principal
	source   *corpus
	entries  []index.Entry
	stored   []embed.Vector
	recalled []float64
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
	if b.rivals {
		if b.bleve, err = newBleve(filepath.Join(b.dir, "bleve")); err != nil {
			return err
		}
	}
	there, err := b.ken.Stats()
	if err != nil {
		return err
	}
	for b.source.made*perDoc < b.chunks {
		entries := b.source.entries(min(batch, b.chunks/perDoc-b.source.made))
		if b.rivals || there.Chunks == 0 {
			err = b.add(ctx, entries)
		} else {
			b.count(entries)
		}
		if err != nil {
			return err
		}
		if b.rivals {
			b.entries = append(b.entries, entries...)
		}
		for _, e := range entries {
			b.stored = append(b.stored, e.Vectors...)
		}
	}
	b.figures.set("chunks", float64(b.chunks))
	if b.own > 0 {
		b.report(&b.figures, "")
	}
	s, err := b.ken.Stats()
	b.figures.set("segments", float64(s.Segments))
	return err
}

// recipe measures searches as people make them. What is named without a suffix is
// what the targets are about: a tenth readable.
func (b *bench) recipe(ctx context.Context) error {
	warm, qs := queries(101, b.queries/3, .5, b.stored), queries(102, b.queries, .5, b.stored)
	for _, name := range []string{"tenth", "all", "percent", "permille"} {
		if err := b.searches(ctx, b.ken, b.readers[name], suffixOf(name), warm, qs); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func suffixOf(reader string) string {
	if reader == "tenth" {
		return ""
	}
	return reader
}

// searches measures both recipes.
func (b *bench) searches(ctx context.Context, s *embedded.Store, who acl.Principal, suffix string, warm, qs []query) error {
	full, plain, err := searchers(s, warm, qs)
	if err != nil {
		return err
	}
	short, long, err := recipes(ctx, plain, full, who, warm, qs)
	if suffix != "" {
		suffix = "_" + suffix
	}
	b.figures.latencies("hybrid"+suffix, short)
	b.figures.latencies("full"+suffix, long)
	return err
}

// recipes times each query with the one and the other, after the warm ones.
func recipes(ctx context.Context, plain, full *retrieval.Searcher, who acl.Principal, warm, qs []query) (short, long times, err error) {
	for _, q := range warm {
		if err := search(ctx, full, who, q); err != nil {
			return nil, nil, err
		}
	}
	for _, q := range qs {
		if err := short.measure(func() error { return search(ctx, plain, who, q) }); err != nil {
			return nil, nil, err
		}
	}
	for _, q := range qs {
		if err := long.measure(func() error { return search(ctx, full, who, q) }); err != nil {
			return nil, nil, err
		}
	}
	return short, long, nil
}

// words puts each query to ken and to bleve with the readers as a conjunct.
func (b *bench) words(ctx context.Context) error {
	for _, name := range []string{"tenth", "all", "permille"} {
		err := b.beside(ctx, b.pair, b.readers[name], suffixOf(name), queries(201, b.queries/3, .5, nil), queries(202, b.queries, .5, nil))
		if err != nil {
			return err
		}
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

// recall compares with the scan of all vectors, for each kind of made vector.
func (b *bench) recall(ctx context.Context) error {
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
		got, err := recall(ctx, store, b.readers["all"], queries(401, 50, kind.mean, stored), stored)
		if store != b.ken {
			err = errors.Join(err, store.Close())
		}
		if err != nil {
			return err
		}
		b.figures.set("vector_recall_at_10_mean_0."+kind.name, got)
		b.recalled = append(b.recalled, got)
	}
	return nil
}

// recall is the share of the true best ten that are found.
func recall(ctx context.Context, s *embedded.Store, who acl.Principal, qs []query, stored []embed.Vector) (float64, error) {
	found, wanted := 0, 0
	for _, q := range qs {
		hits, err := searchVector(ctx, s, who, q.vector, 10)
		if err != nil {
			return 0, err
		}
		best := naive(q.vector, stored, 10)
		found, wanted = found+recalled(hits, best), wanted+len(best)
	}
	return float64(found) / float64(wanted), nil
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
