package tools

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/corpora/policy"
	"ken/index"
	"ken/index/embedded"
)

// steward administers a store.
type steward struct{ store *embedded.Store }

func (a steward) Exists(ctx context.Context, id corpora.DocID) (bool, error) {
	_, err := a.store.Lookup(ctx, id)
	if errors.Is(err, index.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

func (a steward) Delete(ctx context.Context, id corpora.DocID) error { return a.store.Delete(ctx, id) }

func (a steward) SetACL(ctx context.Context, id corpora.DocID, l acl.List) error {
	return a.store.SetACL(ctx, id, l)
}

const stewardRoles = `version: 1
roles:
  reader: {members: [everyone], allowed_tools: [search, fetch]}
  steward: {members: [user:kim, user:lea], allowed_tools: ["*"], documents: ["handbook/**", "hr/**"]}
  careful: {members: [user:lea], require_approval: ["*_document", set_acl]}
  muted: {members: [user:mute], denied_tools: [fetch]}
  deaf: {members: [user:deaf], denied_tools: ["*"]}
`

var (
	kim = acl.NewPrincipal("user:kim")
	lea = acl.NewPrincipal("user:lea")
)

func stewarded(t *testing.T, w *world) Options {
	t.Helper()
	roles, err := policy.ParseRoles([]byte(stewardRoles), ToolNames(), nil)
	must(t, err)
	return Options{Authority: anyoneReads{roles}, Administrator: steward{w.store}}
}

// dialAsking connects a client whose person answers questions in one way; "" is
// a client that cannot ask.
func dialAsking(t *testing.T, base, key, version, action string, asked *[]string) *mcp.ClientSession {
	t.Helper()
	o := &mcp.ClientOptions{}
	if action != "" {
		o.ElicitationHandler = func(_ context.Context, r *mcp.ElicitRequest) (*mcp.ElicitResult, error) {
			*asked = append(*asked, r.Params.Message)
			return &mcp.ElicitResult{Action: action, Content: map[string]any{}}, nil
		}
	}
	session, err := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, o).Connect(t.Context(), &mcp.StreamableClientTransport{
		Endpoint: base + PathMCP, HTTPClient: &http.Client{Transport: withKey(key)}, MaxRetries: -1,
	}, &mcp.ClientSessionOptions{ProtocolVersion: version})
	must(t, err)
	t.Cleanup(func() { session.Close() })
	return session
}

func callTool(t *testing.T, s *mcp.ClientSession, tool string, arguments map[string]any) string {
	t.Helper()
	res, err := s.CallTool(t.Context(), &mcp.CallToolParams{Name: tool, Arguments: arguments})
	if err != nil {
		return err.Error()
	}
	return res.Content[0].(*mcp.TextContent).Text
}

func toolsOf(t *testing.T, s *mcp.ClientSession) string {
	t.Helper()
	list, err := s.ListTools(t.Context(), nil)
	must(t, err)
	var names []string
	for _, tool := range list.Tools {
		names = append(names, tool.Name)
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

// Each person is told of the tools that this person may use, and of no others.
func TestToolsArePerPerson(t *testing.T) {
	w := newWorld(t)
	base := w.serveHTTP(w.server(stewarded(t, w)), HTTPOptions{})
	for _, version := range versions {
		for who, want := range map[acl.Subject]string{
			"user:bob": "fetch search", "user:kim": "delete_document fetch list_versions search set_acl", "user:mute": "search", "user:deaf": "",
		} {
			s := dialHTTP(t, base, w.key(acl.NewPrincipal(who)), version)
			if got := toolsOf(t, s); got != want {
				t.Errorf("%s %s: %q, want %q", version, who, got, want)
			}
		}
	}
}

// A tool that somebody may not use answers as one that there is not, and so do
// the ways round it.
func TestForbiddenToolsAreUnknown(t *testing.T) {
	w := newWorld(t)
	base := w.serveHTTP(w.server(stewarded(t, w)), HTTPOptions{})
	key := w.key(bob)
	ask := func(key, tool string) string {
		body := fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":%q,"arguments":{"id":"handbook/leave.md"}}}`, tool)
		res, answer := post(t, base, key, "", body)
		return fmt.Sprint(res.StatusCode, res.Header.Get("Content-Type"), strings.ReplaceAll(string(answer), tool, "TOOL"))
	}
	for _, tool := range []string{toolDelete, toolSetACL} {
		if a, b := ask(key, tool), ask(key, "no_such_tool"); a != b {
			t.Errorf("%s: %s\nunknown: %s", tool, a, b)
		}
	}
	deaf := w.key(acl.NewPrincipal("user:deaf"))
	if a, b := ask(deaf, toolSearch), ask(deaf, "no_such_tool"); a != b {
		t.Errorf("search: %s\nunknown: %s", a, b)
	}
	s := dialHTTP(t, base, deaf, "2025-11-25")
	if list, err := s.ListResources(t.Context(), nil); err != nil || len(list.Resources) != 0 {
		t.Errorf("who may not search lists %d resources, error %v", len(list.Resources), err)
	}
	if _, err := s.ReadResource(t.Context(), &mcp.ReadResourceParams{URI: resourceURI("handbook/leave.md")}); err == nil || !strings.Contains(err.Error(), "no such document") {
		t.Errorf("who may not fetch reads a resource: %v", err)
	}
	c, err := s.Complete(t.Context(), &mcp.CompleteParams{Ref: &mcp.CompleteReference{Type: "ref/resource", URI: resourcePrefix + "{id}"}, Argument: mcp.CompleteParamsArgument{Name: "id", Value: "hand"}})
	if err != nil || len(c.Completion.Values) != 0 {
		t.Errorf("who may not search completes %v, error %v", c, err)
	}
}

// An administrator changes documents within reach, reads none by that, and is
// told the same of those out of reach and those that never were.
func TestAdministratorsReach(t *testing.T) {
	w := newWorld(t)
	base := w.serveHTTP(w.server(stewarded(t, w)), HTTPOptions{})
	s := dialHTTP(t, base, w.key(kim), "2025-11-25")
	secret := map[string]any{"id": string(secretID)}
	absent := callTool(t, s, toolDelete, map[string]any{"id": "handbook/none.md"})
	if !strings.Contains(absent, kindNotFound) {
		t.Fatalf("a document that is not there: %s", absent)
	}
	for _, id := range []string{"wiki/evil.md", "wiki/none.md", "Handbook/leave.md", "handbook/%zz"} {
		for tool, more := range map[string]map[string]any{toolDelete: {}, toolSetACL: {"allow": []string{"user:kim"}}} {
			a := map[string]any{"id": id}
			for k, v := range more {
				a[k] = v
			}
			if got := callTool(t, s, tool, a); got != absent {
				t.Errorf("%s %s: %s, want %s", tool, id, got, absent)
			}
		}
	}
	if got := callTool(t, s, toolFetch, secret); got != absent {
		t.Errorf("the administrator reads %s", got)
	}
	if got := callTool(t, s, toolSetACL, map[string]any{"id": string(secretID), "allow": []string{"user:bob"}, "deny": []string{"group:hr"}}); got != `{"id":"hr/severance.md","done":"set"}` {
		t.Errorf("set_acl: %s", got)
	}
	if got := callTool(t, dialHTTP(t, base, w.key(bob), "2026-07-28"), toolFetch, secret); !strings.Contains(got, "two months") {
		t.Errorf("bob was let in and gets %s", got)
	}
	if got := callTool(t, dialHTTP(t, base, w.key(ann), "2026-07-28"), toolFetch, secret); got != absent {
		t.Errorf("ann was shut out and gets %s", got)
	}
	if got := callTool(t, s, toolDelete, secret); got != `{"id":"hr/severance.md","done":"deleted"}` {
		t.Errorf("delete_document: %s", got)
	}
	if got := callTool(t, s, toolDelete, secret); got != absent {
		t.Errorf("deleted twice: %s", got)
	}
	for _, a := range []map[string]any{
		{}, {"id": ""}, {"id": "handbook/leave.md"}, {"id": "handbook/leave.md", "allow": []string{"bob"}}, {"id": "handbook/leave.md", "allow": "user:bob"},
		{"id": "handbook/leave.md", "allow": []string{"clearance:restricted"}}, {"id": "handbook/leave.md", "allow": []string{}, "force": true},
		{"id": "handbook/leave.md", "allow": make([]string, maxSubjects+1)},
	} {
		if got := callTool(t, s, toolSetACL, a); !strings.Contains(got, kindArgument) {
			t.Errorf("set_acl %v: %s", a, got)
		}
	}
}

// Without a person's yes nothing is done: a no, a question put aside, a client
// that cannot ask.
func TestApproval(t *testing.T) {
	for _, version := range versions {
		for _, action := range []string{"accept", "decline", "cancel", "maybe", ""} {
			t.Run(version+" "+action, func(t *testing.T) {
				w := newWorld(t)
				base := w.serveHTTP(w.server(stewarded(t, w)), HTTPOptions{})
				var asked []string
				s := dialAsking(t, base, w.key(lea), version, action, &asked)
				got := callTool(t, s, toolSetACL, map[string]any{"id": "handbook/leave.md", "allow": []string{"user:lea"}, "deny": []string{"user:bob"}})
				wantQuestion := "Let user:lea, but not user:bob, read the document handbook/leave.md, and nobody else?"
				if asks := action != ""; asks != (len(asked) == 1) || asks && asked[0] != wantQuestion {
					t.Errorf("asked %q", asked)
				}
				d, err := w.store.Lookup(t.Context(), "handbook/leave.md")
				must(t, err)
				if done := !d.ACL.Admits(bob, now); done != (action == "accept") {
					t.Errorf("done: %v, answer %s", done, got)
				}
				if action != "accept" && !strings.Contains(got, kindNotApproved) {
					t.Errorf("answer %s", got)
				}
				got = callTool(t, s, toolDelete, map[string]any{"id": "wiki/evil.md"})
				if len(asked) > 1 || !strings.Contains(got, kindNotFound) {
					t.Errorf("a document out of reach: asked %q, answer %s", asked, got)
				}
			})
		}
	}
}

// An approval is good for the call that it was given for, by the person that
// it was given to, once, and not for ever.
func TestApprovalsAreForOneCall(t *testing.T) {
	at := now
	a := newApprovals([]byte(strings.Repeat("k", cursorKeySize)), func() time.Time { return at })
	arguments := []byte(`{"id":"a"}`)
	fresh := func() string { at = at.Add(time.Second); return a.seal(lea, toolDelete, arguments, at) }
	for name, try := range map[string]func() bool{
		"another person":   func() bool { return a.take(fresh(), kim, toolDelete, arguments) },
		"another tool":     func() bool { return a.take(fresh(), lea, toolSetACL, arguments) },
		"another document": func() bool { return a.take(fresh(), lea, toolDelete, []byte(`{"id":"b"}`)) },
		"another server": func() bool {
			return newApprovals(make([]byte, cursorKeySize), a.clock).take(fresh(), lea, toolDelete, arguments)
		},
		"too late": func() bool { s := fresh(); at = at.Add(approvalAge + 1); return a.take(s, lea, toolDelete, arguments) },
		"from the future": func() bool {
			return a.take(a.seal(lea, toolDelete, arguments, at.Add(time.Second)), lea, toolDelete, arguments)
		},
		"twice": func() bool {
			s := fresh()
			first := a.take(s, lea, toolDelete, arguments)
			return first && a.take(s, lea, toolDelete, arguments)
		},
		"cut":                 func() bool { s := fresh(); return a.take(s[:len(s)-4], lea, toolDelete, arguments) },
		"nothing":             func() bool { return a.take("", lea, toolDelete, arguments) },
		"in another spelling": func() bool { return a.take(fresh()+"=", lea, toolDelete, arguments) },
	} {
		if try() {
			t.Errorf("taken: %s", name)
		}
	}
	if !a.take(fresh(), lea, toolDelete, arguments) {
		t.Error("the call that was approved is refused")
	}
}

// A client that sends a yes which nobody asked for has not been approved.
func TestForgedApproval(t *testing.T) {
	w := newWorld(t)
	base := w.serveHTTP(w.server(stewarded(t, w)), HTTPOptions{})
	key := w.key(lea)
	meta := strings.Replace(modernMeta, `"io.modelcontextprotocol/clientCapabilities":{}`, `"io.modelcontextprotocol/clientCapabilities":{"elicitation":{}}`, 1)
	ask := func(more string) (out struct {
		Result struct {
			ResultType, RequestState string
			Content                  []struct{ Text string }
		}
	}) {
		body := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{` + meta + `,"name":"delete_document","arguments":{"id":"handbook/leave.md"}` + more + `}}`
		res, answer := post(t, base, key, "2026-07-28", body, "Mcp-Method", "tools/call", "Mcp-Name", toolDelete)
		if res.StatusCode != http.StatusOK {
			t.Fatalf("%d %s", res.StatusCode, answer)
		}
		must(t, json.Unmarshal(answer, &out))
		return out
	}
	there := func() bool {
		_, err := w.store.Lookup(t.Context(), "handbook/leave.md")
		return err == nil
	}
	const yes = `,"inputResponses":{"approve":{"action":"accept","content":{}}}`
	first := ask("")
	if first.Result.ResultType != "input_required" || first.Result.RequestState == "" {
		t.Fatalf("the first answer asks nothing: %+v", first)
	}
	for _, forged := range []string{yes + `,"requestState":"AAAA"`, `,"requestState":"` + first.Result.RequestState + `"`} {
		if got := ask(forged); len(got.Result.Content) != 1 || !strings.Contains(got.Result.Content[0].Text, kindNotApproved) || !there() {
			t.Fatalf("%s: %+v", forged, got)
		}
	}
	if got := ask(yes); got.Result.ResultType != "input_required" || !there() { // a yes without a question: the question comes
		t.Fatalf("a yes before the question: %+v", got)
	}
	if got := ask(yes + `,"requestState":"` + first.Result.RequestState + `"`); there() {
		t.Errorf("approved, and not done: %+v", got)
	}
}

// Whatever the authority's fault is, nobody may do anything.
func TestAuthorityFails(t *testing.T) {
	w := newWorld(t)
	base := w.serveHTTP(w.server(Options{Authority: broken{}}), HTTPOptions{})
	s := dialHTTP(t, base, w.key(bob), "2025-11-25")
	if got := callTool(t, s, toolSearch, map[string]any{"query": "leave"}); !strings.Contains(got, "internal error") || strings.Contains(got, "/etc") {
		t.Errorf("search: %s", got)
	}
	if _, err := s.ListTools(t.Context(), nil); err == nil {
		t.Error("the tools are listed")
	}
}

type broken struct{}

func (broken) Use(context.Context, acl.Principal, policy.Credential, string) (policy.Use, error) {
	return policy.Use{Allowed: true}, errors.New("open /etc/ken/roles.yaml: permission denied")
}

// A role that asks for a scope counts for a credential that has it, and on
// standard input, where there is no credential.
func TestRolesAskForScopes(t *testing.T) {
	w := newWorld(t)
	roles, err := policy.ParseRoles([]byte("version: 1\nroles: {steward: {members: [everyone], allowed_tools: [search], scopes: [special]}}\n"), ToolNames(), nil)
	must(t, err)
	s := w.server(Options{Authority: anyoneReads{roles}})
	if got := toolsOf(t, dialPipe(t, s, bob, "2025-11-25")); got != toolSearch {
		t.Errorf("on standard input: %q", got)
	}
	if got := toolsOf(t, dialHTTP(t, w.serveHTTP(s, HTTPOptions{}), w.key(bob), "2025-11-25")); got != "" {
		t.Errorf("with a key that lacks the scope: %q", got)
	}
}
