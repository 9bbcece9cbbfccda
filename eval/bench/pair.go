package main

import (
	"context"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"ken/corpora/acl"
	"ken/index"
	"ken/index/embedded"
)

// pair is ken and bleve, which are given the same.
type pair struct {
	ken        *embedded.Store
	bleve      bleveIndex
	written    int           // chunks
	bytes      int           // of their texts
	own, other time.Duration // that writing took
}

// add writes the same documents to both, in turn.
func (p *pair) add(ctx context.Context, entries []index.Entry) error {
	begin := time.Now()
	if err := p.ken.Replace(ctx, entries...); err != nil {
		return err
	}
	p.own += time.Since(begin)
	p.count(entries)
	if p.bleve.Index == nil {
		return nil
	}
	begin = time.Now()
	err := p.bleve.add(entries)
	p.other += time.Since(begin)
	return err
}

// count notes what the documents add to what is there.
func (p *pair) count(entries []index.Entry) {
	for _, e := range entries {
		for _, c := range e.Chunks {
			p.bytes += len(c.Text)
		}
		p.written += len(e.Chunks)
	}
}

func (p *pair) report(f *figures, prefix string) {
	f.set(prefix+"ingest_chunks_per_s", rate(p.written, p.own))
	if p.other > 0 {
		f.set(prefix+"bleve_ingest_chunks_per_s", rate(p.written, p.other))
		f.ratio(prefix+"ingest_vs_bleve", float64(p.other), float64(p.own))
	}
}

// sizes sets how large the files of a closed store are, in relation to what they hold.
func sizes(f *figures, prefix, dir string, text, chunks int) error {
	var truth, lexical, vectors int64
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		switch filepath.Ext(path) {
		case ".vec":
			vectors += info.Size()
		case ".lex":
			lexical += info.Size()
		default:
			if strings.Contains(path, "truth") {
				truth += info.Size()
			}
		}
		return nil
	})
	f.set(prefix+"text_mib", float64(text)/(1<<20))
	f.set(prefix+"truth_mib", float64(truth)/(1<<20))
	f.set(prefix+"lexical_mib", float64(lexical)/(1<<20))
	f.set(prefix+"vectors_mib", float64(vectors)/(1<<20))
	f.set(prefix+"text_and_lexical_vs_text", float64(truth+lexical)/float64(text))
	f.set(prefix+"vectors_vs_float32", float64(vectors)/float64(chunks*dim*4))
	return err
}

// beside puts each query to ken and to bleve with the readers as a conjunct.
func (b *bench) beside(ctx context.Context, p pair, who acl.Principal, suffix string, warm, qs []query) error {
	const k = 10
	var held []string
	for _, s := range who.Subjects() {
		held = append(held, string(s))
	}
	var own, other times
	for i, q := range append(warm[:len(warm):len(warm)], qs...) {
		var a, c times
		if err := a.measure(func() error { return searchText(ctx, p.ken, who, q.text, k) }); err != nil {
			return err
		}
		if err := c.measure(func() error { return p.bleve.search(ctx, q.text, held, k) }); err != nil {
			return err
		}
		if i >= len(warm) {
			own, other = append(own, a...), append(other, c...)
		}
	}
	if suffix != "" {
		suffix = "_" + suffix
	}
	b.figures.latencies("lexical_acl"+suffix, own)
	b.figures.latencies("bleve_acl"+suffix, other)
	b.figures.ratio("lexical_acl_vs_bleve_p50"+suffix, other.percentile(50), own.percentile(50))
	b.figures.ratio("lexical_acl_vs_bleve_p99"+suffix, other.percentile(99), own.percentile(99))
	return nil
}
