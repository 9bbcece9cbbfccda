package tools_test

import (
	"context"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/embed"
	"ken/embed/hashed"
	"ken/index"
	"ken/index/chunk"
	"ken/index/embedded"
	"ken/retrieval"
	"ken/tools"
)

// One document that all may read, served to one client over a pipe.
func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	searcher, closeStore, err := oneDocument(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer closeStore()

	server, err := tools.New(searcher, tools.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	here, there := mcp.NewInMemoryTransports()
	done := make(chan error, 1)
	go func() { done <- server.Run(ctx, acl.NewPrincipal("user:ann"), there) }()

	client, err := mcp.NewClient(&mcp.Implementation{Name: "example", Version: "1"}, nil).Connect(ctx, here, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	found, err := client.CallTool(ctx, &mcp.CallToolParams{Name: "search", Arguments: map[string]any{"query": "weeks of leave"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	first := found.StructuredContent.(map[string]any)["results"].([]any)[0].(map[string]any)
	fmt.Println(first["title"], first["url"])
	fmt.Println(client.Close(), <-done)
	// Output:
	// Parental leave ken://doc/handbook%2Fleave.md
	// <nil> <nil>
}

func oneDocument(ctx context.Context) (*retrieval.Searcher, func() error, error) {
	store, err := embedded.Open("kb", embedded.Options{FS: vfs.NewMem()})
	if err != nil {
		return nil, nil, err
	}
	embedder, err := hashed.New(hashed.Options{})
	if err != nil {
		return nil, nil, err
	}
	none := func(context.Context, []index.Chunk) ([]embed.Vector, error) { return nil, nil }
	if err := store.Reembed(ctx, embedder.Model(), none); err != nil {
		return nil, nil, err
	}
	d := corpora.Document{ID: "handbook/leave.md", Title: "Parental leave", MediaType: "text/plain", Language: "en", Version: "1", ACL: acl.Allow(acl.Everyone)}
	text := "Every parent gets 26 weeks of paid leave.\n"
	chunks := chunk.Split(text, d.MediaType, chunk.Options{})
	for i := range chunks {
		chunks[i].Doc = d.ID
	}
	vectors, err := embedder.Embed(ctx, embed.Passage, []string{text})
	if err != nil {
		return nil, nil, err
	}
	if err := store.Replace(ctx, index.Entry{Document: d, Chunks: chunks, Vectors: vectors}); err != nil {
		return nil, nil, err
	}
	searcher, err := retrieval.New(store, retrieval.Options{Embedder: embedder})
	return searcher, store.Close, err
}
