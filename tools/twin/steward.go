package twin

import (
	"context"
	"errors"
	"fmt"
	"strings"

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
  steward: {members: [group:staff], allowed_tools: [set_acl, delete_document, create_document, update_document], documents: ["ops/*"]}
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

// Create writes a document that stewards administer, on both servers.
func (s steward) Create(ctx context.Context, n tools.Draft, reads func(context.Context) (bool, error)) (string, error) {
	if now, there := s.side.held.docs[n.ID]; there {
		may, err := reads(ctx)
		if err != nil || !may || now.text != n.Text {
			return "", errors.Join(tools.ErrTaken, err)
		}
		return now.Version, nil
	}
	d := document{Document: corpora.Document{
		ID: n.ID, Source: "ops", Path: strings.TrimPrefix(string(n.ID), "ops/"), Title: n.Title, MediaType: n.MediaType, Language: "en", Tags: n.Tags,
		Modified: s.side.world.now, ACL: acl.NewList(acl.Grants(n.Allow...), acl.Grants(n.Deny...)),
	}}
	return s.write(ctx, d, n.Text)
}

func (s steward) Update(ctx context.Context, e tools.Edit) (string, error) {
	d := s.side.held.docs[e.ID]
	if d.Version != e.IfVersion {
		return "", tools.ErrVersion
	}
	text := d.text
	if e.Text != nil {
		text = *e.Text
	}
	if e.Title != nil {
		d.Title = *e.Title
	}
	return s.write(ctx, d, text)
}

func (s steward) write(ctx context.Context, d document, text string) (string, error) {
	d.text = text
	d.Version = version(d)
	return d.Version, s.side.put(ctx, d)
}

// compose asks to write: a document that stewards may write, any other, or one that
// never was; of those that are there, with the version that it has or another.
func (w *world) compose(p acl.Principal) (string, map[string]any) {
	id := w.id()
	if !w.chance(3) {
		id = fmt.Sprintf("ops/%d.md", w.rng.IntN(5))
	}
	text := fmt.Sprintf("%s. %s", w.phrase("en", 6), rare(1+w.rng.IntN(w.number+1), 0))
	if w.chance(2) {
		a := map[string]any{"id": id, "text": text, "title": w.phrase("en", 2)}
		if !w.chance(3) {
			a["allow"] = p.Subjects()
		}
		return call("create_document", a)
	}
	a := map[string]any{"id": id, "if_version": w.versionOf(corpora.DocID(id)), "text": text}
	for _, d := range w.ops {
		if string(d.ID) == id && w.chance(2) {
			a["if_version"] = d.Version
		}
	}
	return call("update_document", a)
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
