package tools

import (
	"context"
	"encoding/json"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/eval/feedback"
	"ken/index"
	"ken/retrieval"
)

// Recorder keeps feedback. A [feedback.Log] is one.
type Recorder interface {
	Record(context.Context, feedback.Record) error
}

const toolFeedback = "feedback"

func feedbackTool() *mcp.Tool {
	yes, no := true, false
	return &mcp.Tool{
		Name: toolFeedback, Title: "Say whether a passage was useful",
		Description: "Record whether a document or passage that search gave answered the question. Give start and end of its citation to mean the passage alone. It changes no ranking.",
		InputSchema: json.RawMessage(feedbackInput), OutputSchema: json.RawMessage(feedbackOutput),
		Annotations: &mcp.ToolAnnotations{Title: "Say whether a passage was useful", DestructiveHint: &no, IdempotentHint: yes, OpenWorldHint: &no},
	}
}

const feedbackInput = `{"type":"object","additionalProperties":false,"required":["query","id","useful"],"properties":{
"query":{"type":"string","minLength":1,"maxLength":8192},
"id":{"type":"string","minLength":1,"maxLength":4096},
"useful":{"type":"boolean"},
"start":{"type":"integer","minimum":0},"end":{"type":"integer","minimum":0}}}`

const feedbackOutput = `{"type":"object","additionalProperties":false,"required":["id","recorded"],"properties":{
"id":{"type":"string"},"recorded":{"type":"boolean"}}}`

type feedbackAnswer struct {
	ID       string `json:"id"`
	Recorded bool   `json:"recorded"`
}

// feedback records what the principal says of a document that it may read. One
// that it may not, or that does not exist, is not found.
func (s surface) feedback(ctx context.Context, p acl.Principal, a *arguments) (any, error) {
	query, shown := a.required("query", retrieval.MaxQuery), a.required("id", maxID)
	useful := a.flag("useful")
	span := index.Span{Start: a.number("start", 0, maxOffset, 0), End: a.number("end", 0, maxOffset, 0)}
	if _, said := a.values["useful"]; !said {
		a.fail("useful", "is required")
	}
	if span.End < span.Start {
		a.fail("end", "must not be before start")
	}
	if err := a.done(); err != nil {
		return nil, err
	}
	id, ok := readID(shown)
	if !ok {
		return nil, index.ErrNotFound
	}
	d, err := s.named(ctx, p, id)
	if err != nil {
		return nil, err
	}
	err = s.opts.Feedback.Record(ctx, feedback.Record{
		Time: s.opts.Clock().UTC(), Subjects: p.Subjects(), Query: query, Document: d.ID, Version: d.Version, Span: span, Useful: useful,
	})
	return feedbackAnswer{showID(d.ID), true}, err
}

// named returns the metadata of a readable document. No text of it is read.
func (s surface) named(ctx context.Context, p acl.Principal, id corpora.DocID) (corpora.Document, error) {
	found, err := s.searcher.Documents(ctx, p, string(id), "", 1)
	if err != nil {
		return corpora.Document{}, err
	}
	if len(found) == 0 || found[0].ID != id {
		return corpora.Document{}, index.ErrNotFound
	}
	return found[0], nil
}
