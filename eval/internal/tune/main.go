package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"ken/corpora"
	"ken/corpora/extract"
	"ken/embed/hashed"
	"ken/eval"
	"ken/index/embedded"
	"ken/index/ingest"
	"ken/retrieval"
)

type keep struct{ eval.Index }

func (keep) Close() error { return nil }

func build(ctx context.Context, src corpora.Source) eval.Index {
	e, _ := hashed.New(hashed.Options{})
	dir, _ := os.MkdirTemp("", "x")
	st, err := embedded.Open(dir, embedded.Options{})
	if err != nil {
		panic(err)
	}
	sum, err := ingest.Run(ctx, ingest.Options{Store: st, Embedder: e, Extract: extract.Default()}, src)
	if err != nil {
		panic(err)
	}
	fmt.Printf("%+v\n", sum)
	return st
}

// tune SETS(comma) "mode:param,param" ...
func main() {
	root := os.Getenv("KEN_EVAL_DATA")
	ctx := context.Background()
	for _, name := range strings.Split(os.Args[1], ",") {
		dir := filepath.Join(root, name)
		if strings.HasSuffix(name, "@train") {
			dir = filepath.Join(root, strings.TrimSuffix(name, "@train"))
			tmp, _ := os.MkdirTemp("", "tr")
			for _, f := range []string{"corpus.jsonl.gz", "queries.jsonl.gz"} {
				os.Symlink(filepath.Join(dir, f), filepath.Join(tmp, f))
			}
			os.Symlink(filepath.Join(dir, "qrels.train.tsv"), filepath.Join(tmp, "qrels.tsv"))
			dir = tmp
		}
		set, err := eval.Load(dir)
		if err != nil {
			panic(err)
		}
		idx := build(ctx, set.Source)
		for _, conf := range os.Args[2:] {
			p := retrieval.DefaultParams()
			mode, rest, _ := strings.Cut(conf, ":")
			for _, a := range strings.Split(rest, ",") {
				if a == "" {
					continue
				}
				if err := p.Set(a); err != nil {
					panic(err)
				}
			}
			e, _ := hashed.New(hashed.Options{})
			t := time.Now()
			rep, err := eval.Run(ctx, eval.Options{Set: set, Mode: retrieval.Mode(mode), Retrieval: retrieval.Options{Params: p, Embedder: e},
				Build: func(context.Context, string, corpora.Source) (eval.Index, error) { return keep{idx}, nil }})
			if err != nil {
				panic(err)
			}
			show := func(who string, m eval.Metrics, q, leaks int, l eval.Latency) {
				fmt.Printf("%-14s %-40s %-18s n %4d ndcg %.4f r100 %.4f hit1 %.4f hit3 %.4f mrr %.4f ans %.3f leaks %d p50 %.2f p95 %.2f\n", name, conf, who, q, m["ndcg@10"], m["recall@100"], m["hit@1"], m["hit@3"], m["mrr@10"], m["answer_in_context"], leaks, l.P50, l.P95)
			}
			show(fmt.Sprintf("all %.0fs", time.Since(t).Seconds()), rep.Metrics, rep.Queries, rep.Leaks, rep.LatencyMS)
			for _, pr := range rep.Personas {
				show(pr.Name, pr.Metrics, pr.Queries, pr.Leaks, pr.LatencyMS)
			}
			fmt.Print(strings.Join(rep.Notes, "\n"))
			if len(rep.Degraded) > 0 {
				fmt.Println(rep.Degraded)
			}
		}
	}
}
