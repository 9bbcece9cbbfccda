package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"ken/index"
)

// BenchmarkIngest writes 100,000 chunks per operation as the step "ingest" does, to
// ken alone and to bleve alone.
func BenchmarkIngest(b *testing.B) {
	const documents = 100_000 / perDoc
	b.Run("words", func(b *testing.B) { benchEngines(b, newCorpus(1, .5).entries(documents)) })
	b.Run("text", func(b *testing.B) {
		source, err := newRealText(1)
		if errors.Is(err, errNoText) {
			b.Skip(err)
		}
		if err != nil {
			b.Fatal(err)
		}
		entries, err := source.embedded(documents)
		if err != nil {
			b.Fatal(err)
		}
		benchEngines(b, entries)
	})
}

func benchEngines(b *testing.B, entries []index.Entry) {
	b.Run("ken", func(b *testing.B) {
		benchIngest(b, entries, func(dir string) (writer, error) {
			s, err := newKen(b.Context(), dir)
			return writer{func(e []index.Entry) error { return s.Replace(b.Context(), e...) }, s.Close}, err
		})
	})
	b.Run("bleve", func(b *testing.B) {
		benchIngest(b, entries, func(dir string) (writer, error) {
			s, err := newBleve(dir)
			return writer{s.add, s.Close}, err
		})
	})
}

// writer is one of the two.
type writer struct {
	add   func([]index.Entry) error
	close func() error
}

func benchIngest(b *testing.B, entries []index.Entry, open func(dir string) (writer, error)) {
	dir, n, used, took := b.TempDir(), 0, time.Duration(0), time.Duration(0)
	for b.Loop() {
		w, err := open(filepath.Join(dir, fmt.Sprint(n)))
		if err != nil {
			b.Fatal(err)
		}
		cpu, begin := processorTime(), time.Now()
		for i := 0; i < len(entries); i += batch {
			if err := w.add(entries[i:min(i+batch, len(entries))]); err != nil {
				b.Fatal(err)
			}
		}
		took += time.Since(begin)
		if err := w.close(); err != nil {
			b.Fatal(err)
		}
		used += processorTime() - cpu
		n++
	}
	chunks := float64(n * len(entries) * perDoc)
	b.ReportMetric(chunks/took.Seconds(), "chunks/s")
	b.ReportMetric(float64(used.Microseconds())/chunks, "cpu-µs/chunk")
}

// processorTime is what this process has used.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
