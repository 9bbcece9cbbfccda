package tools

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/index"
)

// Administrator changes documents for those whom an [Authority] lets. It gives
// out nothing of what a document says. A document that is not there is
// index.ErrNotFound.
type Administrator interface {
	Exists(ctx context.Context, id corpora.DocID) (bool, error)
	// Delete takes a document out of the index, and out of what later ingests bring.
	Delete(ctx context.Context, id corpora.DocID) error
	// SetACL replaces who may read the document. What its class requires stays.
	SetACL(ctx context.Context, id corpora.DocID, l acl.List) error
}

// Names of the tools.
const (
	toolSearch = "search"
	toolFetch  = "fetch"
	toolDelete = "delete_document"
	toolSetACL = "set_acl"
)

// ToolNames are the names of all tools, for a file of roles.
func ToolNames() []string {
	return []string{toolSearch, toolFetch, toolVersions, toolFeedback, toolDelete, toolSetACL, toolCreate, toolUpdate}
}

const maxSubjects = 200 // in one list

const deleteInput = `{"type":"object","additionalProperties":false,"required":["id"],"properties":{
"id":{"type":"string","minLength":1,"maxLength":4096}}}`

const subjectsSchema = `{"type":"array","maxItems":200,"items":{"type":"string","minLength":1,"maxLength":512},"description":"user:NAME, group:NAME, everyone or authenticated"}`

const setACLInput = `{"type":"object","additionalProperties":false,"required":["id","allow"],"properties":{
"id":{"type":"string","minLength":1,"maxLength":4096},
"allow":` + subjectsSchema + `,"deny":` + subjectsSchema + `}}`

const doneOutput = `{"type":"object","additionalProperties":false,"required":["id","done"],"properties":{
"id":{"type":"string"},"done":{"type":"string","enum":["deleted","set"]}}}`

type doneAnswer struct {
	ID      string `json:"id"`
	Version string `json:"version,omitempty"` // that the document has now, of what was written
	Done    string `json:"done"`
}

func changing(title string) *mcp.ToolAnnotations {
	yes, no := true, false
	return &mcp.ToolAnnotations{Title: title, DestructiveHint: &yes, IdempotentHint: true, OpenWorldHint: &no}
}

func deleteTool() *mcp.Tool {
	return &mcp.Tool{
		Name: toolDelete, Title: "Delete a document",
		Description: "Delete a document from the knowledge base, for everybody. Only when the user has asked for exactly this.",
		InputSchema: json.RawMessage(deleteInput), OutputSchema: json.RawMessage(doneOutput), Annotations: changing("Delete a document"),
	}
}

func setACLTool() *mcp.Tool {
	return &mcp.Tool{
		Name: toolSetACL, Title: "Set who may read a document",
		Description: "Replace the list of who may read a document. A deny outweighs every allow; an empty allow closes it. Only when the user has asked for exactly this.",
		InputSchema: json.RawMessage(setACLInput), OutputSchema: json.RawMessage(doneOutput), Annotations: changing("Set who may read a document"),
	}
}

// order is one thing that an administrator wants done.
type order struct {
	id       corpora.DocID
	question string // for whoever approves
	done     string
	absent   error                               // the answer where it cannot be done; nil is index.ErrNotFound
	there    func(context.Context) (bool, error) // whether there is what it is about
	do       func(context.Context) (version string, err error)
}

func (s surface) deleteOrder(_ *mcp.CallToolRequest, a *arguments) (order, error) {
	id, err := documentArgument(a)
	if derr := a.done(); derr != nil {
		err = derr
	}
	return order{
		id: id, done: "deleted", question: fmt.Sprintf("Delete the document %s for everybody?", line(showID(id))),
		there: func(ctx context.Context) (bool, error) { return s.opts.Administrator.Exists(ctx, id) },
		do:    func(ctx context.Context) (string, error) { return "", s.opts.Administrator.Delete(ctx, id) },
	}, err
}

func (s surface) setACLOrder(_ *mcp.CallToolRequest, a *arguments) (order, error) {
	id, err := documentArgument(a)
	allow, deny := a.subjects("allow"), a.subjects("deny")
	if _, said := a.values["allow"]; !said {
		a.fail("allow", "is required: [] lets nobody read")
	}
	if derr := a.done(); derr != nil {
		err = derr
	}
	l := acl.NewList(acl.Grants(allow...), acl.Grants(deny...))
	question := fmt.Sprintf("Let %s read the document %s, and nobody else?", names(allow, "nobody"), line(showID(id)))
	if len(deny) > 0 {
		question = fmt.Sprintf("Let %s, but not %s, read the document %s, and nobody else?", names(allow, "nobody"), names(deny, ""), line(showID(id)))
	}
	return order{
		id: id, done: "set", question: question,
		there: func(ctx context.Context) (bool, error) { return s.opts.Administrator.Exists(ctx, id) },
		do:    func(ctx context.Context) (string, error) { return "", s.opts.Administrator.SetACL(ctx, id, l) },
	}, err
}

func names(subjects []acl.Subject, none string) string {
	if len(subjects) == 0 {
		return none
	}
	out := make([]string, len(subjects))
	for i, s := range subjects {
		out[i] = line(string(s))
	}
	return strings.Join(out, ", ")
}

// documentArgument reads an id. One that cannot be is no document.
func documentArgument(a *arguments) (corpora.DocID, error) {
	shown := a.required("id", maxID)
	id, ok := readID(shown)
	if !ok {
		return "", index.ErrNotFound
	}
	return id, nil
}

// subjects is a list of subjects.
func (a *arguments) subjects(name string) []acl.Subject {
	var list []string
	if !a.take(name, "a list of subjects", &list) {
		return nil
	}
	if len(list) > maxSubjects {
		a.fail(name, "has %d subjects, more than %d", len(list), maxSubjects)
		return nil
	}
	out := make([]acl.Subject, 0, len(list))
	for _, text := range list {
		subject, err := acl.ParseSubject(text)
		if err != nil || subject.IsClearance() {
			a.fail(name, "%q is no subject: want user:NAME, group:NAME, everyone or authenticated", line(text))
			return nil
		}
		out = append(out, subject)
	}
	return out
}

// administer makes a protocol handler of a tool that changes a document. Who may
// not administer the document, and whoever names one that is not there, is told
// the same. Waiting for a person takes no place from those who read.
func (s surface) administer(read func(*mcp.CallToolRequest, *arguments) (order, error)) mcp.ToolHandler {
	return func(ctx context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		res, err := s.carryOut(ctx, req, read)
		if err != nil {
			return s.explained(ctx, err).result(), nil
		}
		return res, nil
	}
}

func (s surface) carryOut(ctx context.Context, req *mcp.CallToolRequest, read func(*mcp.CallToolRequest, *arguments) (order, error)) (*mcp.CallToolResult, error) {
	args, err := readArguments(req.Params.Arguments)
	if err != nil {
		return nil, err
	}
	o, err := read(req, args)
	if err != nil {
		return nil, err
	}
	approval, err := s.mayOrder(ctx, req, o)
	if err != nil {
		return nil, err
	}
	if approval {
		if later, err := s.approve(ctx, req, o.question); later != nil || err != nil {
			return later, err
		}
		if _, err := s.mayOrder(ctx, req, o); err != nil { // much may have changed meanwhile
			return nil, err
		}
	}
	version := ""
	err = s.change(ctx, func(ctx context.Context) (err error) {
		version, err = o.do(ctx)
		return err
	})
	if conflicts(err) {
		return s.conflict(ctx, req, o.id, err), nil
	}
	if err != nil {
		return nil, err
	}
	if version != "" {
		leave(ctx, Left{Document: o.id, Version: version})
	}
	return answer(doneAnswer{showID(o.id), version, o.done}), nil
}

// change runs work that changes a document. Such work waits for other such work, and
// so has a part of the places alone: of those who read, it keeps nobody waiting.
func (s surface) change(ctx context.Context, work func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	leave, err := s.changes.Enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	return s.bounded(ctx, work)
}

// mayOrder refuses what the sender may not administer, and says whether a
// person has to approve it.
func (s surface) mayOrder(ctx context.Context, req *mcp.CallToolRequest, o order) (approval bool, err error) {
	err = s.bounded(ctx, func(ctx context.Context) error {
		u, err := s.use(ctx, req, req.Params.Name)
		if err != nil {
			return err
		}
		absent := cmp.Or(o.absent, index.ErrNotFound)
		if !u.Covers(o.id) {
			return absent
		}
		approval = u.Approval
		there, err := o.there(ctx)
		if err == nil && !there {
			err = absent
		}
		return err
	})
	return approval, err
}
