package policy_test

import (
	"errors"
	"testing"

	"ken/corpora/policy"
)

// A rule that was meant for a document and misses it must not leave it to the
// wide default.
func TestDoubt(t *testing.T) {
	p := parse(t, `version: 1
default: {allow: [everyone]}
rules:
  - {path: "People/**", allow: [group:hr]}
  - {path: "caf`+"\u00e9"+`/*.md", allow: [group:hr]}
  - {path: "Both/**", allow: [group:hr]}
  - {path: "both/**", allow: [group:it]}
  - {path: "open/**", allow: [everyone]}
  - {path: "OPEN/secret.md", allow: [group:hr]}
`)
	for path, doubtful := range map[string]bool{
		"People/pay.md": false, "people/pay.md": true, "PEOPLE/a/b.md": true, "\uff30eople/pay.md": true, "Peo\u00adple/pay.md": true,
		"caf\u00e9/a.md": false, "cafe\u0301/a.md": true, "caf\u00e9/a.MD": true, "Both/a.md": false, "both/a.md": false, "BOTH/a.md": true,
		"open/secret.md": false, "other.md": false, "peopl/pay.md": false,
	} {
		if err := p.Doubt(path); errors.Is(err, policy.ErrDoubt) != doubtful {
			t.Errorf("%q: error %v, doubtful %v", path, err, doubtful)
		}
	}
	if err := (*policy.Policy)(nil).Doubt("a"); err != nil {
		t.Error(err)
	}
}

func TestDoubtFolder(t *testing.T) {
	p := parse(t, "version: 1\nrules:\n  - {path: people, allow: []}\n  - {path: '*/private', allow: []}\n  - {path: 'a/*', allow: []}\n  - {path: 'b/**', allow: []}\n")
	for dir, doubtful := range map[string]bool{"people": true, "People": true, "x/private": true, "private": false, "a/b": false, "a": false, "b": false, "b/c": false} {
		if err := p.DoubtFolder(dir); errors.Is(err, policy.ErrDoubt) != doubtful {
			t.Errorf("%q: error %v, doubtful %v", dir, err, doubtful)
		}
	}
}
