package embedded_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"ken/index/embedded"
	"ken/index/indextest"
)

var (
	cycles   = flag.Int("cycles", 100, "times that TestKill kills the writing process")
	crashOut = flag.String("crash-out", "", "file that the report of TestKill is written to")
)

// writing tells the process of TestKill what to write: directory, seed, and how
// far each writer came.
const writing = "KEN_TEST_WRITE"

// killed is what TestKill tells it: a JSON object.
type killed struct {
	Dir   string
	Seed  uint64
	Acked []int
}

// TestWrite is the process that TestKill kills. Run by itself it does nothing.
func TestWrite(t *testing.T) {
	text := os.Getenv(writing)
	if text == "" {
		t.Skip("helper of TestKill")
	}
	var k killed
	if err := json.Unmarshal([]byte(text), &k); err != nil {
		t.Fatal(err)
	}
	s, err := embedded.Open(k.Dir, embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	say("ready\n")
	traffic := indextest.Traffic{Seed: k.Seed, Writers: len(k.Acked)}
	var writers sync.WaitGroup
	for w, from := range k.Acked {
		writers.Go(func() {
			for n := from; ; n++ {
				if err := traffic.Step(w, n).Do(t.Context(), s); err != nil {
					say(fmt.Sprintf("error %v\n", err))
					return
				}
				say(fmt.Sprintf("acked %d %d\n", w, n+1))
			}
		})
	}
	writers.Wait() // until the parent kills us
}

// say writes a line to the parent in one piece.
func say(line string) { _, _ = os.Stdout.WriteString(line) }

// crashReport is what `make crash` writes.
type crashReport struct {
	Cycles int `json:"cycles"`
	Writes int `json:"writes"` // acknowledged in all cycles
	indextest.Verdict
}

// A process that is killed at any moment, while several writers ingest, edit,
// delete, grant and revoke, loses nothing that it acknowledged, leaves no half of a
// write, and brings back nothing that was taken away.
func TestKill(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts many processes")
	}
	traffic := indextest.Traffic{Seed: rand.Uint64(), Writers: 3}
	t.Logf("seed %d", traffic.Seed)
	dir := t.TempDir()
	s := open(t, dir, embedded.Options{})
	if err := errors.Join(traffic.Prepare(t.Context(), s), s.Close()); err != nil {
		t.Fatal(err)
	}
	journal, err := indextest.NewJournal(t.Context(), traffic)
	if err != nil {
		t.Fatal(err)
	}
	report := crashReport{}
	for ; report.Cycles < *cycles; report.Cycles++ {
		killWriter(t, dir, journal)
		s := open(t, dir, embedded.Options{})
		verdict, err := journal.Verify(t.Context(), s)
		if err = errors.Join(err, s.Close()); err != nil {
			t.Fatal(err)
		}
		report.Lost += verdict.Lost
		report.Orphans += verdict.Orphans
		report.Resurrected += verdict.Resurrected
		report.Notes = append(report.Notes, verdict.Notes...)
		if len(verdict.Notes) > 0 {
			t.Errorf("cycle %d: %d lost, %d orphans, %d resurrected: %s",
				report.Cycles, verdict.Lost, verdict.Orphans, verdict.Resurrected, strings.Join(verdict.Notes, "\n"))
			break // the journal does not know how to go on
		}
	}
	for _, n := range journal.Acked {
		report.Writes += n
	}
	t.Logf("%d cycles, %d writes", report.Cycles, report.Writes)
	if report.Writes == 0 {
		t.Error("no write was acknowledged: the test kills too early")
	}
	report.write(t)
}

func (r crashReport) write(t *testing.T) {
	text, err := json.MarshalIndent(r, "", "  ")
	if err == nil && *crashOut != "" {
		err = os.WriteFile(*crashOut, append(text, '\n'), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// killWriter starts a process that goes on with the journal's writes, kills it
// after a while, and notes what it acknowledged.
func killWriter(t *testing.T, dir string, journal *indextest.Journal) {
	t.Helper()
	text, err := json.Marshal(killed{dir, journal.Seed, journal.Acked})
	if err != nil {
		t.Fatal(err)
	}
	process := exec.Command(os.Args[0], "-test.run=^TestWrite$")
	process.Env = append(os.Environ(), writing+"="+string(text))
	process.Stderr = os.Stderr
	out, err := process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	if rand.IntN(4) == 0 { // now and then while it opens the store
		time.Sleep(time.Duration(rand.IntN(60)) * time.Millisecond)
	} else {
		note(t, journal, lines, "ready")
		time.Sleep(time.Duration(rand.IntN(100)) * time.Millisecond)
	}
	if err := process.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	note(t, journal, lines, "")
	_ = process.Wait() // it says that it was killed
}

// note reads what the process says until it says the word, or to its end.
func note(t *testing.T, journal *indextest.Journal, lines *bufio.Reader, until string) {
	t.Helper()
	for {
		line, err := lines.ReadString('\n')
		if errors.Is(err, io.EOF) {
			return // a line that was cut says nothing
		}
		if err != nil {
			t.Fatal(err)
		}
		if line = strings.TrimSpace(line); line == until {
			return
		}
		var writer, n int
		if _, err := fmt.Sscanf(line, "acked %d %d", &writer, &n); err == nil {
			journal.Acked[writer] = n
		} else if line != "ready" {
			t.Fatalf("the process says %q", line)
		}
	}
}
