package embedded_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/index"
	"ken/index/analyze"
	"ken/index/embedded"
)

// Two people ask the same store the same question.
func Example() {
	ctx := context.Background()
	s, err := embedded.Open("data", embedded.Options{FS: vfs.NewMem()})
	if err != nil {
		fmt.Println(err)
		return
	}
	page := func(id corpora.DocID, text string, readers ...acl.Subject) index.Entry {
		d := corpora.Document{ID: id, Language: "en", ACL: acl.Allow(readers...)}
		return index.Entry{Document: d, Chunks: []index.Chunk{{Doc: id, Text: text, Span: index.Span{End: len(text)}}}}
	}
	err = s.Replace(ctx, page("leave.md", "Everybody has 26 weeks of leave.", acl.Everyone), page("cuts.md", "Leave will be cut.", "group:hr"))
	for _, who := range []acl.Principal{acl.NewPrincipal("user:bob"), acl.NewPrincipal("user:ann", "group:hr")} {
		err = errors.Join(err, ask(ctx, s, who, "leave"))
	}
	if err = errors.Join(err, s.Close()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// user:bob
	//   leave.md: Everybody has 26 weeks of leave.
	// user:ann
	//   cuts.md: Leave will be cut.
	//   leave.md: Everybody has 26 weeks of leave.
}

func ask(ctx context.Context, s *embedded.Store, who acl.Principal, question string) error {
	v, err := s.View(ctx, who, time.Now())
	if err != nil {
		return err
	}
	fmt.Println(who.User())
	q := index.TextQuery{Terms: analyze.Query(question, v.Languages()), BM25: index.BM25{K1: 1.2, B: .75, Title: 3}}
	hits, err := v.SearchText(ctx, q, 10)
	for _, h := range hits {
		chunks, gate := v.Chunks(ctx, []index.ChunkID{h.ID})
		if gate != nil {
			return gate
		}
		fmt.Printf("  %s: %s\n", chunks[0].Doc, chunks[0].Text)
	}
	return errors.Join(err, v.Close())
}
