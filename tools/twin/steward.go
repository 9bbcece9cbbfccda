package twin

import (
	"context"
	"fmt"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/corpora/policy"
	"ken/tools"
)

// Some people administer two documents that both servers hold: what they may
// touch is theirs to know of. All others get the answers for tools that there
// are not, and administrators get the answers for documents that there are not.
const stewardRoles = `version: 1
roles:
  reader: {members: [everyone], allowed_tools: [search, fetch, list_versions]}
  steward: {members: [group:staff], allowed_tools: [set_acl, delete_document], documents: ["ops/*"]}
  careful: {members: [group:it], allowed_tools: ["*"], require_approval: ["*_document", "set_*"], documents: ["ops/*"]}
  mute: {members: ["user:bobby"], denied_tools: [search]}
`

// roles are those of every world.
type roles struct{ *policy.Roles }

func newRoles() (roles, error) {
	r, err := policy.ParseRoles([]byte(stewardRoles), tools.ToolNames(), nil)
	return roles{r}, err
}

func (r roles) Use(_ context.Context, p acl.Principal, c policy.Credential, tool string) (policy.Use, error) {
	return r.Roles.Use(p, c, tool), nil
}

// operations are the documents that stewards administer.
func (w *world) operations() []document {
	out := make([]document, 2)
	for n := range out {
		d := w.newDocument(acl.List{})
		d.Source, d.Path = "ops", fmt.Sprintf("%d.md", n)
		d.ID = corpora.DocID(fmt.Sprintf("ops/%d.md", n))
		d.Version = version(d)
		out[n] = d
	}
	return out
}

// steward does on one side what an administrator asks for.
type steward struct{ side *side }

func (s steward) Exists(_ context.Context, id corpora.DocID) (bool, error) {
	_, ok := s.side.held.docs[id]
	return ok, nil
}

func (s steward) Delete(ctx context.Context, id corpora.DocID) error { return s.side.remove(ctx, id) }

func (s steward) SetACL(ctx context.Context, id corpora.DocID, l acl.List) error {
	d := s.side.held.docs[id]
	d.ACL = l
	return s.side.setACL(ctx, d)
}

// administer asks for a change: of a document that stewards may touch, of any
// other, or of one that never was.
func (w *world) administer(p acl.Principal) (string, map[string]any) {
	id := w.id()
	if w.chance(2) {
		id = fmt.Sprintf("ops/%d.md", w.rng.IntN(3))
	}
	if w.chance(4) {
		return call("delete_document", map[string]any{"id": id})
	}
	a := map[string]any{"id": id, "allow": []acl.Subject{pick(w, users), pick(w, groups)}}
	if w.chance(2) {
		a["deny"] = []acl.Subject{pick(w, groups)}
	}
	if w.chance(2) {
		a["allow"] = p.Subjects()
	}
	if w.chance(8) {
		a["allow"] = "everyone"
	}
	return call("set_acl", a)
}
