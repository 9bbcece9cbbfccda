// Command race measures ken beside plain RAG (package baseline) at scale: the same
// documents, embedder, people and questions, each question put to both in turn, in
// one process, from the text of the question to the packed answer.
//
//	go run ./eval/race -chunks 100000 -json race.json
//
// A document is one chunk for both, so that both hold the same chunks: about a
// hundred words that follow Zipf's law, readable by one of fifty groups. A question
// is three to five words of one document. Questions that warm caches are others
// than those that are measured. Permissions, durability and the words of a question
// are work that plain RAG does not do, or does after its search.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"os/signal"
	"strings"
	"time"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/corpora/extract"
	"ken/embed/hashed"
	"ken/eval"
	"ken/eval/baseline"
	"ken/eval/latency"
	"ken/index/embedded"
	"ken/index/ingest"
	"ken/retrieval"
)

func main() {
	var o options
	flag.IntVar(&o.chunks, "chunks", 100_000, "chunks that both hold")
	flag.IntVar(&o.questions, "questions", 200, "questions per reader")
	flag.StringVar(&o.json, "json", "", "write the figures to `FILE`")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "race:", err)
		os.Exit(1)
	}
}

type options struct {
	chunks, questions int
	json              string
}

// groups is how many groups share the documents.
const groups = 50

// documents is a source of documents that are made of a seed.
type documents struct {
	n     int
	texts []string
}

func newDocuments(n int) *documents {
	r := rand.New(rand.NewPCG(1, 2))
	zipf := rand.NewZipf(r, 1.1, 8, 50_000)
	d := &documents{n: n, texts: make([]string, n)}
	for i := range d.texts {
		words := make([]string, 80+r.IntN(40))
		for j := range words {
			words[j] = word(zipf.Uint64())
		}
		d.texts[i] = strings.Join(words, " ")
	}
	return d
}

// word spells a number in syllables.
func word(n uint64) string {
	const consonants, vowels = "bdfgklmnprstvz", "aeiou"
	var b strings.Builder
	for n++; n > 0; n /= uint64(len(consonants) * len(vowels)) {
		b.WriteByte(consonants[n%uint64(len(consonants))])
		b.WriteByte(vowels[n/uint64(len(consonants))%uint64(len(vowels))])
	}
	return b.String()
}

func (*documents) Name() string { return "race" }

func (d *documents) Changes(context.Context, corpora.Cursor) iter.Seq2[corpora.Change, error] {
	return func(yield func(corpora.Change, error) bool) {
		for i := range d.n {
			c := corpora.Change{Op: corpora.Put, ID: corpora.DocID(fmt.Sprintf("race/%06d", i)), Stamp: "1"}
			c.Load = func(context.Context) (corpora.Document, []byte, error) {
				return corpora.Document{
					ID: c.ID, Source: d.Name(), Path: fmt.Sprintf("%06d", i), Title: firstWords(d.texts[i], 3), MediaType: "text/plain",
					Language: "en", Stamp: "1", ACL: acl.Allow(group(i % groups)),
				}, []byte(d.texts[i]), nil
			}
			if !yield(c, nil) {
				return
			}
		}
		yield(corpora.Change{Op: corpora.Complete}, nil)
	}
}

func group(n int) acl.Subject { return acl.Group(fmt.Sprint("g", n)) }

func firstWords(text string, n int) string {
	return strings.Join(strings.Fields(text)[:n], " ")
}

func (d *documents) questions(seed uint64, n int) []string {
	r := rand.New(rand.NewPCG(seed, 3))
	out := make([]string, n)
	for i := range out {
		words := strings.Fields(d.texts[r.IntN(d.n)])
		var q []string
		for range 3 + i%3 {
			q = append(q, words[r.IntN(len(words))])
		}
		out[i] = strings.Join(q, " ")
	}
	return out
}

// readers are who asks, with the share of the documents that they read.
func readers() map[string]acl.Principal {
	held := func(n int) acl.Principal {
		var out []acl.Subject
		for i := range n {
			out = append(out, group(i))
		}
		return acl.NewPrincipal(out...)
	}
	return map[string]acl.Principal{"all": held(groups), "tenth": held(groups / 10)}
}

// figures is what one reader's questions took.
type figures struct {
	Ken   latency.Summary `json:"ken_ms"`
	Plain latency.Summary `json:"plain_rag_ms"`
	// Less is the share of the time of plain RAG that ken does not need.
	LessP50 float64 `json:"less_p50"`
	LessP95 float64 `json:"less_p95"`
}

func run(ctx context.Context, o options) (err error) {
	if o.chunks < 1000 || o.questions < 20 {
		return errors.New("at least 1,000 chunks and 20 questions are needed")
	}
	e, err := hashed.New(hashed.Options{})
	if err != nil {
		return err
	}
	docs := newDocuments(o.chunks)
	dir, err := os.MkdirTemp("", "ken-race-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	store, err := embedded.Open(dir, embedded.Options{Process: "race"})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	summary, err := ingest.Run(ctx, ingest.Options{Store: store, Embedder: e, Extract: extract.Default(), BatchDocuments: 2000}, docs)
	if err != nil {
		return err
	}
	ken, err := retrieval.New(store, retrieval.Options{Embedder: e})
	if err != nil {
		return err
	}
	begin := time.Now()
	plain, err := baseline.New(ctx, docs, e, time.Now)
	if err != nil {
		return err
	}
	fmt.Printf("%d chunks in ken (%.0f s), %d in plain RAG (%.0f s), %d dimensions\n", summary.Chunks, summary.Seconds, o.chunks, time.Since(begin).Seconds(), e.Model().Dim)
	out := map[string]figures{}
	for _, name := range []string{"all", "tenth"} {
		f, err := compare(ctx, ken, plain, readers()[name], docs, o.questions)
		if err != nil {
			return err
		}
		out[name] = f
		fmt.Printf("reads %-5s  ken p50 %7.2f p95 %7.2f ms   plain RAG p50 %7.2f p95 %7.2f ms   less: p50 %.0f %%, p95 %.0f %%\n",
			name, f.Ken.P50, f.Ken.P95, f.Plain.P50, f.Plain.P95, 100*f.LessP50, 100*f.LessP95)
	}
	if o.json == "" {
		return nil
	}
	data, err := json.MarshalIndent(out, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(o.json, append(data, '\n'), 0o600)
}

// compare puts each question to both, now to one first and now to the other.
func compare(ctx context.Context, ken, plain eval.Searcher, who acl.Principal, docs *documents, n int) (figures, error) {
	var took [2]latency.Histogram
	systems := [2]eval.Searcher{ken, plain}
	for i, q := range append(docs.questions(5, n/4), docs.questions(7, n)...) {
		for k := range systems {
			which := (i + k) % 2
			started := time.Now()
			_, _, err := systems[which].Explain(ctx, who, retrieval.Request{Query: q})
			if err != nil {
				return figures{}, err
			}
			if i >= n/4 { // those before warmed the caches
				took[which].Add(time.Since(started))
			}
		}
	}
	f := figures{Ken: took[0].Summary(), Plain: took[1].Summary()}
	f.LessP50, f.LessP95 = 1-f.Ken.P50/f.Plain.P50, 1-f.Ken.P95/f.Plain.P95
	return f, nil
}
