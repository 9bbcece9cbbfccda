package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/pprof/profile"
)

// stage is what one part of the pipeline took.
type stage struct {
	Name      string  `json:"name"`
	Seconds   float64 `json:"cpu_seconds"`
	Share     float64 `json:"share_of_cpu"`
	Allocated float64 `json:"allocated_bytes"` // over the whole run, by samples
}

// rest is what no stage claims, and the compiled code of PDFium, which has no names.
const rest = "others, and inside PDFium"

// stages name what a sample belongs to: the first whose mark is part of a function
// on its stack.
var stages = []struct{ name, mark string }{
	{"collector", "runtime.gcBgMarkWorker"}, {"collector", "runtime.gcAssistAlloc"}, {"collector", "runtime.bgsweep"},
	{"extract: PDF", "ken/corpora/extract/pdf"}, {"extract: PDF", "wazero"},
	{"extract: others", "ken/corpora/extract"},
	{"read files", "ken/corpora/source/folder"},
	{"detect the language", "ken/index/analyze.Detect"},
	{"chunk", "ken/index/chunk"},
	{"hash versions", "ken/index/ingest.Version"},
	{"embed (stand-in)", "main.(*slow)"},
	{"analyse words", "ken/index/analyze"},
	{"lexical segments", "ken/index/embedded/lexical"},
	{"vector segments", "ken/index/embedded/flat"},
	{"truth store", "cockroachdb/pebble"},
	{"commit: others", "ken/index/embedded"},
	{"pipeline", "ken/index/ingest"},
	{rest, ""},
}

func stageOf(s *profile.Sample) string {
	for _, st := range stages {
		for _, l := range s.Location {
			for _, line := range l.Line {
				if strings.Contains(line.Function.Name, st.mark) {
					return st.name
				}
			}
		}
	}
	return rest
}

// watch profiles the process until it ends.
type watch struct {
	cpu       bytes.Buffer
	keep      string
	allocated map[string]float64 // before the run
	stop      chan struct{}
	sampled   sync.WaitGroup
	peak      float64
}

// observed is what was seen.
type observed struct {
	processor time.Duration
	peak      float64 // MiB
	stages    []stage
}

func observe(keep string) (*watch, error) {
	w := &watch{keep: keep, stop: make(chan struct{})}
	var err error
	if w.allocated, err = allocated(); err != nil {
		return nil, err
	}
	w.sampled.Go(w.sample)
	return w, pprof.StartCPUProfile(&w.cpu)
}

func (w *watch) sample() {
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for {
		w.peak = max(w.peak, anonymous())
		select {
		case <-w.stop:
			return
		case <-ticker.C:
		}
	}
}

func (w *watch) end() (o observed, err error) {
	pprof.StopCPUProfile()
	close(w.stop)
	w.sampled.Wait()
	if w.keep != "" {
		err = os.WriteFile(w.keep, w.cpu.Bytes(), 0o644)
	}
	p, parsed := profile.Parse(&w.cpu)
	after, counted := allocated()
	if err := errors.Join(err, parsed, counted); err != nil {
		return o, fmt.Errorf("profile: %w", err)
	}
	seconds := map[string]float64{}
	for _, s := range p.Sample {
		d := time.Duration(s.Value[1])
		seconds[stageOf(s)] += d.Seconds()
		o.processor += d
	}
	o.peak = w.peak
	for i, st := range stages {
		if i > 0 && stages[i-1].name == st.name {
			continue
		}
		o.stages = append(o.stages, stage{
			st.name, seconds[st.name], seconds[st.name] / o.processor.Seconds(), after[st.name] - w.allocated[st.name],
		})
	}
	return o, nil
}

// allocated returns the bytes that each stage asked for so far, estimated from samples.
func allocated() (map[string]float64, error) {
	runtime.GC() // the profile is that of the last collection
	var b bytes.Buffer
	if err := pprof.Lookup("allocs").WriteTo(&b, 0); err != nil {
		return nil, err
	}
	p, err := profile.Parse(&b)
	if err != nil {
		return nil, err
	}
	at := -1
	for i, t := range p.SampleType {
		if t.Type == "alloc_space" {
			at = i
		}
	}
	if at < 0 {
		return nil, errors.New("the profile of allocations has no sizes")
	}
	out := map[string]float64{}
	for _, s := range p.Sample {
		out[stageOf(s)] += float64(s.Value[at])
	}
	return out, nil
}

// anonymous returns the process's anonymous memory in MiB; 0 where the system
// does not tell.
func anonymous() float64 {
	data, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(data)) {
		if rest, ok := strings.CutPrefix(line, "RssAnon:"); ok {
			kib, _ := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 64)
			return kib / 1024
		}
	}
	return 0
}
