package tools

import (
	"bytes"
	"encoding/json"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// structured is what a tool answers. It says that the result holds it and one text
// item with its JSON, and nothing else.
type structured struct{ answer any }

// answer is the result of a tool that did what it was asked.
func answer(what any) *mcp.CallToolResult {
	return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: string(encode(what))}}, StructuredContent: structured{what}}
}

// encode writes JSON without escaping <, > and &, which would cost readers of
// the text item tokens. What is encoded holds strings, numbers and times only.
func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // caught by [surface.bounded]
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// plainResult is an [mcp.CallToolResult] without methods that encode it. What such
// a method returns encoding/json reads once more, byte by byte, and the library has
// three of them, one in the other: that took as long as all else around a search.
type plainResult struct {
	mcp.ResultBase
	Content    [1]textItem `json:"content"`
	Structured any         `json:"structuredContent"`
	Type       string      `json:"resultType,omitempty"`
}

type textItem struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

// plain returns the result of a request as it is encoded best: if it is an
// [answer], the same JSON, otherwise res.
func plain(req mcp.Request, res mcp.Result) mcp.Result {
	call, ok := res.(*mcp.CallToolResult)
	if !ok {
		return res
	}
	own, ok := call.StructuredContent.(structured)
	if !ok {
		return res
	}
	text := call.Content[0].(*mcp.TextContent).Text
	return &plainResult{mcp.ResultBase{Meta: call.Meta}, [1]textItem{{"text", text}}, own.answer, resultType(req)}
}

// resultType tells clients that know of results which are not complete that one
// is. The library keeps it to itself; testdata/wire has both kinds of clients.
func resultType(req mcp.Request) string {
	if s, ok := req.GetSession().(*mcp.ServerSession); ok {
		if p := s.InitializeParams(); p != nil && p.ProtocolVersion < statelessVersion {
			return ""
		}
	}
	return "complete"
}
