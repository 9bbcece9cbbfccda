package policy

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"

	"ken/corpora/acl"
	"ken/corpora/internal/strictyaml"
)

// ParseRoles reads a file of roles of at most 1 MiB:
//
//	version: 1
//	roles:
//	  reader:
//	    members: [everyone]
//	    allowed_tools: [search, fetch]
//	  librarian:
//	    members: [group:kb-admins]
//	    extends: [reader]              # what the reader may, the librarian may
//	    allowed_tools: ["*_document", set_acl]
//	    denied_tools: []               # wins over every role that allows
//	    require_approval: [delete_document]
//	    scopes: [ken.admin]            # a credential without them allows nothing of this role
//	    documents: ["handbook/**"]     # ids that the administrator's tools may touch
//
// tools are the names that there are, and a pattern that names none of them is
// an error, as is a group that is not among the groups, if those are known.
// Every error has its place.
func ParseRoles(data []byte, tools []string, groups *acl.Groups) (*Roles, error) {
	root, err := strictyaml.Parse(data, strictyaml.Options{})
	if err != nil {
		return nil, err
	}
	if root.IsNull() {
		return nil, root.Errorf("the file is empty: write %q and %q, or remove it", "version: 1", "roles: {}")
	}
	pairs, err := root.Only("version", "roles")
	if err != nil {
		return nil, err
	}
	if err := checkVersion(root, pairs); err != nil {
		return nil, err
	}
	r := rolesReader{tools: tools, groups: groups, roles: map[string]role{}, places: map[string]strictyaml.Node{}}
	for _, p := range pairs {
		if p.Name == "roles" {
			if err := r.readAll(p.Value); err != nil {
				return nil, err
			}
		}
	}
	return &Roles{r.roles}, nil
}

type rolesReader struct {
	tools  []string
	groups *acl.Groups
	roles  map[string]role
	places map[string]strictyaml.Node // of what a role extends
}

func (r *rolesReader) readAll(n strictyaml.Node) error {
	pairs, err := n.Mapping()
	if err != nil {
		return err
	}
	for _, p := range pairs {
		if p.Name == "" {
			return p.Key.Errorf("the role has no name")
		}
		if err := r.read(p.Name, p.Value); err != nil {
			return err
		}
	}
	return r.checkExtends()
}

func (r *rolesReader) read(name string, n strictyaml.Node) error {
	pairs, err := n.Only("members", "extends", "allowed_tools", "denied_tools", "require_approval", "scopes", "documents")
	if err != nil {
		return err
	}
	var out role
	for _, p := range pairs {
		switch p.Name {
		case "members":
			out.members, err = r.readMembers(p.Value)
		case "extends":
			r.places[name] = p.Value
			out.extends, err = readTexts(p.Value)
		case "allowed_tools":
			out.allowed, err = r.readTools(p.Value)
		case "denied_tools":
			out.denied, err = r.readTools(p.Value)
		case "require_approval":
			out.approval, err = r.readTools(p.Value)
		case "scopes":
			out.scopes, err = readScopes(p.Value)
		case "documents":
			out.documents, err = readGlobs(p.Value)
		}
		if err != nil {
			return err
		}
	}
	r.roles[name] = out
	return nil
}

func (r *rolesReader) readMembers(n strictyaml.Node) ([]acl.Subject, error) {
	items, err := n.Items()
	if err != nil {
		return nil, err
	}
	members := make([]acl.Subject, len(items))
	for i, item := range items {
		if members[i], err = readSubject(item); err != nil {
			return nil, err
		}
		if r.groups != nil && members[i].IsGroup() && !slices.Contains(r.groups.Names(), members[i]) {
			return nil, item.Errorf("%s", unknownGroup(members[i]))
		}
	}
	return members, nil
}

func (r *rolesReader) readTools(n strictyaml.Node) ([]string, error) {
	items, err := n.Items()
	if err != nil {
		return nil, err
	}
	out := make([]string, len(items))
	for i, item := range items {
		if out[i], err = item.Text(); err != nil {
			return nil, err
		}
		if !isToolPattern(out[i]) {
			return nil, item.Errorf("%q cannot name a tool: write a name, in which * stands for any characters", out[i])
		}
		if !slices.ContainsFunc(r.tools, func(tool string) bool { return matchSegment(out[i], tool) }) {
			return nil, item.Errorf("no tool is called %q: there are %s", out[i], strings.Join(r.tools, ", "))
		}
	}
	return out, nil
}

func readTexts(n strictyaml.Node) ([]string, error) {
	items, err := n.Items()
	if err != nil {
		return nil, err
	}
	out := make([]string, len(items))
	for i, item := range items {
		if out[i], err = item.Text(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func readScopes(n strictyaml.Node) ([]string, error) {
	scopes, err := readTexts(n)
	if err == nil && slices.ContainsFunc(scopes, func(s string) bool { return s == "" || strings.ContainsAny(s, "\"\\ \t\r\n") }) {
		err = n.Errorf("a scope is one word without spaces, quotes and backslashes")
	}
	return scopes, err
}

func readGlobs(n strictyaml.Node) ([]glob, error) {
	items, err := n.Items()
	if err != nil {
		return nil, err
	}
	out := make([]glob, len(items))
	for i, item := range items {
		if out[i], err = readGlob(item); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// checkExtends refuses roles that are not there and roles that extend themselves.
func (r *rolesReader) checkExtends() error {
	for _, name := range slices.Sorted(maps.Keys(r.places)) {
		for _, more := range r.roles[name].extends {
			if _, ok := r.roles[more]; !ok {
				return r.places[name].Errorf("there is no role %q", more)
			}
		}
		if path := r.cycle(name, []string{name}); path != nil {
			return r.places[name].Errorf("the roles extend one another: %s", strings.Join(path, " > "))
		}
	}
	return nil
}

// cycle returns the way from a role back to the first of the path, if there is one.
func (r *rolesReader) cycle(name string, path []string) []string {
	for _, more := range r.roles[name].extends {
		switch {
		case more == path[0]:
			return append(path, more)
		case slices.Contains(path, more): // another's cycle
		default:
			if found := r.cycle(more, append(slices.Clone(path), more)); found != nil {
				return found
			}
		}
	}
	return nil
}

// RolesFile is the roles of a data directory. It follows the file: a change
// counts from the next call on, and while the file cannot be read or understood
// nobody may use any tool. Without a file, [DefaultRoles] hold. Safe for
// concurrent use.
type RolesFile struct {
	path  string
	tools []string
	known func() (*acl.Groups, error) // nil, or a result of nil: any group may be named

	mu    sync.Mutex
	once  bool // there was a file
	seen  fs.FileInfo
	roles *Roles
}

// OpenRoles reads the file, if it is there. tools are the names of tools that it
// may name, groups tells the groups.
func OpenRoles(path string, tools []string, groups func() (*acl.Groups, error)) (*RolesFile, error) {
	f := &RolesFile{path: path, tools: tools, known: groups}
	_, err := f.Current()
	return f, err
}

var errNoRoles = errors.New("the roles are gone: restore the file, or restart to let everybody read")

// Current returns the roles as the file has them now.
func (f *RolesFile) Current() (*Roles, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	info, err := os.Stat(f.path)
	switch {
	case Missing(f.path, err) && !f.once:
		return DefaultRoles(), nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s: %w", f.path, errNoRoles)
	case err != nil:
		return nil, err
	case f.seen != nil && same(f.seen, info):
		return f.roles, nil
	}
	f.once, f.seen = true, nil
	data, err := os.ReadFile(f.path)
	if err != nil {
		return nil, err
	}
	var groups *acl.Groups
	if f.known != nil {
		if groups, err = f.known(); err != nil {
			return nil, err
		}
	}
	roles, err := ParseRoles(data, f.tools, groups)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.path, err)
	}
	f.roles, f.seen = roles, info
	return roles, nil
}
