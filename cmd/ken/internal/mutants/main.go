// Command mutants breaks the code that decides who may read, in one place at a
// time, and counts how often the tests notice.
//
// It changes conditions of the functions in [targets]: turns a comparison, swaps
// "and" and "or", drops a "not" or a guard. Each change is laid over the source
// with go test -overlay; nothing is written to the checkout.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Report is what mutants.json holds.
type Report struct {
	Mutants    int      `json:"mutants"`
	Caught     int      `json:"caught"`
	Share      float64  `json:"share"`
	Equivalent int      `json:"equivalent"` // made, and left out: they change nothing that can be seen
	NotRun     int      `json:"not_run"`    // the time was up
	Seconds    float64  `json:"seconds"`
	Survivors  []Mutant `json:"survivors,omitempty"`
	All        []Result `json:"all"`
}

// Result is what became of a mutant.
type Result struct {
	Mutant
	CaughtBy string `json:"caught_by,omitempty"` // package; "" if it survived
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	out := flag.String("out", "mutants.json", "file of the report")
	budget := flag.Duration("budget", 15*time.Minute, "time after which no other mutant is tried")
	each := flag.Int("each", 3, "mutants of one function at most")
	only := flag.String("only", "", "part of the names of the files to change")
	workers := flag.Int("workers", 2, "mutants at once")
	flag.Parse()
	if err := run(ctx, *out, *only, *each, *workers, *budget); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

// Marks that a run has to reach.
const (
	leastMutants = 40
	leastShare   = .95
)

func run(ctx context.Context, out, only string, each, workers int, budget time.Duration) error {
	mutants, equivalent, err := all(only, each)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "mutants-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := baseline(ctx, mutants); err != nil {
		return err
	}
	start := time.Now()
	r := Report{Equivalent: equivalent}
	var mu sync.Mutex
	var wg sync.WaitGroup
	next := make(chan int)
	for range workers {
		wg.Go(func() {
			for i := range next {
				by, err := try(ctx, dir, i, mutants[i])
				mu.Lock()
				r.add(mutants[i], by, err)
				mu.Unlock()
			}
		})
	}
	for i := range mutants {
		if ctx.Err() != nil || time.Since(start) > budget {
			r.NotRun = len(mutants) - i
			break
		}
		next <- i
	}
	close(next)
	wg.Wait()
	r.Seconds = time.Since(start).Seconds()
	return errors.Join(r.write(out), r.verdict(only))
}

func (r *Report) add(m Mutant, by string, err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", m, err)
		return
	}
	r.Mutants++
	r.All = append(r.All, Result{m, by})
	if by == "" {
		r.Survivors = append(r.Survivors, m)
		fmt.Printf("survived  %s\n", m)
	} else {
		r.Caught++
		fmt.Printf("caught    %s (%s)\n", m, by)
	}
	r.Share = float64(r.Caught) / float64(r.Mutants)
}

func (r *Report) write(out string) error {
	fmt.Printf("%d of %d mutants caught (%.1f %%) in %.0f s; %d not run, %d equivalent\n", r.Caught, r.Mutants, 100*r.Share, r.Seconds, r.NotRun, r.Equivalent)
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(out, append(text, '\n'), 0o644)
}

func (r *Report) verdict(only string) error {
	switch {
	case only == "" && r.Mutants < leastMutants:
		return fmt.Errorf("%d mutants were tried, want %d", r.Mutants, leastMutants)
	case r.Share < leastShare:
		return fmt.Errorf("%.1f %% of the mutants were caught, want %.0f %%", 100*r.Share, 100*leastShare)
	}
	return nil
}

// try runs the tests over a mutant, the nearest first, and returns the package
// that noticed it.
func try(ctx context.Context, dir string, i int, m Mutant) (caughtBy string, err error) {
	overlay, err := m.overlay(dir, i)
	if err != nil {
		return "", err
	}
	for _, t := range m.tests {
		text, err := t.run(ctx, "-overlay="+overlay)
		switch {
		case ctx.Err() != nil:
			return "", ctx.Err()
		case err != nil && !noticed(text):
			return "", fmt.Errorf("does not compile, or does not run: %s", firstLine(text))
		case err != nil:
			return strings.TrimPrefix(t.pkg, "./"), nil
		}
	}
	return "", nil
}

// run runs the tests. A mutant can loop and take memory without end: both are bounded.
func (t tests) run(ctx context.Context, flags ...string) ([]byte, error) {
	args := append([]string{"-c", `ulimit -v 8000000 2>/dev/null; exec go "$@"`, "sh", "test", "-count=1", "-failfast", "-vet=off", "-timeout=2m"}, flags...)
	args = append(append(args, t.pkg), t.args...)
	return exec.CommandContext(ctx, "sh", args...).CombinedOutput()
}

// noticed reports whether a test ran and failed, and not the tool that runs it.
func noticed(text []byte) bool {
	for _, sign := range []string{"--- FAIL", "panic:", "fatal error:", "test timed out"} {
		if strings.Contains(string(text), sign) {
			return true
		}
	}
	return false
}

// baseline runs the tests over the source as it is: what fails there would
// catch everything.
func baseline(ctx context.Context, mutants []Mutant) error {
	done := map[string]bool{}
	for _, m := range mutants {
		for _, t := range m.tests {
			key := fmt.Sprint(t)
			if done[key] {
				continue
			}
			done[key] = true
			if text, err := t.run(ctx); err != nil {
				return fmt.Errorf("%s fails without a change: %w\n%s", t.pkg, err, text)
			}
		}
	}
	return nil
}

func firstLine(text []byte) string {
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "#") {
			return strings.TrimSpace(line)
		}
	}
	return ""
}

// overlay writes the changed file and the map that go test wants.
func (m Mutant) overlay(dir string, i int) (string, error) {
	from, err := filepath.Abs(m.File)
	if err != nil {
		return "", err
	}
	to := filepath.Join(dir, fmt.Sprintf("%d.go", i))
	if err := os.WriteFile(to, m.source, 0o600); err != nil {
		return "", err
	}
	text, err := json.Marshal(map[string]map[string]string{"Replace": {from: to}})
	if err != nil {
		return "", err
	}
	name := filepath.Join(dir, fmt.Sprintf("%d.json", i))
	return name, os.WriteFile(name, text, 0o600)
}
