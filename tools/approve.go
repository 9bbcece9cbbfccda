package tools

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"ken/corpora/acl"
)

// Limits of an approval.
const (
	// approvalWait is how long a session waits for the person's answer.
	approvalWait = time.Minute
	// approvalAge is how long a question may be answered where there are no sessions.
	approvalAge = 10 * time.Minute
	// approvalsKept bounds the answers that are remembered.
	approvalsKept = 10_000

	approvalKey = "approve" // of the question among the inputs that a result asks for
)

// errNotApproved is the answer to a call that a person had to approve and did not.
var errNotApproved = errors.New("not approved")

// approvals are the questions that were asked without a session. What a client
// sends back is a seal over the call, who made it and when, good for one answer:
// an approval of one call approves no other, and none twice.
type approvals struct {
	mac   []byte
	clock func() time.Time

	mu   sync.Mutex
	used map[string]time.Time // seals that were answered, and when they were made
}

func newApprovals(key []byte, clock func() time.Time) *approvals {
	return &approvals{mac: derive(key, "approve"), clock: clock, used: map[string]time.Time{}}
}

// seal names a call at an instant.
func (a *approvals) seal(p acl.Principal, tool string, arguments []byte, at time.Time) string {
	made := binary.BigEndian.AppendUint64(nil, uint64(at.UnixNano()))
	h := hmac.New(sha256.New, a.mac)
	for _, part := range [][]byte{[]byte(p.Key()), []byte(tool), arguments, made} {
		sum := sha256.Sum256(part)
		h.Write(sum[:])
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(made))
}

// take reports whether the seal is of this call, young enough, and new.
func (a *approvals) take(seal string, p acl.Principal, tool string, arguments []byte) bool {
	data, err := base64.RawURLEncoding.Strict().DecodeString(seal)
	if err != nil || len(data) != 8+sha256.Size {
		return false
	}
	at := time.Unix(0, int64(binary.BigEndian.Uint64(data)))
	now := a.clock()
	if !hmac.Equal([]byte(seal), []byte(a.seal(p, tool, arguments, at))) || at.After(now) || now.Sub(at) > approvalAge {
		return false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for old, made := range a.used {
		if now.Sub(made) > approvalAge {
			delete(a.used, old)
		}
	}
	if _, again := a.used[seal]; again || len(a.used) >= approvalsKept {
		return false
	}
	a.used[seal] = at
	return true
}

// approve asks the person for a yes. It returns a result to send if the answer
// comes with another request; an error that wraps errNotApproved if it is no,
// if it is none, or if the client cannot ask.
func (s surface) approve(ctx context.Context, req *mcp.CallToolRequest, question string) (*mcp.CallToolResult, error) {
	params := req.Session.InitializeParams()
	if params == nil || params.Capabilities == nil || params.Capabilities.Elicitation == nil {
		return nil, errNotApproved
	}
	if c := params.Capabilities.Elicitation; c.Form == nil && c.URL != nil {
		return nil, errNotApproved
	}
	form := &mcp.ElicitParams{Mode: "form", Message: question, RequestedSchema: json.RawMessage(`{"type":"object","properties":{}}`)}
	if params.ProtocolVersion < statelessVersion {
		return nil, s.askNow(ctx, req.Session, form)
	}
	return s.askNext(req, form)
}

// askNow sends the question within the session and waits.
func (s surface) askNow(ctx context.Context, session *mcp.ServerSession, form *mcp.ElicitParams) error {
	ctx, cancel := context.WithTimeout(ctx, approvalWait)
	defer cancel()
	answer, err := session.Elicit(ctx, form)
	if err != nil || answer == nil || answer.Action != "accept" {
		return errNotApproved
	}
	return nil
}

// askNext lets the client ask and send the call again with the answer.
func (s surface) askNext(req *mcp.CallToolRequest, form *mcp.ElicitParams) (*mcp.CallToolResult, error) {
	p, tool, arguments := s.principal(req), req.Params.Name, []byte(req.Params.Arguments)
	if req.Params.RequestState == "" {
		return &mcp.CallToolResult{
			InputRequests: mcp.InputRequestMap{approvalKey: form},
			RequestState:  s.approvals.seal(p, tool, arguments, s.opts.Clock()),
		}, nil
	}
	answer, ok := req.Params.InputResponses[approvalKey].(*mcp.ElicitResult)
	if !ok || answer.Action != "accept" || !s.approvals.take(req.Params.RequestState, p, tool, arguments) {
		return nil, errNotApproved
	}
	return nil, nil
}
