package policy

import (
	"slices"
	"strings"

	"ken/corpora"
	"ken/corpora/acl"
)

// Roles say who may use which tool. The zero Roles let nobody use any.
type Roles struct {
	roles map[string]role
}

type role struct {
	members   []acl.Subject
	extends   []string
	allowed   []string // names of tools; * stands for any characters
	denied    []string
	approval  []string
	scopes    []string // that a credential must have for the role to allow anything
	documents []glob   // ids that may be administered
}

// readerTools are what everybody may use where no file says otherwise.
var readerTools = []string{"search", "fetch", "list_versions", "feedback"}

// DefaultRoles let everybody use the tools that read, and nobody others.
func DefaultRoles() *Roles {
	return &Roles{map[string]role{"reader": {members: []acl.Subject{acl.Everyone}, allowed: readerTools}}}
}

// Use is what a principal may do with a tool. The zero Use is nothing.
type Use struct {
	Allowed  bool
	Approval bool // each call needs a person's yes

	documents []glob
}

// Covers reports whether the principal may administer a document with the tool.
func (u Use) Covers(id corpora.DocID) bool {
	return u.Allowed && slices.ContainsFunc(u.documents, func(g glob) bool { return g.match(string(id)) })
}

// Credential is what a request was proved with, as far as roles ask.
type Credential struct {
	Scopes []string
	Local  bool // there is none, and no scope is asked: the process's own user
}

func (c Credential) has(scopes []string) bool {
	return c.Local || !slices.ContainsFunc(scopes, func(s string) bool { return !slices.Contains(c.Scopes, s) })
}

// Use returns what a principal may do with a tool. Of the roles that it has, one
// that denies is enough to refuse, and one that asks for approval to ask; what
// they allow adds up. A role whose scopes the credential lacks allows nothing,
// and denies what it denies.
func (r *Roles) Use(p acl.Principal, c Credential, tool string) Use {
	var u Use
	if r == nil {
		return u
	}
	denied := false
	for _, held := range r.held(p) {
		denied = denied || covers(held.denied, tool)
		u.Approval = u.Approval || covers(held.approval, tool)
		if covers(held.allowed, tool) && c.has(held.scopes) {
			u.Allowed = true
			u.documents = append(u.documents, held.documents...)
		}
	}
	if denied || !u.Allowed {
		return Use{}
	}
	return u
}

// held returns the roles that a principal has, with those that they extend.
func (r *Roles) held(p acl.Principal) []role {
	names := map[string]bool{}
	for name, role := range r.roles {
		if slices.ContainsFunc(role.members, p.Holds) {
			r.with(name, names)
		}
	}
	out := make([]role, 0, len(names))
	for name := range names {
		out = append(out, r.roles[name])
	}
	return out
}

func (r *Roles) with(name string, names map[string]bool) {
	if names[name] {
		return
	}
	names[name] = true
	for _, more := range r.roles[name].extends {
		r.with(more, names)
	}
}

func covers(patterns []string, tool string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return matchSegment(p, tool) })
}

// isToolPattern reports whether text can name tools.
func isToolPattern(text string) bool {
	return text != "" && len(text) <= 64 && !strings.ContainsFunc(text, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_.-*", r))
	})
}
