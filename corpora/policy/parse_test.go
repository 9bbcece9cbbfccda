package policy_test

import (
	"errors"
	"strings"
	"testing"

	"ken/corpora/internal/strictyaml"
	"ken/corpora/policy"
)

// Every mistake names its place and what to do.
func TestParseErrors(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"empty", "", `line 1, column 1: the policy is empty: write at least "version: 1" and "default: deny"`},
		{"only comments", "# later\n", "line 1, column 1: the policy is empty"},
		{"not a mapping", "- a\n", "line 1, column 1: want a mapping (key: value), got a list"},
		{"no version", "default: deny\n", `line 1, column 1: the version is missing: begin with "version: 1"`},
		{"newer version", "version: 2\n", `line 1, column 10: this ken reads version 1 only: write "version: 1", or use a newer ken`},
		{"version of the wrong type", "version: [1]\n", "line 1, column 10: this ken reads version 1 only"},
		{"unknown key", "version: 1\nrule: []\n", `line 2, column 1: unknown key "rule": did you mean "rules"?`},
		{"duplicate key", "version: 1\ndefault: deny\ndefault: {allow: [everyone]}\n", `line 3, column 1: not valid YAML: mapping key "default" already defined at [2:1]`},
		{"default allow", "version: 1\ndefault: allow\n", "line 2, column 10: want deny or {allow: [everyone], deny: []}"},
		{"default says nothing", "version: 1\ndefault: {}\n", "line 2, column 10: neither allow nor deny: say who may read"},
		{"default null", "version: 1\ndefault:\n", "line 2, column 10: want deny or"},
		{"rules of the wrong type", "version: 1\nrules: {path: a}\n", "line 2, column 8: want a list ([a, b]), got a mapping"},
		{"rule of the wrong type", "version: 1\nrules: [a]\n", `line 2, column 9: want a mapping (key: value), got the text "a"`},
		{"typo in a rule", "version: 1\nrules:\n  - path: a\n    alow: [everyone]\n", `line 4, column 5: unknown key "alow": did you mean "allow"?`},
		{"no path", "version: 1\nrules:\n  - allow: [everyone]\n", `line 3, column 5: the rule has no path: write path: "people/**"`},
		{"path of the wrong type", "version: 1\nrules:\n  - path: [a]\n    allow: []\n", "line 3, column 11: want a text, got a list"},
		{"a rule that says nothing", "version: 1\nrules:\n  - path: a\n", "line 3, column 5: neither allow nor deny"},
		{"allow of the wrong type", "version: 1\nrules:\n  - path: a\n    allow: group:hr\n", `line 4, column 12: want a list ([a, b]), got the text "group:hr"`},
		{"allow of nothing", "version: 1\nrules:\n  - path: a\n    allow:\n", "line 4, column 12: want a list ([a, b]), got nothing"},
		{"bad subject", "version: 1\nrules:\n  - path: a\n    allow: [group:hr, hr]\n", `line 4, column 23: malformed subject "hr": want user:NAME, group:NAME, everyone or authenticated`},
		{"bad subject in a deny", "version: 1\ndefault:\n  deny:\n    - user:ann\n    - 'user:bob '\n", `line 5, column 7: malformed subject "user:bob ": the name begins or ends with a space`},
		{"grant without subject", "version: 1\ndefault: {allow: [{not_after: 2026-01-01}]}\n", "line 2, column 19: no subject"},
		{"typo in a grant", "version: 1\ndefault: {allow: [{subject: user:a, not_aftr: 2026-01-01}]}\n", `line 2, column 37: unknown key "not_aftr": did you mean "not_after"?`},
		{"bad time", "version: 1\ndefault: {allow: [{subject: user:a, not_after: 31.12.2026}]}\n", `line 2, column 48: "31.12.2026" is no time: write 2026-12-31 or 2026-12-31T18:00:00Z`},
		{"time out of range", "version: 1\ndefault: {allow: [{subject: user:a, not_after: 9999-12-31}]}\n", `line 2, column 48: "9999-12-31" is outside the years 1900 to 9998`},
		{"never in force", "version: 1\ndefault: {allow: [{subject: user:a, not_before: 2026-02-01, not_after: 2026-01-01}]}\n", "line 2, column 19: not_after is not later than not_before"},
		{"same path twice", "version: 1\nrules:\n  - {path: a, allow: []}\n  - {path: b, allow: []}\n  - {path: a, allow: [everyone]}\n", `line 5, column 5: rule 3 is never reached: rule 1, "a", comes first; the first match decides`},
		{"rule after **", "version: 1\nrules:\n  - {path: '**', allow: []}\n  - {path: b, allow: []}\n", `line 4, column 5: rule 2 is never reached: rule 1, "**", comes first`},
		{"alias", "version: 1\ndefault: {allow: &a [everyone]}\n", "line 2, column 18: anchors, aliases and merge keys are not read: write the value out"},
		{"merge key", "version: 1\n<<: {default: deny}\n", "line 2, column 1: anchors, aliases and merge keys are not read"},
		{"tag", "version: 1\ndefault: !!str deny\n", `line 2, column 10: want deny or`},
		{"second document", "version: 1\n---\nversion: 1\n", "line 3, column 1: a second YAML document: keep one"},
		{"too large", "version: 1\n#" + strings.Repeat("x", 1<<20), "line 1, column 1: 1048588 bytes are more than the limit of 1048576"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := policy.Parse([]byte(tt.text))
			if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("error %v\nwant  %s", err, tt.want)
			}
			if p != nil {
				t.Error("an error came with a policy")
			}
		})
	}
}

func TestBadPaths(t *testing.T) {
	for path, want := range map[string]string{
		"":                "it is empty: write ** for every document",
		"/people/**":      "drop the slash at the beginning",
		"people/":         "write people/**",
		"people//a":       "empty, . or ..",
		"./people/**":     "empty, . or ..",
		"a/../b":          "empty, . or ..",
		`people\**`:       `drop the \`,
		"people/{a,b}":    "one rule per alternative",
		"people/[ab].md":  "one rule per alternative",
		"!people/**":      "there is no negation",
		"people/**.md":    "** must be a whole segment, as in people/**/*.md",
		" people/**":      "it begins or ends with a space",
		"peo\u200bple/**": "invisible character",
	} {
		_, err := policy.Parse([]byte("version: 1\nrules:\n  - path: '" + path + "'\n    allow: []\n"))
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "line 3, column 11: path ") && path != "" {
			t.Errorf("path %q: error %v, want it to say %q", path, err, want)
		}
	}
}

func TestParseSidecar(t *testing.T) {
	for _, text := range []string{"", "# nobody yet\n", "null", "allow", "acl: [group:hr]", "{}", "deny: []", "alow: [group:hr]", "[group:hr", "[hr]", "[[group:hr]]"} {
		if _, err := policy.ParseSidecar([]byte(text)); err == nil {
			t.Errorf("%q: no error", text)
		} else if _, ok := errors.AsType[*strictyaml.Error](err); !ok {
			t.Errorf("%q: the error has no place: %v", text, err)
		}
	}
	for text, want := range map[string]int{"[]": 0, "[group:hr]": 1, "allow: []": 0, "allow: [group:hr, user:a]\ndeny: [user:b]": 2, "- group:hr\n": 1} {
		s, err := policy.ParseSidecar([]byte(text))
		if err != nil || !s.States || len(s.Allow) != want {
			t.Errorf("%q: %+v, %v; want %d allowed", text, s, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(company))
	f.Add([]byte("version: 1\nrules: [{path: '**/?.md', deny: [everyone]}]\n"))
	f.Add([]byte("version: 1\ndefault: &a {allow: *a}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := policy.Parse(data)
		if err == nil {
			_ = p.For("people/compensation/a.md").Key()
			return
		}
		place, ok := errors.AsType[*strictyaml.Error](err)
		if !ok || place.Line < 1 || place.Column < 1 || place.Line > strings.Count(string(data), "\n")+strings.Count(string(data), "\r")+1 {
			t.Fatalf("the error has no place in the file: %v", err)
		}
		if p != nil {
			t.Fatal("an error came with a policy")
		}
	})
}
