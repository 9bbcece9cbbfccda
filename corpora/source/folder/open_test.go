package folder_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"ken/corpora"
	"ken/corpora/source/folder"
)

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "file", "")
	tests := []struct {
		name, dir string
		options   folder.Options
		want      string
	}{
		{"missing", filepath.Join(dir, "none"), folder.Options{}, "there is no such folder"},
		{"a file", filepath.Join(dir, "file"), folder.Options{}, "it is a file; give the folder that holds it"},
		{"the root of the disk has no name", "/", folder.Options{}, "want UTF-8 without slashes"},
		{"a name with a slash", dir, folder.Options{Name: "a/b"}, "want UTF-8 without slashes"},
		{"a malformed owner", dir, folder.Options{Owner: "ann"}, "malformed subject"},
		{"a negative limit", dir, folder.Options{MaxBytes: -1}, "want more than 0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := folder.Open(tt.dir, tt.options)
			if err == nil || s != nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
	if _, err := folder.New(fstest.MapFS{}, folder.Options{}); err == nil {
		t.Error("a file system without a name: no error")
	}
	if _, err := folder.Open(filepath.Join(dir, "none"), folder.Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v is not fs.ErrNotExist", err)
	}
}

func TestNameIsTheFoldersName(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "hand book")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if got := open(t, dir+"/", folder.Options{}).Name(); got != "hand book" {
		t.Errorf("name %q", got)
	}
}

func ExampleNew() {
	ctx := context.Background()
	s, err := folder.New(fstest.MapFS{
		".ken/acl.yaml":   {Data: []byte("version: 1\ndefault: {allow: [everyone]}\nrules:\n  - {path: 'people/**', allow: [group:hr]}\n")},
		"people/bands.md": {Data: []byte("# Bands\n")},
		"welcome.md":      {Data: []byte("# Welcome\n")},
	}, folder.Options{Name: "handbook"})
	if err != nil {
		fmt.Println(err)
		return
	}
	for c, err := range s.Changes(ctx, "") {
		if err != nil {
			fmt.Println(err)
			continue
		}
		if c.Op == corpora.Complete {
			fmt.Println("complete")
			continue
		}
		d, _, err := c.Load(ctx)
		fmt.Println(d.ID, d.ACL.Allow()[0].Subject, err)
	}
	// Output:
	// handbook/people/bands.md group:hr <nil>
	// handbook/welcome.md everyone <nil>
	// complete
}
