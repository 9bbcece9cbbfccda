package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"ken/corpora/acl"
	"ken/embed"
	"ken/index"
	"ken/index/analyze"
	"ken/index/embedded"
	"ken/retrieval"
)

var model = embed.Model{Name: benchName, Hash: benchName, Dim: dim, Fuse: .1}

// batch is how many documents are written at once.
const batch = 500

// newKen opens the store in a folder, which may have one of an earlier run.
func newKen(ctx context.Context, dir string) (*embedded.Store, error) {
	s, err := embedded.Open(dir, embedded.Options{Process: benchName})
	if err != nil || s.ModelFor(acl.Principal{}) == model {
		return s, err
	}
	return s, s.Reembed(ctx, model, func(context.Context, []index.Chunk) ([]embed.Vector, error) { return nil, nil })
}

// known is an embedder of queries whose vectors were made before.
type known map[string]embed.Vector

func (k known) Model() embed.Model { return model }

func (k known) Embed(_ context.Context, _ embed.Kind, texts []string) ([]embed.Vector, error) {
	out := make([]embed.Vector, len(texts))
	for i, t := range texts {
		v, ok := k[t]
		if !ok {
			return nil, fmt.Errorf("no vector of %q", t)
		}
		out[i] = v
	}
	return out, nil
}

// searchers returns the full recipe and the one without feedback and 4-grams.
func searchers(s *embedded.Store, all ...[]query) (full, plain *retrieval.Searcher, err error) {
	vectors := known{}
	for _, qs := range all {
		for _, q := range qs {
			vectors[q.text] = q.vector
		}
	}
	clock := func() time.Time { return noon }
	if full, err = retrieval.New(s, retrieval.Options{Embedder: vectors, Clock: clock}); err != nil {
		return nil, nil, err
	}
	p := retrieval.DefaultParams()
	p.FeedbackChunks, p.GramWeight = 0, 0
	plain, err = retrieval.New(s, retrieval.Options{Embedder: vectors, Clock: clock, Params: p})
	return full, plain, err
}

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

func search(ctx context.Context, s *retrieval.Searcher, p acl.Principal, q query) error {
	_, err := s.Search(ctx, p, retrieval.Request{Query: q.text})
	return err
}

func searchText(ctx context.Context, s *embedded.Store, p acl.Principal, text string, k int) error {
	v, err := s.View(ctx, p, noon)
	if err != nil {
		return err
	}
	defer v.Close()
	q := index.TextQuery{Terms: analyze.Query(text, v.Languages()), BM25: index.BM25{K1: 1.2, B: .75, Title: 3}}
	_, err = v.SearchText(ctx, q, k)
	return err
}

func searchVector(ctx context.Context, s *embedded.Store, p acl.Principal, q embed.Vector, k int) ([]index.Hit, error) {
	v, err := s.View(ctx, p, noon)
	if err != nil {
		return nil, err
	}
	defer v.Close()
	return v.SearchVector(ctx, q, index.Filter{}, k)
}

// throughput returns searches per second of n callers.
func throughput(ctx context.Context, s *retrieval.Searcher, p acl.Principal, qs []query, n int, d time.Duration) (float64, error) {
	var callers sync.WaitGroup
	counts, errs := make([]int, n), make([]error, n)
	begin := time.Now()
	for c := range n {
		callers.Go(func() {
			for i := c; time.Since(begin) < d && errs[c] == nil; i += n {
				errs[c] = search(ctx, s, p, qs[i%len(qs)])
				counts[c]++
			}
		})
	}
	callers.Wait()
	total := 0
	for c := range n {
		if errs[c] != nil {
			return 0, errs[c]
		}
		total += counts[c]
	}
	return float64(total) / time.Since(begin).Seconds(), nil
}

// resident returns the anonymous and the file-backed memory of the process, in MiB;
// ok is false where the system does not tell.
func resident() (anonymous, files float64, ok bool) {
	data, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, 0, false
	}
	for line := range strings.Lines(string(data)) {
		name, rest, _ := strings.Cut(line, ":")
		kib, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 64)
		switch {
		case err != nil:
		case name == "RssAnon":
			anonymous, ok = kib/1024, true
		case name == "RssFile":
			files = kib / 1024
		}
	}
	return anonymous, files, ok
}
