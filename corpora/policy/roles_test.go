package policy_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/corpora/policy"
)

var toolNames = []string{"search", "fetch", "delete_document", "set_acl"}

const written = `version: 1
roles:
  reader:
    members: [authenticated]
    allowed_tools: [search, fetch]
  librarian:
    members: [group:kb]
    extends: [reader]
    allowed_tools: ["*"]
    require_approval: [delete_document]
    scopes: [ken.admin]
    documents: ["handbook/**", "wiki/*.md"]
  trainee:
    members: [user:eve]
    denied_tools: ["*_document"]
`

func TestRoles(t *testing.T) {
	roles, err := policy.ParseRoles([]byte(written), toolNames, nil)
	if err != nil {
		t.Fatal(err)
	}
	admin, none := policy.Credential{Scopes: []string{"x", "ken.admin"}}, policy.Credential{}
	kim := acl.NewPrincipal("user:kim", "group:kb")
	eve := acl.NewPrincipal("user:eve", "group:kb")
	ann := acl.NewPrincipal("user:ann")
	for _, tt := range []struct {
		name              string
		who               acl.Principal
		with              policy.Credential
		tool              string
		allowed, approval bool
	}{
		{"reader", ann, none, "search", true, false},
		{"reader deletes", ann, admin, "delete_document", false, false},
		{"nobody", acl.Principal{}, admin, "search", false, false},
		{"no user", acl.NewPrincipal("group:other"), admin, "search", false, false},
		{"librarian", kim, admin, "set_acl", true, false},
		{"librarian deletes", kim, admin, "delete_document", true, true},
		{"librarian without the scope", kim, none, "set_acl", false, false},
		{"librarian without the scope reads, as every reader", kim, none, "fetch", true, false},
		{"local", kim, policy.Credential{Local: true}, "set_acl", true, false},
		{"a deny wins over another role", eve, admin, "delete_document", false, false},
		{"a deny is of what it names", eve, admin, "set_acl", true, false},
		{"a group's name in another case", acl.NewPrincipal("user:x", "group:KB"), admin, "set_acl", false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if u := roles.Use(tt.who, tt.with, tt.tool); u.Allowed != tt.allowed || u.Approval != tt.approval {
				t.Errorf("%+v", u)
			}
		})
	}
	u := roles.Use(kim, admin, "set_acl")
	for id, want := range map[corpora.DocID]bool{"handbook/pay/a.md": true, "wiki/a.md": true, "wiki/x/a.md": false, "Handbook/a.md": false, "hr/a.md": false} {
		if u.Covers(id) != want {
			t.Errorf("covers %s: %v", id, !want)
		}
	}
	if (policy.Use{}).Covers("handbook/a.md") || roles.Use(ann, admin, "search").Covers("handbook/a.md") {
		t.Error("who may not administer covers a document")
	}
}

func TestNoRoles(t *testing.T) {
	var none *policy.Roles
	for name, r := range map[string]*policy.Roles{"nil": none, "zero": {}} {
		if r.Use(acl.NewPrincipal("user:ann"), policy.Credential{Local: true}, "search").Allowed {
			t.Errorf("%s allows", name)
		}
	}
	d := policy.DefaultRoles()
	if !d.Use(acl.NewPrincipal(), policy.Credential{}, "search").Allowed || d.Use(acl.NewPrincipal("user:ann"), policy.Credential{Local: true}, "set_acl").Allowed {
		t.Error("the default is not: all read, nobody administers")
	}
}

func TestRoleErrors(t *testing.T) {
	groups, err := acl.NewGroups(map[acl.Subject][]acl.Subject{"group:kb": nil}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, text, want string }{
		{"typo in a key", "version: 1\nroles:\n  a: {member: [user:x]}\n", `line 3, column 7: unknown key "member": did you mean "members"`},
		{"typo in a tool", "version: 1\nroles:\n  a: {allowed_tools: [search, fecth]}\n", `line 3, column 31: no tool is called "fecth"`},
		{"a wildcard that names none", "version: 1\nroles: {a: {denied_tools: ['get_*']}}\n", `line 2, column 28: no tool is called "get_*"`},
		{"no tool", "version: 1\nroles: {a: {denied_tools: ['a b']}}\n", "cannot name a tool"},
		{"unknown group", "version: 1\nroles:\n  a: {members: [user:x, group:kbb]}\n", "line 3, column 25: the group group:kbb is not declared"},
		{"no subject", "version: 1\nroles: {a: {members: [ann]}}\n", "line 2, column 23: malformed subject"},
		{"cycle", "version: 1\nroles:\n  a: {extends: [b]}\n  b: {extends: [c]}\n  c: {extends: [a]}\n", "line 3, column 16: the roles extend one another: a > b > c > a"},
		{"itself", "version: 1\nroles: {a: {extends: [a]}}\n", "extend one another: a > a"},
		{"unknown role", "version: 1\nroles: {a: {extends: [b]}}\n", `there is no role "b"`},
		{"version", "roles: {}\n", "the version is missing"},
		{"empty", "", "the file is empty"},
		{"scope of two words", "version: 1\nroles: {a: {scopes: ['x y']}}\n", "a scope is one word"},
		{"bad glob", "version: 1\nroles: {a: {documents: ['/x']}}\n", "drop the slash"},
		{"twice", "version: 1\nroles:\n  a: {}\n  a: {}\n", "line 4"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if r, err := policy.ParseRoles([]byte(tt.text), toolNames, &groups); err == nil || r != nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %s", err, tt.want)
			}
		})
	}
}

// Without a file all may read; a file that is damaged or gone lets nobody do anything.
func TestRolesFollowTheirFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "roles.yaml")
	f, err := policy.OpenRoles(path, toolNames, nil)
	if err != nil {
		t.Fatal(err)
	}
	kim := acl.NewPrincipal("user:kim")
	may := func(tool string) bool {
		r, err := f.Current()
		if err != nil {
			r = nil
		}
		return r.Use(kim, policy.Credential{}, tool).Allowed
	}
	write := func(text string) {
		t.Helper()
		if err := errors.Join(os.WriteFile(path+".next", []byte(text), 0o600), os.Rename(path+".next", path)); err != nil {
			t.Fatal(err)
		}
	}
	check := func(when string, search, set bool) {
		t.Helper()
		if may("search") != search || may("set_acl") != set {
			t.Errorf("%s: search %v, set_acl %v", when, may("search"), may("set_acl"))
		}
	}
	check("no file", true, false)
	write("version: 1\nroles: {a: {members: [user:kim], allowed_tools: [set_acl]}}\n")
	check("a file", false, true)
	write("version: 1\nroles: {a: {members: [user:kim], allowed_tools: [set_akl]}}\n")
	check("a typo", false, false)
	if _, err := policy.OpenRoles(path, toolNames, nil); err == nil {
		t.Error("opened with a typo")
	}
	write("version: 1\nroles: {}\n")
	check("no roles", false, false)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	check("gone", false, false)
}
