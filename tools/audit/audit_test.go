package audit_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/index"
	"ken/tools"
	"ken/tools/audit"
)

func someCall(n int) tools.Call {
	return tools.Call{
		Principal: acl.NewPrincipal("user:ann", "group:<hr>"), Method: "tools/call", Tool: "fetch", Kind: []string{"", "not_found"}[n%2],
		Duration: 1500 * time.Microsecond, Time: time.Date(2026, 1, 1, 0, 0, n, 0, time.UTC), Client: "test 1",
		Arguments: map[string]string{"id": `"wiki/a"`, "query": "(12 bytes)"},
		Left:      []tools.Left{{Document: corpora.DocID("wiki/é\n.md"), Version: "v1", Spans: []index.Span{{Start: 3, End: 9}}}},
	}
}

func write(t *testing.T, path string, from, to int) {
	t.Helper()
	l, err := audit.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	for n := from; n < to; n++ {
		if err := l.Append(someCall(n)); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

func verify(t *testing.T, path string) (audit.Summary, error) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return audit.Verify(f)
}

// The file goes on when it is opened again, also after a crash in the middle of a line.
func TestTheChainGoesOn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	write(t, path, 0, 3)
	write(t, path, 3, 5)
	if sum, err := verify(t, path); err != nil || sum.Records != 5 || sum.Documents != 5 || len(sum.Last) != 64 {
		t.Fatalf("%+v, %v", sum, err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(whole, []byte("\n"))
	last := lines[len(lines)-2]
	for cut := 1; cut < len(last); cut += 7 {
		if err := os.WriteFile(path, whole[:len(whole)-cut], 0o600); err != nil {
			t.Fatal(err)
		}
		if sum, err := verify(t, path); err != nil || sum.Records != 4 {
			t.Fatalf("%d bytes cut off: %+v, %v", cut, sum, err)
		}
		write(t, path, 5, 7)
		write(t, path, 7, 8)
		want := audit.Summary{Records: 7, Torn: 1}
		if cut == 1 { // nothing was lost but the end of the line
			want = audit.Summary{Records: 8}
		}
		if sum, err := verify(t, path); err != nil || sum.Records != want.Records || sum.Torn != want.Torn {
			t.Fatalf("%d bytes cut off, then written on: %+v, %v", cut, sum, err)
		}
	}
}

// Crashes one after the other leave several lines.
func TestSeveralCrashes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	write(t, path, 0, 2)
	for range 3 {
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, append(whole, []byte(`{"seq":3,"ti`)...), 0o600); err != nil {
			t.Fatal(err)
		}
		write(t, path, 0, 0)
	}
	write(t, path, 2, 3)
	if sum, err := verify(t, path); err != nil || sum.Records != 3 || sum.Torn != 3 {
		t.Fatalf("%+v, %v", sum, err)
	}
}

// Whatever is changed in a file but its end shows.
func TestTamperingShows(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	write(t, path, 0, 6)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want, err := audit.Verify(bytes.NewReader(good))
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		lines := bytes.SplitAfter(slices.Clone(good), []byte("\n"))
		lines = lines[:len(lines)-1]
		i := rapid.IntRange(0, len(lines)-2).Draw(t, "line")
		switch rapid.SampledFrom([]string{"byte", "remove", "swap", "repeat", "insert", "blank"}).Draw(t, "kind") {
		case "byte":
			at := rapid.IntRange(0, len(lines[i])-1).Draw(t, "at")
			lines[i] = slices.Clone(lines[i])
			lines[i][at] ^= byte(rapid.IntRange(1, 255).Draw(t, "by"))
		case "remove":
			lines = slices.Delete(lines, i, i+1)
		case "swap":
			lines[i], lines[i+1] = lines[i+1], lines[i]
		case "repeat":
			lines = slices.Insert(lines, i, lines[i])
		case "insert":
			lines = slices.Insert(lines, i, []byte("{}\n"))
		case "blank":
			lines = slices.Insert(lines, i, []byte("\n"))
		}
		bad := bytes.Join(lines, nil)
		if sum, err := audit.Verify(bytes.NewReader(bad)); !errors.Is(err, audit.ErrTampered) {
			t.Fatalf("%+v, %v", sum, err)
		}
	})
	// A cut at the end is a good beginning: only the last hash, kept elsewhere, tells.
	cut := good[:bytes.LastIndexByte(good[:len(good)-1], '\n')+1]
	if sum, err := audit.Verify(bytes.NewReader(cut)); err != nil || sum.Last == want.Last {
		t.Errorf("%+v, %v", sum, err)
	}
	// A log whose last record was changed is not written on.
	if err := os.WriteFile(path, bytes.Replace(good, []byte(`"seq":6`), []byte(`"seq":9`), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := audit.Open(path); err == nil {
		t.Error("a damaged log was opened to write")
	}
}

func TestRecord(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	write(t, path, 1, 2)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	line, _, _ := strings.Cut(string(text), `,"hash"`)
	want := `{"seq":1,"time":"2026-01-01T00:00:01Z","user":"user:ann","subjects":["authenticated","everyone","group:\u003chr\u003e","user:ann"],` +
		`"client":"test 1","method":"tools/call","tool":"fetch","arguments":{"id":"\"wiki/a\"","query":"(12 bytes)"},` +
		`"documents":[{"id":"wiki/é\n.md","version":"v1","spans":[[3,9]]}],"count":1,"result":"not_found","duration_ms":1.5,"prev":""`
	if line != want {
		t.Errorf("%s\nwant %s", line, want)
	}
}

// Two logs of one file would each go on from the same record.
func TestOneWriterOfAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	l, err := audit.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if second, err := audit.Open(path); !errors.Is(err, audit.ErrInUse) {
		t.Errorf("%v, %v", second, err)
	}
	if err := errors.Join(l.Append(someCall(1)), l.Close()); err != nil {
		t.Fatal(err)
	}
	write(t, path, 1, 2)
	if sum, err := verify(t, path); err != nil || sum.Records != 2 {
		t.Errorf("%+v, %v", sum, err)
	}
}

// Writers at once make one chain.
func TestConcurrentWriters(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	l, err := audit.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for n := range 20 {
				if err := l.Append(someCall(n)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if sum, err := verify(t, path); err != nil || sum.Records != 160 {
		t.Errorf("%+v, %v", sum, err)
	}
}

// A log that could not be written once is not written again: nobody knows what
// stands in it.
func TestAFailedWriteStops(t *testing.T) {
	f := &failing{}
	l, err := audit.Continue(f, 0)
	if err != nil {
		t.Fatal(err)
	}
	f.fail = true
	if err := l.Append(someCall(0)); err == nil {
		t.Fatal("written")
	}
	f.fail = false
	if err := l.Append(someCall(0)); err == nil {
		t.Error("went on after a failed write")
	}
}

type failing struct {
	bytes.Buffer
	fail bool
}

func (f *failing) Sync() error {
	if f.fail {
		return errors.New("no space left")
	}
	return nil
}

func (*failing) Close() error                          { return nil }
func (*failing) ReadAt(p []byte, _ int64) (int, error) { return 0, nil }

func FuzzVerify(f *testing.F) {
	f.Add([]byte("{}\n{}\n"))
	f.Add([]byte(`{"seq":1,"prev":"","hash":""}`))
	f.Fuzz(func(_ *testing.T, data []byte) { _, _ = audit.Verify(bytes.NewReader(data)) })
}
