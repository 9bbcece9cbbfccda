package ingest_test

import (
	"context"
	"fmt"
	"testing/fstest"

	"ken/corpora/extract"
	"ken/corpora/source/folder"
	"ken/embed/hashed"
	"ken/index/indextest"
	"ken/index/ingest"
)

func Example() {
	source, err := folder.New(fstest.MapFS{
		"leave.md": {Data: []byte("# Leave\n\nTwelve weeks.")},
		"logo.png": {Data: []byte("\x89PNG\r\n\x1a\n\x00")},
	}, folder.Options{Name: "handbook", Owner: "user:ann"})
	if err != nil {
		fmt.Println(err)
		return
	}
	embedder, err := hashed.New(hashed.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	s, err := ingest.Run(context.Background(), ingest.Options{
		Store: indextest.NewOracle(), Embedder: embedder, Extract: extract.Default(),
	}, source)
	fmt.Println(s.Added, s.Skipped, s.Complete, err)
	// Output: 1 map[.png:1] true <nil>
}
