package extract_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ken/corpora/extract"
)

var update = flag.Bool("update", false, "write the golden files anew")

// Each page in testdata/golden has beside it what is extracted from it.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/golden/*")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, file := range files {
		if strings.HasSuffix(file, ".golden") {
			continue
		}
		n++
		t.Run(filepath.Base(file), func(t *testing.T) { golden(t, file) })
	}
	if n < 10 {
		t.Errorf("only %d pages found", n)
	}
}

func golden(t *testing.T, file string) {
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Base(file)
	text, err := extract.Default().Extract(t.Context(), extract.Input{Path: name, MediaType: extract.MediaType(name, data), Data: data})
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprintf("title: %s\ntype: %s\nlanguage: %s\n\n%s", text.Title, text.MediaType, text.Language, text.Body)
	if *update {
		if err := os.WriteFile(file+".golden", []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file + ".golden")
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}
