package folder_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ken/corpora/extract"
	"ken/corpora/frontmatter"
	"ken/corpora/source/folder"
	"ken/eval/evaldata"
)

// The folder of a real handbook, as its authors wrote it: every page loads and
// gives a text and a title.
func TestHandbook(t *testing.T) {
	set := evaldata.Dir(t, "handbook-18f")
	top := t.TempDir()
	unpack(t, filepath.Join(set, "tree.tar.gz"), top)
	s := open(t, filepath.Join(top, "handbook-18f"), folder.Options{Owner: "user:ann"})
	r := read(t, s)
	if r.err != nil || !r.complete || len(r.errs) > 0 {
		t.Fatalf("error %v, complete %v, documents with errors %v", r.err, r.complete, r.errs)
	}
	pages := 0
	for _, p := range r.order {
		if strings.HasPrefix(p, "pages/") {
			pages++
		}
		checkPage(t, filepath.Join(top, "handbook-18f", filepath.FromSlash(p)), p)
	}
	if pages != 244 {
		t.Errorf("%d pages, want 244", pages)
	}
}

func checkPage(t *testing.T, file, p string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text, err := extract.Default().Extract(t.Context(), extract.Input{Path: p, MediaType: extract.MediaType(p, data), Data: data})
	if err != nil || text.Title == "" {
		t.Errorf("%s: title %q, %v", p, text.Title, err)
	}
	_, body, err := frontmatter.Split(data)
	if err != nil {
		t.Fatal(err)
	}
	// The pages hold short comments and no other hidden text; some are
	// redirections and hold nothing at all.
	if body = bytes.TrimSpace(body); len(text.Body) < len(body)*3/4 {
		t.Errorf("%s: %d of %d bytes are left", p, len(text.Body), len(body))
	}
}

func unpack(t *testing.T, archive, dir string) {
	t.Helper()
	f, err := os.Open(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		write(t, dir, h.Name, string(data))
	}
}
