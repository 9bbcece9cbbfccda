package embedded_test

import (
	"bufio"
	"bytes"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/embed"
	"ken/index"
	"ken/index/embedded"
	"ken/index/indextest"
)

func entry(id string, texts ...string) index.Entry {
	d := corpora.Document{ID: corpora.DocID(id), Source: "wiki", Path: id, Title: "Page", Language: "en", ACL: acl.Allow(acl.Everyone)}
	return indextest.NewEntry(embed.Model{}, d, texts...)
}

// holder is the directory that the helper process is to hold, see TestInUse.
const holder = "KEN_TEST_HOLD"

// TestHold is the other process of TestInUse. Run by itself it does nothing.
func TestHold(t *testing.T) {
	dir := os.Getenv(holder)
	if dir == "" {
		t.Skip("helper of TestInUse")
	}
	s := open(t, dir, embedded.Options{Process: "ken serve"})
	if _, err := os.Stdout.WriteString("open\n"); err != nil {
		t.Fatal(err)
	}
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n') // until the parent ends us
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// A directory that another process uses is refused, and the error names the process.
func TestInUse(t *testing.T) {
	dir := t.TempDir()
	other := exec.Command(os.Args[0], "-test.run=^TestHold$")
	other.Env = append(os.Environ(), holder+"="+dir)
	in, err := other.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := other.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "open\n" {
		t.Fatalf("helper said %q, %v", line, err)
	}
	_, err = embedded.Open(dir, embedded.Options{})
	inUse, ok := errors.AsType[*embedded.InUseError](err)
	if !ok || inUse.PID != other.Process.Pid || inUse.Command != "ken serve" || inUse.Dir != dir {
		t.Errorf("error %v, want that process %d holds it", err, other.Process.Pid)
	}
	if err := errors.Join(in.Close(), other.Wait()); err != nil {
		t.Fatal(err)
	}
	if err := open(t, dir, embedded.Options{}).Close(); err != nil {
		t.Errorf("after the other process ended: %v", err)
	}
}

func TestInUseInMemory(t *testing.T) {
	fs := vfs.NewMem()
	s := open(t, "data", embedded.Options{FS: fs})
	_, err := embedded.Open("data", embedded.Options{FS: fs})
	if _, ok := errors.AsType[*embedded.InUseError](err); !ok {
		t.Errorf("second open: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// A directory of another version is refused and not touched.
func TestFormat(t *testing.T) {
	for name, c := range map[string]struct {
		change func(dir string) error
		found  string
	}{
		"another version": {func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "FORMAT"), []byte("ken index 7\n"), 0o600)
		}, "ken index 7"},
		"garbage":        {func(dir string) error { return os.WriteFile(filepath.Join(dir, "FORMAT"), nil, 0o600) }, ""},
		"no format file": {func(dir string) error { return os.Remove(filepath.Join(dir, "FORMAT")) }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := open(t, dir, embedded.Options{})
			if err := errors.Join(s.Replace(t.Context(), entry("a", "text")), s.Close(), c.change(dir)); err != nil {
				t.Fatal(err)
			}
			before := listing(t, dir)
			_, err := embedded.Open(dir, embedded.Options{})
			format, ok := errors.AsType[*embedded.FormatError](err)
			if !ok || format.Found != c.found || format.Dir != dir {
				t.Errorf("error %v, want that the format is %q", err, c.found)
			}
			if after := listing(t, dir); after != before {
				t.Errorf("the directory changed from\n%s\nto\n%s", before, after)
			}
		})
	}
}

// listing returns names and contents of all files but the lock.
func listing(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() || e.Name() == "LOCK" {
			return err
		}
		data, err := os.ReadFile(path)
		b.WriteString(path + " ")
		b.Write(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestOptions(t *testing.T) {
	if _, err := embedded.Open(t.TempDir(), embedded.Options{Vectors: "magic"}); err == nil || !strings.Contains(err.Error(), "magic") {
		t.Errorf("unknown vectors: %v", err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := embedded.Open(file, embedded.Options{}); err == nil {
		t.Error("opened a file as a directory")
	}
}

// A damaged or missing index file is an error when the store is opened that
// says which, and never a wrong answer.
func TestDamagedFiles(t *testing.T) {
	for name, damage := range map[string]func(path string) error{
		"missing": os.Remove,
		"cut":     func(path string) error { return os.Truncate(path, 100) },
		"empty":   func(path string) error { return os.Truncate(path, 0) },
		"another": func(path string) error { return os.WriteFile(path, []byte("something else"), 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := open(t, dir, embedded.Options{})
			if err := errors.Join(s.Replace(t.Context(), entry("a", "text")), s.Close()); err != nil {
				t.Fatal(err)
			}
			if err := damage(filepath.Join(dir, "segments", "000001.lex")); err != nil {
				t.Fatal(err)
			}
			if _, err := embedded.Open(dir, embedded.Options{}); err == nil || !strings.Contains(err.Error(), "000001.lex") {
				t.Errorf("error %v, want one that names the file", err)
			}
		})
	}
}

// Files that no transaction names are left over from a crash and go.
func TestLeftoversAreDeleted(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, embedded.Options{})
	if err := errors.Join(s.Replace(t.Context(), entry("a", "text")), s.Close()); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"000009.lex", "000010.vec", "notes.txt"} {
		if err := os.WriteFile(filepath.Join(dir, "segments", name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s = open(t, dir, embedded.Options{})
	defer func() { _ = s.Close() }()
	if got := names(t, dir); !slices.Equal(got, []string{"000001.lex", "notes.txt"}) {
		t.Errorf("segments hold %q", got)
	}
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(dir, "segments"))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

// A merge keeps files while a view uses them and deletes them with the last one.
func TestFilesLiveAsLongAsViews(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, embedded.Options{})
	if err := s.Replace(t.Context(), entry("a", "text")); err != nil {
		t.Fatal(err)
	}
	v, err := s.View(t.Context(), everyone, noon)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Replace(t.Context(), entry("a", "other")), s.Merge(t.Context())); err != nil {
		t.Fatal(err)
	}
	if got := names(t, dir); !slices.Equal(got, []string{"000001.lex", "000002.lex"}) {
		t.Errorf("with a view: %q", got)
	}
	// The store is closed under the view, which goes on.
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, ids, err := v.Document(t.Context(), "a"); err != nil || len(ids) != 1 {
		t.Errorf("document through the view: %v, %v", ids, err)
	}
	if _, err := embedded.Open(dir, embedded.Options{}); err == nil {
		t.Error("the directory was let go under a view")
	}
	if err := errors.Join(v.Close(), v.Close()); err != nil {
		t.Fatal(err)
	}
	if got := names(t, dir); !slices.Equal(got, []string{"000002.lex"}) {
		t.Errorf("without a view: %q", got)
	}
	if err := open(t, dir, embedded.Options{}).Close(); err != nil {
		t.Error(err)
	}
}

func TestClosed(t *testing.T) {
	s := open(t, "data", embedded.Options{FS: vfs.NewMem()})
	v, err := s.View(t.Context(), everyone, noon)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(v.Close(), s.Close(), s.Close()); err != nil {
		t.Fatal(err)
	}
	_, search := v.SearchText(t.Context(), index.TextQuery{}, 1)
	_, view := s.View(t.Context(), everyone, noon)
	_, stats := s.Stats()
	_, check := s.Check(t.Context())
	for what, err := range map[string]error{
		"search": search, "view": view, "stats": stats, "check": check, "replace": s.Replace(t.Context(), entry("a", "text")),
	} {
		if !errors.Is(err, embedded.ErrClosed) {
			t.Errorf("%s after close: %v", what, err)
		}
	}
}

// Nothing is written to the log of a store that is well, least of all texts.
func TestQuietLog(t *testing.T) {
	var log bytes.Buffer
	s := open(t, "data", embedded.Options{FS: vfs.NewMem(), Logger: slog.New(slog.NewTextHandler(&log, nil))})
	for _, step := range indextest.Script() {
		if err := step.Do(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil || log.Len() > 0 {
		t.Errorf("close: %v, log: %s", err, &log)
	}
}

// What a store would read back as something else, it does not take.
func TestUnsoundEntries(t *testing.T) {
	change := func(f func(*index.Entry)) index.Entry {
		e := entry("a", "one", "two")
		f(&e)
		return e
	}
	s := open(t, "data", embedded.Options{FS: vfs.NewMem()})
	for name, e := range map[string]index.Entry{
		"no id":                     change(func(e *index.Entry) { e.Document.ID = "" }),
		"title in invalid UTF-8":    change(func(e *index.Entry) { e.Document.Title = "\xff" }),
		"chunk of another document": change(func(e *index.Entry) { e.Chunks[1].Doc = "b" }),
		"number of a chunk":         change(func(e *index.Entry) { e.Chunks[1].N = 2 }),
		"gap between chunks":        change(func(e *index.Entry) { e.Chunks[1].Span.Start++ }),
		"span and text differ":      change(func(e *index.Entry) { e.Chunks[1].Text += "x" }),
		"vectors without a model":   change(func(e *index.Entry) { e.Vectors = []embed.Vector{{1}, {1}} }),
	} {
		if err := s.Replace(t.Context(), entry("b", "fine"), e); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if err := s.Reembed(t.Context(), embed.Model{Name: "m", Hash: "m", Dim: 2}, noVectors); err != nil {
		t.Fatal(err)
	}
	for name, v := range map[string]embed.Vector{"length 2": {2, 0}, "zero": {0, 0}} {
		e := entry("a", "one")
		e.Vectors = []embed.Vector{v}
		if err := s.Replace(t.Context(), e); !errors.Is(err, embed.ErrVector) {
			t.Errorf("vector of %s: %v", name, err)
		}
	}
	if st, err := s.Stats(); err != nil || st.Documents != 0 || st.Chunks != 0 {
		t.Errorf("stored %+v, %v", st, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// Texts are bytes: what extraction found comes back unchanged.
func TestTextsAreBytes(t *testing.T) {
	s := open(t, "data", embedded.Options{FS: vfs.NewMem()})
	e := entry("a", "caf\xe9 \x00 end")
	e.Chunks[0].Heading, e.Chunks[0].Context = []string{"\xff", ""}, "\xfe"
	if err := s.Replace(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	v, err := s.View(t.Context(), everyone, noon)
	if err != nil {
		t.Fatal(err)
	}
	_, ids, err := v.Document(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	chunks, err := v.Chunks(t.Context(), ids)
	if err != nil || chunks[0].Text != e.Chunks[0].Text || !slices.Equal(chunks[0].Heading, e.Chunks[0].Heading) || chunks[0].Context != "\xfe" {
		t.Errorf("chunk %+v, %v", chunks, err)
	}
	if err := errors.Join(v.Close(), s.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestStats(t *testing.T) {
	s := open(t, "data", embedded.Options{FS: vfs.NewMem()})
	other := entry("c", "three")
	other.Document.ACL = acl.Allow("user:ann")
	if err := errors.Join(s.Replace(t.Context(), entry("a", "one", "two"), entry("b", "three"), other), s.Delete(t.Context(), "b")); err != nil {
		t.Fatal(err)
	}
	got, err := s.Stats()
	if err != nil {
		t.Fatal(err)
	}
	if got.Bytes <= 0 {
		t.Errorf("%d bytes", got.Bytes)
	}
	got.Bytes = 0
	if want := (embedded.Stats{Revision: 2, Documents: 2, Chunks: 3, Dead: 1, Segments: 1, Classes: 2}); got != want {
		t.Errorf("stats %+v, want %+v", got, want)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
