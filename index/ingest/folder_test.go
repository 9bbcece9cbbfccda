package ingest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ken/corpora/source/folder"
	"ken/index/ingest"
)

// files is a folder on disk.
type files struct {
	t    *testing.T
	root string
}

func (f files) write(name, text string) {
	f.t.Helper()
	path := filepath.Join(f.root, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		f.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		f.t.Fatal(err)
	}
}

func (f files) remove(name string) {
	f.t.Helper()
	if err := os.Remove(filepath.Join(f.root, filepath.FromSlash(name))); err != nil {
		f.t.Fatal(err)
	}
}

// The real parts from end to end: files, policy and front matter into a store
// on disk.
func TestFolderIntoAnEmbeddedStore(t *testing.T) {
	f := files{t, t.TempDir()}
	f.write("leave.md", "# Leave\n\nTwelve weeks of parental leave.")
	f.write("pay.md", "---\ntitle: Pay\n---\nSalaries are paid on the 25th.")
	f.write("people/reviews.txt", "Reviews are held in May.")
	source, err := folder.Open(f.root, folder.Options{Name: "shelf", Owner: "user:ann"})
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	store, e := openEmbedded(t), newMeter(t, 64)
	step := func(what, want, readable string) {
		t.Helper()
		e.texts = 0
		s, err := ingest.Run(t.Context(), options(store, e), source)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if got := brief(s); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
		if got := reads(t, store, "user:ann"); got != readable {
			t.Errorf("%s: user:ann reads %q, want %q", what, got, readable)
		}
	}

	step("the first run", "seen 3 added 3", "leave.md pay.md people/reviews.txt")
	step("again", "seen 3 unchanged 3", "leave.md pay.md people/reviews.txt")

	f.write("leave.md.acl.yaml", "allow: [group:hr]\n")
	step("a sidecar revokes", "seen 3 acl 1 unchanged 2", "pay.md people/reviews.txt")
	if e.texts != 0 {
		t.Errorf("a revoke embedded %d texts", e.texts)
	}

	f.write("pay.md", "---\ntitle: [Pay\n---\nSalaries")
	step("front matter breaks", "seen 3 unchanged 2; shelf/pay.md load closed", "people/reviews.txt")

	f.write("leave.md.acl.yaml", "allow: [user ann]\n")
	step("a sidecar breaks", "seen 3 unchanged 1; shelf/leave.md load closed", "people/reviews.txt")

	f.remove("leave.md.acl.yaml")
	f.write("pay.md", "---\ntitle: Pay\n---\nSalaries are paid on the 24th.")
	step("all is mended", "seen 3", "leave.md pay.md people/reviews.txt")

	f.remove("people/reviews.txt")
	step("a file goes", "seen 2 unchanged 2 deleted 1", "leave.md pay.md")
}
