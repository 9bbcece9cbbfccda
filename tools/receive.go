package tools

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"ken/corpora/acl"
	"ken/corpora/policy"
	"ken/index"
	"ken/internal/rejoin"
	"ken/tools/auth"
)

const (
	methodListResources = "resources/list"
	methodReadResource  = "resources/read"
	methodComplete      = "completion/complete"
	methodListTools     = "tools/list"
)

// works are the methods, tool calls apart, that ask something of the searcher.
var works = map[string]bool{methodListResources: true, methodReadResource: true, methodComplete: true, "prompts/get": true}

// receive stands before every request: no request without a principal, no
// panic that ends the process, no error that tells more than [explain] lets it.
func (s surface) receive(next mcp.MethodHandler) mcp.MethodHandler {
	return func(ctx context.Context, method string, req mcp.Request) (res mcp.Result, err error) {
		start := time.Now()
		p := s.principal(req)
		left := &departures{}
		ctx = context.WithValue(ctx, departuresKey{}, left)
		defer func() {
			c := s.call(p, method, req)
			c.Kind, c.Duration = kindOf(res, err), time.Since(start)
			if err == nil && (c.Kind == "" || c.Kind == kindConflict) {
				c.Left = left.all()
			}
			res, err = s.audited(ctx, c, res, err)
			s.observe(ctx, c)
		}()
		if p.IsZero() {
			return nil, explain(errNoPrincipal).protocolError()
		}
		if err := s.inScope(method, req); err != nil {
			return nil, explain(err).protocolError()
		}
		if res, err := s.authorise(ctx, method, req); res != nil || err != nil {
			return res, err
		}
		err = s.caught(ctx, func() error {
			res, err = s.dispatch(ctx, next, method, req)
			return err
		})
		if err != nil {
			return nil, s.protocolError(ctx, method, err)
		}
		return plain(req, res), nil
	}
}

// call is what can be known of a request before it is answered.
func (s surface) call(p acl.Principal, method string, req mcp.Request) Call {
	c := Call{Principal: p, Method: method, Tool: toolName(req), Time: s.opts.Clock(), Arguments: redacted(req)}
	c.Client, c.Session = client(req)
	return c
}

// caught runs f and makes an error of its panic.
func (s surface) caught(ctx context.Context, f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			stack := debug.Stack()
			if fault, ok := v.(*rejoin.Fault); ok {
				stack = fault.Stack
			}
			s.opts.Log.ErrorContext(ctx, "call panicked", "stack", string(stack))
			err = errPanic
		}
	}()
	return f()
}

// errPanic has no row in the table, and so is an internal error.
var errPanic = errors.New("panic")

func (s surface) dispatch(ctx context.Context, next mcp.MethodHandler, method string, req mcp.Request) (res mcp.Result, err error) {
	if !works[method] {
		if res, err = next(ctx, method, req); err == nil && method == methodListTools {
			return s.listed(ctx, req, res)
		}
		return res, err
	}
	err = s.bounded(ctx, func(ctx context.Context) error {
		if method == methodListResources {
			res, err = s.listResources(ctx, req)
		} else {
			res, err = next(ctx, method, req)
		}
		return err
	})
	return res, err
}

// bounded runs work when there is room for it, and not for ever.
func (s surface) bounded(ctx context.Context, work func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	leave, err := s.gate.Enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	return s.caught(ctx, func() error { return work(ctx) })
}

// principal is who asks: the request's own identity, or the fixed one of a
// transport that has no identities. The zero principal is nobody.
func (s surface) principal(req mcp.Request) acl.Principal {
	if !s.fixed.IsZero() {
		return s.fixed
	}
	return identity(req).Principal
}

// identity is what the request's own credential proved; the zero Identity on a
// transport that has none.
func identity(req mcp.Request) auth.Identity {
	if extra := req.GetExtra(); extra != nil && extra.TokenInfo != nil {
		id, _ := extra.TokenInfo.Extra[identityInfo].(auth.Identity)
		return id
	}
	return auth.Identity{}
}

// credential is what the request was proved with. Over a transport without
// identities there is none, and no scope is asked.
func (s surface) credential(req mcp.Request) policy.Credential {
	if !s.fixed.IsZero() {
		return policy.Credential{Local: true}
	}
	return policy.Credential{Scopes: identity(req).Scopes}
}

// protocolError is what the client may see of an error.
func (s surface) protocolError(ctx context.Context, method string, err error) error {
	if wire, ok := errors.AsType[*jsonrpc.Error](err); ok {
		if method == methodReadResource { // no template matched: the same bytes as any other miss
			return explain(index.ErrNotFound).protocolError()
		}
		return wire
	}
	return s.explained(ctx, err).protocolError()
}

// explained logs what nobody outside may see.
func (s surface) explained(ctx context.Context, err error) failure {
	f := explain(err)
	if f.Kind == kindInternal {
		s.opts.Log.LogAttrs(ctx, slog.LevelError, "call failed", slog.Any("error", err))
	}
	return f
}

func (s surface) observe(ctx context.Context, c Call) {
	if s.opts.Observe != nil {
		s.opts.Observe(ctx, c)
	}
}

func toolName(req mcp.Request) string {
	if call, ok := req.(*mcp.CallToolRequest); ok && call.Params != nil {
		return line(call.Params.Name)
	}
	return ""
}

// kindOf reads the kind back from an answer.
func kindOf(res mcp.Result, err error) string {
	var f failure
	if wire, ok := errors.AsType[*jsonrpc.Error](err); ok {
		if json.Unmarshal(wire.Data, &f) != nil || f.Kind == "" {
			return "protocol"
		}
		return f.Kind
	}
	if call, ok := res.(*mcp.CallToolResult); ok && call.IsError {
		var body struct{ Error failure }
		if text, ok := call.Content[0].(*mcp.TextContent); ok && json.Unmarshal([]byte(text.Text), &body) == nil {
			return body.Error.Kind
		}
	}
	return ""
}

// tool makes a protocol handler of a function from arguments to an answer.
// Failures become results here and not in [surface.receive]: the protocol
// library completes the results of handlers only, and clients refuse others.
func (s surface) tool(run func(context.Context, acl.Principal, *arguments) (any, error)) mcp.ToolHandler {
	return func(ctx context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		var res *mcp.CallToolResult
		err := s.bounded(ctx, func(ctx context.Context) error {
			args, err := readArguments(req.Params.Arguments)
			if err != nil {
				return err
			}
			out, err := run(ctx, s.principal(req), args)
			if err == nil {
				res = answer(out)
			}
			return err
		})
		if err != nil {
			return s.explained(ctx, err).result(), nil
		}
		return res, nil
	}
}
