package retrieval_test

import (
	"context"
	"fmt"
	"time"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/index"
	"ken/index/indextest"
	"ken/retrieval"
)

// Two people ask the same question and get what each may read.
func ExampleSearcher_Search() {
	ctx := context.Background()
	store := indextest.NewOracle()
	put := func(id corpora.DocID, text string, reader acl.Subject) {
		err := store.Replace(ctx, index.Entry{
			Document: corpora.Document{ID: id, Language: "en", Version: "v1", ACL: acl.Allow(reader)},
			Chunks:   []index.Chunk{{Doc: id, Text: text, Span: index.Span{End: len(text)}, Tokens: 8}},
		})
		if err != nil {
			fmt.Println(err)
		}
	}
	put("staff/leave.md", "Parents get 18 weeks of leave.", "group:staff")
	put("contractors/leave.md", "Parents get 4 weeks of leave.", "group:contractors")

	searcher, err := retrieval.New(store, retrieval.Options{Clock: func() time.Time { return noon }})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, who := range []acl.Principal{acl.NewPrincipal("user:ines", "group:staff"), acl.NewPrincipal("user:dov", "group:contractors")} {
		answer, err := searcher.Search(ctx, who, retrieval.Request{Query: "How much parental leave do I get?", Mode: retrieval.Lexical})
		if err != nil {
			fmt.Println(err)
			return
		}
		for _, result := range answer.Results {
			fmt.Println(who.User(), result.Document.ID, result.Passages[0].Text)
		}
	}
	// Output:
	// user:ines staff/leave.md Parents get 18 weeks of leave.
	// user:dov contractors/leave.md Parents get 4 weeks of leave.
}
