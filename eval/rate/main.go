// Command rate measures an ingest end to end: a folder of mixed formats is read,
// extracted, chunked, embedded and committed as `ken ingest` does it, with an
// embedder that takes a fixed time for each request.
//
//	go run ./eval/rate -bytes 1000000000 -json rate.json
//
// It tells documents, chunks and bytes per second, and for each stage its share of
// the processors' time and of the memory that was asked for, so that it shows what
// bounds the rate. The documents are made from a seed, the same each time.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"time"

	"ken/corpora/acl"
	"ken/corpora/extract"
	"ken/corpora/source/folder"
	"ken/index/embedded"
	"ken/index/ingest"
)

func main() {
	var o options
	flag.Int64Var(&o.bytes, "bytes", 1_000_000_000, "size of the files together")
	flag.DurationVar(&o.request, "request", 5*time.Millisecond, "time that the embedder takes for a request of 64 texts")
	flag.StringVar(&o.json, "json", "", "write the figures to `FILE` too")
	flag.StringVar(&o.profile, "profile", "", "keep the profile of the processors in `FILE`")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "rate:", err)
		os.Exit(1)
	}
}

type options struct {
	bytes         int64
	request       time.Duration
	json, profile string
}

// figures are what was measured.
type figures struct {
	Files       map[string]kind `json:"files"` // by extension
	Documents   int             `json:"documents"`
	Chunks      int             `json:"chunks"`
	Bytes       int64           `json:"bytes"`
	Seconds     float64         `json:"seconds"`
	Quarantined int             `json:"quarantined"`
	Processors  int             `json:"processors"`
	Busy        float64         `json:"processors_busy"` // share of their time
	Embedding   float64         `json:"embedder_busy"`   // share of the run in which a request was under way
	Requests    int             `json:"embedder_requests"`
	PeakAnon    float64         `json:"peak_rss_anon_mib"`
	Index       int64           `json:"index_bytes"`
	Stages      []stage         `json:"stages"`
}

type kind struct {
	Files int   `json:"files"`
	Bytes int64 `json:"bytes"`
}

func run(ctx context.Context, o options) (err error) {
	dir, err := os.MkdirTemp("", "ken-rate-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400) // as the program ken does
	}
	f := figures{Processors: runtime.GOMAXPROCS(0)}
	if f.Files, err = makeFiles(ctx, filepath.Join(dir, "files"), o.bytes); err != nil {
		return err
	}
	if err := measure(ctx, o, dir, &f); err != nil {
		return err
	}
	if err := f.text(os.Stdout); err != nil || o.json == "" {
		return err
	}
	data, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(o.json, append(data, '\n'), 0o644)
}

// measure ingests the files into a new index.
func measure(ctx context.Context, o options, dir string, f *figures) (err error) {
	source, err := folder.Open(filepath.Join(dir, "files"), folder.Options{Owner: acl.Everyone})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	store, err := embedded.Open(filepath.Join(dir, "index"), embedded.Options{Process: "rate"})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	embedder := newSlow(o.request)
	watch, err := observe(o.profile)
	if err != nil {
		return err
	}
	begin := time.Now()
	summary, err := ingest.Run(ctx, ingest.Options{
		Store: store, Embedder: embedder, Extract: extract.New(extract.Options{Cache: filepath.Join(dir, "cache")}),
	}, source)
	took := time.Since(begin)
	seen, stopped := watch.end()
	if err := errors.Join(err, stopped); err != nil {
		return err
	}
	f.Documents, f.Chunks, f.Bytes, f.Quarantined = summary.Added, summary.Chunks, summary.Bytes, len(summary.Quarantined)
	f.Seconds, f.Busy = took.Seconds(), seen.processor.Seconds()/took.Seconds()/float64(f.Processors)
	f.Requests, f.Embedding = embedder.requests, embedder.busy.Seconds()/took.Seconds()
	f.PeakAnon, f.Stages = seen.peak, seen.stages
	f.Index, err = sizeOf(filepath.Join(dir, "index"))
	return err
}

func sizeOf(dir string) (n int64, err error) {
	err = filepath.Walk(dir, func(_ string, info os.FileInfo, err error) error {
		if err == nil && info.Mode().IsRegular() {
			n += info.Size()
		}
		return err
	})
	return n, err
}

func (f figures) text(w io.Writer) error {
	kinds := make([]string, 0, len(f.Files))
	for name := range f.Files {
		kinds = append(kinds, name)
	}
	slices.Sort(kinds)
	for _, name := range kinds {
		k := f.Files[name]
		if _, err := fmt.Fprintf(w, "%-8s %8d files %8.1f MB\n", name, k.Files, float64(k.Bytes)/1e6); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, `
%d documents, %d chunks, %.1f MB in %.1f s: %.0f documents/s, %.0f chunks/s, %.1f MB/s; %d quarantined
index %.1f MB, greatest anonymous memory %.0f MiB
%d processors %.0f %% busy; the embedder got %d requests and was busy %.0f %% of the time

%-28s %10s %8s %14s
`, f.Documents, f.Chunks, float64(f.Bytes)/1e6, f.Seconds, float64(f.Documents)/f.Seconds, float64(f.Chunks)/f.Seconds,
		float64(f.Bytes)/1e6/f.Seconds, f.Quarantined, float64(f.Index)/1e6, f.PeakAnon,
		f.Processors, 100*f.Busy, f.Requests, 100*f.Embedding, "stage", "CPU s", "share", "allocated MB")
	if err != nil {
		return err
	}
	for _, s := range f.Stages {
		if _, err := fmt.Fprintf(w, "%-28s %10.1f %7.1f%% %14.0f\n", s.Name, s.Seconds, 100*s.Share, s.Allocated/1e6); err != nil {
			return err
		}
	}
	return nil
}
