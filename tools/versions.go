package tools

import (
	"context"
	"encoding/json"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"ken/corpora/acl"
	"ken/index"
)

const toolVersions = "list_versions"

func versionsTool() *mcp.Tool {
	return &mcp.Tool{
		Name:        toolVersions,
		Title:       "List the versions of a document",
		Description: "List the version that a document has now and the earlier ones that are kept, the newest first. fetch reads one by id and version.",
		InputSchema: json.RawMessage(versionsInput), OutputSchema: json.RawMessage(versionsOutput),
		Annotations: readOnly("List the versions of a document"), Meta: resultSize(),
	}
}

const versionsInput = `{"type":"object","additionalProperties":false,"required":["id"],"properties":{
"id":{"type":"string","minLength":1,"maxLength":4096}}}`

const versionsOutput = `{"type":"object","additionalProperties":false,"required":["id","versions","retrieved_at"],"properties":{
"id":{"type":"string"},"retrieved_at":{"type":"string"},
"versions":{"type":"array","items":{"type":"object","additionalProperties":false,"required":["version","current","title","status"],"properties":{
"version":{"type":"string"},"current":{"type":"boolean"},"pinned":{"type":"boolean"},"title":{"type":"string"},"status":{"type":"string"},"modified":{"type":"string"},"warning":{"type":"string"}}}}}}`

type versionsAnswer struct {
	ID          string        `json:"id"`
	Versions    []versionLine `json:"versions"`
	RetrievedAt string        `json:"retrieved_at"`
}

type versionLine struct {
	Version  string `json:"version"`
	Current  bool   `json:"current"`
	Pinned   bool   `json:"pinned,omitempty"` // it stays, however many are kept
	Title    string `json:"title"`
	Status   string `json:"status"`
	Modified string `json:"modified,omitempty"`
	Warning  string `json:"warning,omitempty"` // about the title
}

// versions lists what of a document's past the principal may read. It does not
// tell when a version was replaced: what came next may be closed to the
// principal, and so is when it came.
func (s surface) versions(ctx context.Context, p acl.Principal, a *arguments) (any, error) {
	shown := a.required("id", maxID)
	if err := a.done(); err != nil {
		return nil, err
	}
	id, ok := readID(shown)
	if !ok {
		return nil, index.ErrNotFound
	}
	now, earlier, err := s.searcher.Versions(ctx, p, id)
	if err != nil {
		return nil, err
	}
	out := versionsAnswer{ID: showID(id), RetrievedAt: instant(s.opts.Clock())}
	add := func(v index.Version, current bool) {
		d := v.Document
		out.Versions = append(out.Versions, versionLine{
			Version: d.Version, Current: current, Pinned: v.Pinned, Title: documentTitle(d), Status: status(d), Modified: instant(d.Modified), Warning: warning(d.Title),
		})
	}
	add(now, true)
	for _, v := range earlier {
		add(v, false)
	}
	return out, nil
}
