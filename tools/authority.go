package tools

import (
	"context"
	"fmt"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"ken/corpora/acl"
	"ken/corpora/policy"
	"ken/index"
)

// Authority says who may do what with a tool. An error lets nobody do anything.
type Authority interface {
	Use(ctx context.Context, p acl.Principal, c policy.Credential, tool string) (policy.Use, error)
}

// anyoneReads is the authority where no other is given.
type anyoneReads struct{ roles *policy.Roles }

func (a anyoneReads) Use(_ context.Context, p acl.Principal, c policy.Credential, tool string) (policy.Use, error) {
	return a.roles.Use(p, c, tool), nil
}

// readsAs are the methods that tell what a tool tells, and so need that tool.
var readsAs = map[string]string{
	methodListResources: toolSearch, methodComplete: toolSearch, methodReadResource: toolFetch,
}

// use is what the sender of a request may do with a tool.
func (s surface) use(ctx context.Context, req mcp.Request, tool string) (policy.Use, error) {
	return s.opts.Authority.Use(ctx, s.principal(req), s.credential(req), tool)
}

// authorise refuses a request that its sender's roles do not allow, with the
// answer for what does not exist. Where that is an empty answer, it is it.
func (s surface) authorise(ctx context.Context, method string, req mcp.Request) (mcp.Result, error) {
	tool := readsAs[method]
	call, isCall := req.(*mcp.CallToolRequest)
	if isCall && call.Params != nil {
		tool = call.Params.Name
	}
	if tool == "" {
		return nil, nil
	}
	u, err := s.use(ctx, req, tool)
	switch {
	case err != nil:
		return nil, s.explained(ctx, err).protocolError()
	case u.Allowed:
		return nil, nil
	case isCall:
		return nil, unknownTool(tool)
	case method == methodListResources:
		return &mcp.ListResourcesResult{Cacheable: uncached, Resources: []*mcp.Resource{}}, nil
	case method == methodComplete:
		return &mcp.CompleteResult{Completion: mcp.CompletionResultDetails{Values: []string{}}}, nil
	}
	return nil, explain(index.ErrNotFound).protocolError()
}

// unknownTool is the protocol library's answer to a call of a tool that there is not.
func unknownTool(name string) error {
	return &jsonrpc.Error{Code: jsonrpc.CodeInvalidParams, Message: fmt.Sprintf("unknown tool %q", name)}
}

// listed leaves out the tools that the sender of the request may not use.
func (s surface) listed(ctx context.Context, req mcp.Request, res mcp.Result) (mcp.Result, error) {
	list, ok := res.(*mcp.ListToolsResult)
	if !ok {
		return res, nil
	}
	out := *list
	out.Tools = []*mcp.Tool{}
	for _, t := range list.Tools {
		u, err := s.use(ctx, req, t.Name)
		if err != nil {
			return nil, err
		}
		if u.Allowed {
			out.Tools = append(out.Tools, t)
		}
	}
	return &out, nil
}
