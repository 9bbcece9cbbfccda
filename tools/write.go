package tools

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/corpora/extract"
	"ken/index"
)

// Draft is a document as somebody writes it.
type Draft struct {
	ID        corpora.DocID
	Title     string // "" lets the text tell
	Text      string
	MediaType string
	Class     string
	Tags      []string
	Allow     []acl.Subject // who may read it; none: nobody
	Deny      []acl.Subject
	By        acl.Subject // who writes it; "" is not known
}

// Edit is a change of a document. What is nil stays, and so do who may read it and
// its class.
type Edit struct {
	ID        corpora.DocID
	IfVersion string // that it has; another one is ErrVersion
	Title     *string
	Text      *string
	Tags      *[]string
	By        acl.Subject
}

// Writer keeps what people write. When a call returns a version, the document is
// durable and found by searches that begin afterwards; with an error nothing has
// changed. Calls for one document follow one another.
type Writer interface {
	// Create keeps a new document. One that is there already is [ErrTaken], unless it
	// says the same, and whoever writes reads it or wrote it: then its version is
	// returned. One that was erased is ErrTaken too.
	Create(ctx context.Context, d Draft, reads func(context.Context) (bool, error)) (version string, err error)
	// Update changes a document that has the version still, else [ErrVersion].
	Update(ctx context.Context, e Edit) (version string, err error)
}

// What a [Writer] refuses.
var (
	ErrPlace   = errors.New("no document can be written there")
	ErrTaken   = errors.New("the id is taken")
	ErrVersion = errors.New("the document has another version")
	ErrRefused = errors.New("the document cannot be taken in")
	ErrClosed  = errors.New("documents cannot be written now")
)

const (
	toolCreate = "create_document"
	toolUpdate = "update_document"

	maxTitle = 512
	maxText  = 1 << 20 // bytes
)

const draftSchema = `"title":{"type":"string","maxLength":512},"tags":{"type":"array","maxItems":20,"items":{"type":"string","minLength":1,"maxLength":512}}`

const createInput = `{"type":"object","additionalProperties":false,"required":["id","text"],"properties":{
"id":{"type":"string","minLength":1,"maxLength":4096,"description":"SOURCE/PATH"},
"text":{"type":"string","minLength":1,"maxLength":1048576},` + draftSchema + `,
"media_type":{"type":"string","enum":["text/markdown","text/plain","text/html"],"default":"text/markdown"},
"class":{"type":"string","maxLength":512},
"allow":` + subjectsSchema + `,"deny":` + subjectsSchema + `}}`

const updateInput = `{"type":"object","additionalProperties":false,"required":["id","if_version"],"properties":{
"id":{"type":"string","minLength":1,"maxLength":4096},
"if_version":{"type":"string","minLength":1,"maxLength":128,"description":"as fetch tells it"},
"text":{"type":"string","minLength":1,"maxLength":1048576},` + draftSchema + `}}`

const writtenOutput = `{"type":"object","additionalProperties":false,"required":["id","version","done"],"properties":{
"id":{"type":"string"},"version":{"type":"string"},"done":{"type":"string","enum":["created","updated"]}}}`

func createTool() *mcp.Tool {
	a := changing("Create a document")
	*a.DestructiveHint = false
	return &mcp.Tool{
		Name: toolCreate, Title: "Create a document",
		Description: "Add a document to the knowledge base. Nobody may read it but those whom allow names. The same call again changes nothing. Only when the user has asked for exactly this.",
		InputSchema: json.RawMessage(createInput), OutputSchema: json.RawMessage(writtenOutput), Annotations: a,
	}
}

func updateTool() *mcp.Tool {
	a := changing("Change a document")
	a.IdempotentHint = false // the second time it has another version
	return &mcp.Tool{
		Name: toolUpdate, Title: "Change a document",
		Description: "Replace title, text or tags of a document that still has the version if_version; what is left out stays. Only when the user has asked for exactly this.",
		InputSchema: json.RawMessage(updateInput), OutputSchema: json.RawMessage(writtenOutput), Annotations: a,
	}
}

func (s surface) createOrder(req *mcp.CallToolRequest, a *arguments) (order, error) {
	id, err := documentArgument(a)
	d := Draft{
		ID: id, Title: a.oneLine("title", maxTitle), Text: a.required("text", maxText), Class: a.oneLine("class", maxValue), Tags: a.tags(),
		MediaType: a.choice("media_type", extract.Markdown, extract.Plain, extract.HTML), By: s.principal(req).User(),
	}
	if d.MediaType == "" {
		d.MediaType = extract.Markdown
	}
	d.Allow, d.Deny = a.subjects("allow"), a.subjects("deny")
	a.saysNoReaders(id, d.MediaType, d.Text)
	if derr := a.done(); derr != nil {
		err = derr
	}
	if errors.Is(err, index.ErrNotFound) {
		err = ErrPlace
	}
	question := fmt.Sprintf("Create the document %s (%d bytes), and let %s read it?", line(showID(id)), len(d.Text), names(d.Allow, "nobody"))
	if len(d.Deny) > 0 {
		question = fmt.Sprintf("Create the document %s (%d bytes), and let %s, but not %s, read it?", line(showID(id)), len(d.Text), names(d.Allow, "nobody"), names(d.Deny, ""))
	}
	return order{
		id: id, done: "created", question: question, absent: ErrPlace,
		there: func(context.Context) (bool, error) { return true, nil },
		do: func(ctx context.Context) (string, error) {
			return s.opts.Writer.Create(ctx, d, func(ctx context.Context) (bool, error) { return s.reads(ctx, req, id) })
		},
	}, err
}

func (s surface) updateOrder(req *mcp.CallToolRequest, a *arguments) (order, error) {
	id, err := documentArgument(a)
	e := Edit{ID: id, IfVersion: a.required("if_version", 128), By: s.principal(req).User()}
	if title := a.oneLine("title", maxTitle); a.said("title") {
		e.Title = &title
	}
	if text := a.text("text", maxText); a.said("text") {
		a.required("text", maxText)
		a.saysNoReaders(id, extract.Markdown, text)
		e.Text = &text
	}
	if tags := a.tags(); a.said("tags") {
		e.Tags = &tags
	}
	if e.Title == nil && e.Text == nil && e.Tags == nil {
		a.fail("text", "or title, or tags: say what to change")
	}
	if derr := a.done(); derr != nil {
		err = derr
	}
	return order{
		id: id, done: "updated", question: fmt.Sprintf("Change the document %s?", line(showID(id))), absent: index.ErrNotFound,
		there: func(ctx context.Context) (bool, error) { return s.reads(ctx, req, id) },
		do:    func(ctx context.Context) (string, error) { return s.opts.Writer.Update(ctx, e) },
	}, err
}

// oneLine is a text without ends of lines.
func (a *arguments) oneLine(name string, max int) string {
	s := a.text(name, max)
	if strings.ContainsFunc(s, unicode.IsControl) {
		a.fail(name, "has more than one line")
	}
	return s
}

// tags are sorted, each once.
func (a *arguments) tags() []string {
	tags := a.texts("tags")
	for _, t := range tags {
		if strings.ContainsFunc(t, unicode.IsControl) {
			a.fail("tags", "has a tag with more than one line")
		}
	}
	slices.Sort(tags)
	return slices.Compact(tags)
}

// said reports whether an argument is there.
func (a *arguments) said(name string) bool {
	raw, ok := a.values[name]
	return ok && string(raw) != "null"
}

// saysNoReaders refuses a text that says itself who may read it: that is said in one
// place, which no later edit of the text can take back.
func (a *arguments) saysNoReaders(id corpora.DocID, mediaType, text string) {
	meta, err := extract.Metadata(extract.Input{Path: string(id), MediaType: mediaType, Data: []byte(text)})
	switch {
	case err != nil:
		a.fail("text", "has front matter that is not understood")
	case meta.ACL.States || len(meta.ACL.Deny) > 0:
		a.fail("text", "says in its front matter who may read it: leave that out")
	}
}

// reads reports whether the sender may read a document.
func (s surface) reads(ctx context.Context, req *mcp.CallToolRequest, id corpora.DocID) (bool, error) {
	_, reads, err := s.searcher.current(ctx, s.principal(req), id)
	return reads, err
}

// conflicts are the refusals after which whoever reads a document is told its version.
func conflicts(err error) bool { return errors.Is(err, ErrTaken) || errors.Is(err, ErrVersion) }

// conflict is an error of a write, with the version that the document has if the
// sender may read it.
func (s surface) conflict(ctx context.Context, req *mcp.CallToolRequest, id corpora.DocID, err error) *mcp.CallToolResult {
	f := s.explained(ctx, err)
	if !conflicts(err) {
		return f.result()
	}
	if version, reads, cerr := s.searcher.current(ctx, s.principal(req), id); cerr == nil && reads {
		leave(ctx, Left{Document: id, Version: version})
		f.Version = version
	}
	return f.result()
}
