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
	const chunks = 100_000
	made := map[string][]index.Entry{"words": newCorpus(1, .5).entries(chunks / perDoc)}
	switch source, err := newRealText(1); {
	case errors.Is(err, errNoText):
		b.Log(err)
	case err != nil:
		b.Fatal(err)
	default:
		if made["text"], err = source.embedded(chunks / perDoc); err != nil {
			b.Fatal(err)
		}
	}
	for _, kind := range []string{"words", "text"} {
		if made[kind] == nil {
			continue
		}
		b.Run(kind+"/ken", func(b *testing.B) {
			benchIngest(b, made[kind], func(dir string) (writer, error) {
				s, err := newKen(b.Context(), dir)
				return writer{func(e []index.Entry) error { return s.Replace(b.Context(), e...) }, s.Close}, err
			})
		})
		b.Run(kind+"/bleve", func(b *testing.B) {
			benchIngest(b, made[kind], func(dir string) (writer, error) {
				s, err := newBleve(dir)
				return writer{s.add, s.Close}, err
			})
		})
	}
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
