package twin_test

import (
	"encoding/json"
	"flag"
	"os"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"ken/embed/hashed"
	"ken/index/embedded"
	"ken/tools/twin"
)

var (
	n    = flag.Int("comparisons", 10_000, "comparisons")
	seed = flag.Uint64("seed", 1, "of the first world")
	out  = flag.String("out", "", "file that the report is written to")
)

func options(t *testing.T) twin.Options {
	t.Helper()
	e, err := hashed.New(hashed.Options{Dim: 64})
	if err != nil {
		t.Fatal(err)
	}
	return twin.Options{
		Embedder: e, Seed: *seed, Comparisons: *n,
		Place: func() (func() (twin.Store, error), error) {
			fs := vfs.NewMem()
			return func() (twin.Store, error) {
				s, err := embedded.Open("index", embedded.Options{FS: fs})
				if err == nil {
					s.KeepVersions(twin.Versions)
				}
				return s, err
			}, nil
		},
	}
}

// TestTwin is the promise: 0 bytes differ, and a comparison that is fed a leak sees it.
func TestTwin(t *testing.T) {
	o, leaks := options(t), twin.Leaks()
	if testing.Short() { // the race detector makes a search twenty times as long
		o.Comparisons, leaks = min(o.Comparisons, 300), leaks[:1]
	}
	report, err := twin.Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	o.Comparisons = 3_000
	if report, err = twin.Teeth(t.Context(), o, report, leaks); err != nil {
		t.Fatal(err)
	}
	if *out != "" {
		text, err := json.MarshalIndent(report, "", "  ")
		if err == nil {
			err = os.WriteFile(*out, append(text, '\n'), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d comparisons over %d worlds and %d changes, %d bytes compared, %d differ; %d controls, %d missed; %d leaks planted, %d caught",
		report.Comparisons, report.Worlds, report.Changes, report.Bytes, report.DifferingBytes, report.Controls, report.ControlsMissed, report.Planted, report.Caught)
	t.Logf("by method: %v", report.Methods)
	for _, l := range report.Leaks {
		t.Logf("channel %2d %-45s caught %v after %d", l.Channel, l.Name, l.Caught, l.Comparisons)
	}
	for _, d := range report.Differences {
		t.Errorf("world %d, %s, after %q: %s\nall …%s…\nown …%s…", d.Seed, d.Person, d.After, d.Request, d.All, d.Own)
	}
	if err := report.Sound(); err != nil {
		t.Error(err)
	}
}

// TestEveryChannel holds that no channel of docs/security.md is without a planted leak.
func TestEveryChannel(t *testing.T) {
	planted := map[int]bool{}
	for _, l := range twin.Leaks() {
		planted[l.Channel] = true
	}
	for c := range 22 {
		if !planted[c+1] {
			t.Errorf("no leak is planted in channel %d", c+1)
		}
	}
}

func TestOptionsAreNeeded(t *testing.T) {
	if _, err := twin.Run(t.Context(), twin.Options{}); err == nil {
		t.Error("ran without a store")
	}
}
