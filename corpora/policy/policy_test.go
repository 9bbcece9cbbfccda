package policy_test

import (
	"testing"

	"ken/corpora/acl"
	"ken/corpora/policy"
)

const company = `
version: 1
default: {allow: [authenticated], deny: [user:eve]}
rules:
  - path: "people/compensation/**"
    allow: [group:hr, {subject: group:auditors, not_before: 2026-01-01, not_after: 2026-12-31}]
    deny: [user:mallory]
  - path: people/**
    allow: [group:staff]
  - path: "board/*.md"
    allow: []
  - path: "shared/**"
    deny: [group:contractors]
`

func parse(t testing.TB, text string) *policy.Policy {
	t.Helper()
	p, err := policy.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestFor(t *testing.T) {
	p := parse(t, company)
	tests := []struct{ name, path, want string }{
		{"the first rule that matches", "people/compensation/bands.md", `+"group:auditors" 1767225600.000000000 1798761600.000000000;+"group:hr"  ;-"user:eve"  ;-"user:mallory"  ;`},
		{"the next one", "people/leave.md", `+"group:staff"  ;-"user:eve"  ;`},
		{"an empty allow is nobody", "board/minutes.md", `-"user:eve"  ;`},
		{"deny alone leaves the default's allow", "shared/a/b.md", `+"authenticated"  ;-"group:contractors"  ;-"user:eve"  ;`},
		{"no rule", "board/2026/minutes.md", `+"authenticated"  ;-"user:eve"  ;`},
		{"case counts", "People/leave.md", `+"authenticated"  ;-"user:eve"  ;`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := p.For(tt.path).Key(); got != tt.want {
				t.Errorf("For(%q) = %s\nwant %s", tt.path, got, tt.want)
			}
		})
	}
}

func TestNoPolicyAdmitsNoOne(t *testing.T) {
	none := acl.List{}.Key()
	for name, p := range map[string]*policy.Policy{
		"nil":                 nil,
		"zero":                {},
		"default deny":        parse(t, "version: 1\ndefault: deny\n"),
		"no default":          parse(t, "version: 1\n"),
		"no rules":            parse(t, "version: 1\nrules:\n"),
		"grant to nobody":     policy.Grant(),
		"default is for none": parse(t, "version: 1\ndefault: {allow: []}\n"),
	} {
		if got := p.For("a.md").Key(); got != none {
			t.Errorf("%s: %s, want nobody", name, got)
		}
	}
}

func TestGrant(t *testing.T) {
	if got, want := policy.Grant("user:ann").For("a/b.md").Key(), acl.Allow("user:ann").Key(); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestCombine(t *testing.T) {
	says := func(text string) policy.Statement {
		s, err := policy.ParseSidecar([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	var nothing policy.Statement
	hr, staff := says("[group:hr]"), says("[group:staff]")
	tests := []struct {
		name  string
		parts []policy.Statement
		want  acl.List
	}{
		{"nothing", nil, acl.List{}},
		{"nobody states anything", []policy.Statement{nothing, nothing}, acl.List{}},
		{"the nearest allow replaces the others", []policy.Statement{hr, staff}, acl.Allow("group:hr")},
		{"a place that states none is passed over", []policy.Statement{nothing, hr, staff}, acl.Allow("group:hr")},
		{"a nearest allow of nobody closes", []policy.Statement{says("[]"), staff}, acl.List{}},
		{"deny alone leaves the allow further away", []policy.Statement{says("deny: [user:eve]"), staff}, acl.NewList(acl.Grants("group:staff"), acl.Grants("user:eve"))},
		{"a near allow does not lift a far deny", []policy.Statement{says("[user:eve]"), says("deny: [user:eve]")}, acl.NewList(acl.Grants("user:eve"), acl.Grants("user:eve"))},
		{"denies add up", []policy.Statement{says("{allow: [group:hr], deny: [user:a]}"), says("deny: [user:b]"), says("{allow: [everyone], deny: [user:c]}")}, acl.NewList(acl.Grants("group:hr"), acl.Grants("user:a", "user:b", "user:c"))},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := policy.Combine(tt.parts...).Key(); got != tt.want.Key() {
				t.Errorf("%s, want %s", got, tt.want.Key())
			}
		})
	}
}

// A date as an end includes its day; an instant is an instant.
func TestTimes(t *testing.T) {
	for text, want := range map[string]string{
		"[{subject: user:a, not_after: 2026-12-31}]":                         `+"user:a"  1798761600.000000000;`,
		"[{subject: user:a, not_after: 2026-12-31T00:00:00Z}]":               `+"user:a"  1798675200.000000000;`,
		"[{subject: user:a, not_before: '2026-01-01T02:00:00+02:00'}]":       `+"user:a" 1767225600.000000000 ;`,
		"[{subject: user:a, not_before: 2026-01-01, not_after: 2026-01-01}]": `+"user:a" 1767225600.000000000 1767312000.000000000;`,
	} {
		s, err := policy.ParseSidecar([]byte(text))
		if got := policy.Combine(s).Key(); err != nil || got != want {
			t.Errorf("%s: %s, %v; want %s", text, got, err, want)
		}
	}
}
