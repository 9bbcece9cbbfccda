package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"time"

	"ken/embed"
	"ken/index/embedded"
)

// apart runs the rest in a process of its own, in which ken is alone: memory and
// the collector's work are then those of a server, and files are opened cold.
func (b *bench) apart(ctx context.Context) error {
	dir := filepath.Join(b.dir, "ken")
	if err := b.ken.Close(); err != nil {
		return err
	}
	b.ken = nil
	if err := sizes(&b.figures, "", dir, b.bytes, b.chunks); err != nil {
		return err
	}
	if err := b.open(ctx, dir); err != nil {
		return err
	}
	var args []string
	if b.profile != "" {
		args = append(args, "-profile", b.profile)
	}
	got, err := b.inProcess(ctx, dir, args...)
	for _, f := range got {
		b.figures.set(f.Name, f.Value)
	}
	return err
}

// opens is how many times a store is opened to measure it; the median counts.
const opens = 5

// open measures how long it takes to open the store and to answer, with none of
// its files in memory where the system can be asked for that.
func (b *bench) open(ctx context.Context, dir string) error {
	taken := map[string][]float64{}
	for range opens {
		cold, err := dropCache(dir)
		if err != nil || !cold {
			return err
		}
		got, err := b.inProcess(ctx, dir, "-first")
		if err != nil {
			return err
		}
		for _, f := range got {
			taken[f.Name] = append(taken[f.Name], f.Value)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(taken)) {
		slices.Sort(taken[name])
		b.figures.set("cold_"+name, taken[name][opens/2])
	}
	return nil
}

// inProcess runs [alone] in a process of its own.
func (b *bench) inProcess(ctx context.Context, dir string, args ...string) (got []figure, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	args = append(args, "-alone", dir, "-chunks", strconv.Itoa(b.chunks), "-queries", strconv.Itoa(b.queries))
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("the process of its own: %w", err)
	}
	return got, json.NewDecoder(bytes.NewReader(out)).Decode(&got)
}

// alone is that process. Its figures go to standard output.
func alone(ctx context.Context, o options) error {
	if os.Getenv("GOGC") == "" { // as the program ken does
		debug.SetGCPercent(400)
		debug.SetMemoryLimit(1 << 30 / 8 * 7)
	}
	a := &aside{options: o}
	begin := time.Now()
	store, err := embedded.Open(o.alone, embedded.Options{Process: benchName})
	if err != nil {
		return err
	}
	a.store = store
	a.figures.set("open_ms", ms(time.Since(begin)))
	first := queries(701, 1, .5, nil)
	full, _, err := searchers(store, first)
	if err == nil {
		err = search(ctx, full, readers()["tenth"], first[0])
	}
	a.figures.set("open_to_answer_ms", ms(time.Since(begin)))
	if o.first {
		return errors.Join(err, store.Close(), json.NewEncoder(os.Stdout).Encode(a.figures.list()))
	}
	a.memory("after_open")
	a.stored = newCorpus(1, .5).some(2000)
	for _, step := range []func(context.Context) error{a.latency, a.callers, a.protocol, a.writes} {
		if err == nil {
			err = step(ctx)
		}
	}
	a.memory("after_writing")
	if err = errors.Join(err, store.Close()); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(a.figures.list())
}

// aside measures a store in a process that holds nothing else.
type aside struct {
	options
	store   *embedded.Store
	figures figures
	stored  []embed.Vector // some of those in the store
}

func (a *aside) memory(when string) {
	if anonymous, files, ok := resident(); ok {
		a.figures.set("rss_anon_mib_"+when, anonymous)
		a.figures.set("rss_file_mib_"+when, files)
	}
}

// latency repeats the searches of a tenth with nothing else in memory.
func (a *aside) latency(ctx context.Context) error {
	warm, qs := queries(111, a.queries, .5, a.stored), queries(112, a.queries, .5, a.stored)
	full, plain, err := searchers(a.store, warm, qs)
	if err != nil {
		return err
	}
	short, long, err := recipes(ctx, plain, full, readers()["tenth"], warm, qs)
	a.figures.latencies("hybrid_alone", short)
	a.figures.latencies("full_alone", long)
	a.memory("after_searching")
	return err
}

// callers measures searches per second of several callers.
func (a *aside) callers(ctx context.Context) error {
	qs := queries(501, 200, .5, a.stored)
	full, _, err := searchers(a.store, qs)
	if err != nil {
		return err
	}
	for _, n := range []int{1, 2, 8, 64} {
		rate, err := throughput(ctx, full, readers()["tenth"], qs, n, 2*time.Second)
		if err != nil {
			return err
		}
		a.figures.set(fmt.Sprintf("full_per_s_%d_callers", n), rate)
	}
	return nil
}

// writes measures searches while documents are written as fast as they can be.
func (a *aside) writes(ctx context.Context) error {
	qs := queries(601, a.queries, .5, a.stored)
	full, _, err := searchers(a.store, qs)
	if err != nil {
		return err
	}
	var idle, busy times
	for _, q := range qs {
		if err := idle.measure(func() error { return search(ctx, full, readers()["tenth"], q) }); err != nil {
			return err
		}
	}
	source := newCorpus(2, .5)
	source.made = a.chunks / perDoc
	entries := source.entries(1000)
	writing, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	begin, written := time.Now(), 0
	go func() {
		for i := 0; writing.Err() == nil; i = (i + 100) % len(entries) {
			if err := a.store.Replace(ctx, entries[i:i+100]...); err != nil {
				ended <- err
				return
			}
			written += 100 * perDoc
		}
		ended <- nil
	}()
	for _, q := range qs {
		if err = busy.measure(func() error { return search(ctx, full, readers()["tenth"], q) }); err != nil {
			break
		}
	}
	stop()
	if err = errors.Join(err, <-ended); err != nil {
		return err
	}
	a.figures.set("ingest_while_searching_chunks_per_s", rate(written, time.Since(begin)))
	a.figures.latencies("full_while_writing", busy)
	a.figures.ratio("while_writing_vs_idle_p50", busy.percentile(50), idle.percentile(50))
	a.figures.ratio("while_writing_vs_idle_p99", busy.percentile(99), idle.percentile(99))
	return nil
}
