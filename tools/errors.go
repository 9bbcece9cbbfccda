package tools

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"ken/index"
	"ken/retrieval"
	"ken/tools/middleware"
)

// Kinds of failures, as clients see them.
const (
	kindArgument        = "invalid_argument"
	kindNotFound        = "not_found"
	kindUnauthenticated = "unauthenticated"
	kindNotApproved     = "not_approved"
	kindScope           = "insufficient_scope"
	kindBusy            = "busy"
	kindTimeout         = "timeout"
	kindCancelled       = "cancelled"
	kindConflict        = "conflict"
	kindUnavailable     = "unavailable"
	kindInternal        = "internal"
)

// failure is an error as a client sees it.
type failure struct {
	Kind       string `json:"kind"`
	Message    string `json:"message"`
	Suggestion string `json:"suggestion"`
	Field      string `json:"field,omitempty"`       // argument that is wrong
	Version    string `json:"version,omitempty"`     // that the document has, for whoever may read it
	RetryAfter int    `json:"retry_after,omitempty"` // seconds
}

// argumentError says which argument is wrong and how. Its text is made for clients.
type argumentError struct{ field, problem string }

func (e *argumentError) Error() string {
	if e.field == "" {
		return e.problem
	}
	return fmt.Sprintf("argument %q: %s", e.field, e.problem)
}

// errNoPrincipal says that a request came without anyone who asks.
var errNoPrincipal = errors.New("no principal")

// errCursor is the answer to every cursor that this server did not give to this principal.
var errCursor = errors.New("bad cursor")

var busySeconds = int(middleware.RetryAfter / time.Second)

// failures is the one table from errors to what a client sees. The first row
// that matches counts; what is in none of them is internal, and its text stays here.
var failures = []struct {
	is error
	failure
}{
	{errNoPrincipal, failure{Kind: kindUnauthenticated, Message: "the request has no identity", Suggestion: "send a key with the request"}},
	{errScope, failure{Kind: kindScope, Message: "the credential may not be used for this", Suggestion: "sign in again for the scope that the challenge names, or use a key that has it"}},
	{errCursor, failure{Kind: kindArgument, Message: "the cursor is not valid", Suggestion: "begin the list anew, without a cursor", Field: "cursor"}},
	{errNotApproved, failure{Kind: kindNotApproved, Message: "nobody approved this, and nothing was done", Suggestion: "ask the user; the client has to support questions to the user (elicitation)"}},
	{index.ErrNotFound, failure{Kind: kindNotFound, Message: "no such document", Suggestion: "use an id from a search result, exactly as it stands there"}},
	{ErrPlace, failure{Kind: kindArgument, Message: "no document can be written under this id", Suggestion: "use an id of a place that the user may write to, as SOURCE/PATH", Field: "id"}},
	{ErrTaken, failure{Kind: kindConflict, Message: "the id is taken: a document has it and is another one, or was deleted for good", Suggestion: "use another id, or change the document with update_document"}},
	{ErrVersion, failure{Kind: kindConflict, Message: "the document has another version now, and nothing was changed", Suggestion: "fetch it, and send what is to change with the version that it has"}},
	{ErrRefused, failure{Kind: kindArgument, Message: "the document cannot be taken in as it is, and nothing was changed", Suggestion: "look at its text, title and tags, and ask the operator", Field: "text"}},
	{ErrClosed, failure{Kind: kindUnavailable, Message: "documents cannot be written at the moment, and nothing was changed", Suggestion: "try again later", RetryAfter: busySeconds}},
	{middleware.ErrBusy, failure{Kind: kindBusy, Message: fmt.Sprintf("the knowledge base is busy, try again in %d s", busySeconds), Suggestion: "wait, then send the same request again", RetryAfter: busySeconds}},
	{retrieval.ErrUnavailable, failure{Kind: kindUnavailable, Message: "this kind of search is not available at the moment", Suggestion: `search with mode "hybrid" or "lexical", or try again later`, RetryAfter: busySeconds}},
	{context.DeadlineExceeded, failure{Kind: kindTimeout, Message: "the request took too long", Suggestion: "ask a shorter question or for fewer results", RetryAfter: busySeconds}},
	{context.Canceled, failure{Kind: kindCancelled, Message: "the request was cancelled", Suggestion: "send it again if it is still wanted"}},
}

var internalFailure = failure{Kind: kindInternal, Message: "internal error", Suggestion: "try again; if it happens again, tell the operator the time of the request"}

const readTheSchema = "correct the argument and call again"

// explain turns any error into what a client may see of it.
func explain(err error) failure {
	if e, ok := errors.AsType[*argumentError](err); ok {
		return failure{Kind: kindArgument, Message: e.Error(), Suggestion: readTheSchema, Field: e.field}
	}
	if errors.Is(err, retrieval.ErrQuery) {
		return failure{Kind: kindArgument, Message: queryProblem(err), Suggestion: readTheSchema}
	}
	for _, row := range failures {
		if errors.Is(err, row.is) {
			return row.failure
		}
	}
	return internalFailure
}

// queryProblem is the part of a retrieval error that was written for whoever asked.
func queryProblem(err error) string {
	if _, problem, ok := strings.Cut(err.Error(), retrieval.ErrQuery.Error()+": "); ok {
		return line(problem)
	}
	return retrieval.ErrQuery.Error()
}

// result is the failure as a tool result: one text item with JSON, no
// structured content, which is for answers that match the output schema.
func (f failure) result() *mcp.CallToolResult {
	return &mcp.CallToolResult{
		IsError: true,
		Content: []mcp.Content{&mcp.TextContent{Text: string(encode(map[string]failure{"error": f}))}},
	}
}

// protocolError is the failure of a request that is not a tool call.
func (f failure) protocolError() *jsonrpc.Error {
	code := int64(jsonrpc.CodeInternalError)
	if f.Kind == kindArgument || f.Kind == kindNotFound {
		code = jsonrpc.CodeInvalidParams
	}
	return &jsonrpc.Error{Code: code, Message: f.Message, Data: json.RawMessage(encode(f))}
}
