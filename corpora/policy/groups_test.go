package policy_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ken/corpora/acl"
	"ken/corpora/policy"
)

const grouped = `version: 1
groups:
  hr: [user:ann, group:people-ops]
  people-ops: [user:bob]
  auditors: []
rules:
  - {path: "pay/**", allow: [group:hr, group:auditors]}
`

func TestGroups(t *testing.T) {
	asOf := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	p := parse(t, grouped)
	groups, ok := p.Groups(asOf)
	if !ok {
		t.Fatal("no groups")
	}
	bob, err := acl.Resolver{Directory: groups}.Resolve(t.Context(), acl.NewPrincipal("user:bob"))
	if err != nil || !p.For("pay/a.md").Admits(bob, asOf) {
		t.Errorf("bob, who is in hr through people-ops, may not read: %v, %v", bob.Subjects(), err)
	}
	for name, p := range map[string]*policy.Policy{"none declared": parse(t, "version: 1\n"), "nil": nil} {
		if _, ok := p.Groups(asOf); ok {
			t.Errorf("%s: groups", name)
		}
	}
	// A file that declares no groups may name any.
	parse(t, "version: 1\nrules: [{path: a, allow: [group:who]}]\n")
}

func TestGroupErrors(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"cycle", "version: 1\ngroups:\n  a: [group:b]\n  b: [group:c]\n  c: [group:a]\n", "line 3, column 6: the groups are members of one another: [group:a group:c group:b group:a]"},
		{"its own member", "version: 1\ngroups:\n  a: [user:x, group:a]\n", "line 3, column 6: the groups are members of one another: [group:a group:a]"},
		{"unknown in a rule", "version: 1\ngroups: {hr: []}\nrules:\n  - {path: a, allow: [group:hrr]}\n", "line 4, column 5: the group group:hrr is not declared under groups"},
		{"unknown in a rule before the groups", "version: 1\nrules:\n  - {path: a, deny: [group:hrr]}\ngroups: {hr: []}\n", "line 3, column 5: the group group:hrr is not declared"},
		{"unknown in the default", "version: 1\ngroups: {hr: []}\ndefault: {allow: [group:x]}\n", "line 3, column 10: the group group:x is not declared"},
		{"unknown member", "version: 1\ngroups:\n  hr: [user:a, group:x]\n", "line 3, column 16: the group group:x is not declared"},
		{"another case is another group", "version: 1\ngroups: {hr: [], staff: [group:HR]}\n", "line 2, column 26: the group group:HR is not declared"},
		{"member without a kind", "version: 1\ngroups: {hr: [ann]}\n", `line 2, column 15: malformed subject "ann"`},
		{"members are no list", "version: 1\ngroups: {hr: user:ann}\n", "line 2, column 14: want a list"},
		{"twice", "version: 1\ngroups:\n  hr: []\n  hr: [user:a]\n", "line 4, column 3: not valid YAML"},
		{"empty name", "version: 1\ngroups: {'': []}\n", "line 2, column 14: malformed subject"},
		{"no groups", "version: 1\ngroups:\n", "line 2, column 9: want a mapping"},
		{"clearance as a member", "version: 1\ngroups: {hr: ['clearance:internal']}\n", "line 2, column 15: clearance:internal is needed and not granted"},
		{"clearance granted", "version: 1\nrules: [{path: a, allow: ['clearance:internal']}]\n", "line 2, column 27: clearance:internal is needed and not granted"},
		{"bad word", "version: 1\nclearance: yes\n", "line 2, column 12: want required"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := policy.Parse([]byte(tt.text))
			if p != nil || err == nil || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("error %v\nwant  %s", err, tt.want)
			}
		})
	}
}

func TestClassify(t *testing.T) {
	cleared, plain := acl.NewPrincipal("user:ann", "clearance:internal"), acl.NewPrincipal("user:ann")
	all := acl.Allow(acl.Everyone)
	p := parse(t, "version: 1\nclearance: required\n")
	if l := p.Classify(all, "internal"); l.Admits(plain, time.Now()) || !l.Admits(cleared, time.Now()) {
		t.Errorf("list %s", l.Key())
	}
	if l := p.Classify(all, ""); l.Admits(cleared, time.Now()) {
		t.Errorf("a document without a class: %s", l.Key())
	}
	for _, p := range []*policy.Policy{nil, parse(t, "version: 1\n"), parse(t, "version: 1\nclearance: ignored\n")} {
		if l := p.Classify(all, "internal"); l.Key() != all.Key() {
			t.Errorf("list %s, want it unchanged", l.Key())
		}
	}
}

// The file is followed, and one that is damaged or gone makes nobody of everyone.
func TestDirectoryFollowsItsFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "groups.yaml")
	write := func(text string) {
		t.Helper()
		next := path + ".next" // another file each time, as editors and deployments do
		if err := errors.Join(os.WriteFile(next, []byte(text), 0o600), os.Rename(next, path)); err != nil {
			t.Fatal(err)
		}
	}
	write("version: 1\ngroups: {hr: [user:ann]}\n")
	d, err := policy.OpenDirectory(path)
	if err != nil {
		t.Fatal(err)
	}
	hr := func() (bool, error) {
		p, err := acl.Resolver{Directory: d, MaxAge: time.Minute}.Resolve(t.Context(), acl.NewPrincipal("user:ann"))
		return p.Holds("group:hr"), err
	}
	if in, err := hr(); !in || err != nil {
		t.Errorf("at first: %v, %v", in, err)
	}
	write("version: 1\ngroups: {hr: [user:bob]}\n")
	if in, err := hr(); in || err != nil {
		t.Errorf("taken out: %v, %v", in, err)
	}
	for _, text := range []string{"version: 1\n", "version: 1\ngroups: {hr: [group:hr]}\n", "{"} {
		write(text)
		if _, err := hr(); !errors.Is(err, acl.ErrMembership) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := hr(); !errors.Is(err, acl.ErrMembership) {
		t.Errorf("gone: %v", err)
	}
}
