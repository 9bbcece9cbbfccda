package openai_test

import (
	"context"
	"fmt"
	"net/http/httptest"

	"ken/embed"
	"ken/embed/openai"
)

func Example() {
	server := httptest.NewServer(&endpoint{}) // stands for Ollama, vLLM, OpenAI, …
	defer server.Close()
	ctx := context.Background()
	e, err := openai.New(ctx, openai.Options{
		BaseURL: server.URL + "/v1", Model: "nomic-embed-text",
		QueryPrefix: "search_query: ", PassagePrefix: "search_document: ",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer e.Close()
	vs, err := e.Embed(ctx, embed.Query, []string{"how long is parental leave?"})
	fmt.Println(e.Model().Name, len(vs), len(vs[0]), err)
	// Output: nomic-embed-text 1 8 <nil>
}
