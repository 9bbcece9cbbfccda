package policy_test

import (
	"testing"

	"ken/corpora/acl"
	"ken/corpora/policy"
)

// Who took part in a mail reads it only where the policy says so; then nobody
// reads one whose people are not known, whatever the rules open.
func TestMail(t *testing.T) {
	parse := func(text string) *policy.Policy {
		t.Helper()
		p, err := policy.Parse([]byte("version: 1\ndefault: {allow: [everyone]}\n" + text))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	for _, tt := range []struct {
		policy    string
		addresses []string
		want      acl.List
	}{
		{"", []string{"a@example.com"}, acl.Allow("everyone")},
		{"mail: ignored\n", []string{"a@example.com"}, acl.Allow("everyone")},
		{"mail: participants\n", []string{"a@example.com", "b@example.com"}, acl.Allow("user:a@example.com", "user:b@example.com")},
		{"mail: participants\n", nil, acl.List{}},
		{"mail: participants\n", []string{"not a subject\n"}, acl.List{}},
	} {
		p := parse(tt.policy)
		got := policy.Combine(append([]policy.Statement{p.Mail(tt.addresses)}, p.Statements("a.eml")...)...)
		if got.Key() != tt.want.Key() {
			t.Errorf("%q for %q: %v, want %v", tt.policy, tt.addresses, got, tt.want)
		}
	}
	for _, text := range []string{"mail: everyone\n", "mail: [a]\n", "protect:\n  - {find: email}\n"} {
		if _, err := policy.Parse([]byte("version: 1\n" + text)); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
	if got := parse("protect:\n  - {find: email, do: redact}\n").Protect().Names(); len(got) != 1 {
		t.Errorf("rules %v", got)
	}
}
