package policy_test

import (
	"fmt"
	"time"

	"ken/corpora/acl"
	"ken/corpora/policy"
)

func ExampleParse() {
	p, err := policy.Parse([]byte(`
version: 1
default: {allow: [authenticated]}
rules:
  - path: "people/compensation/**"
    allow: [group:hr]
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	bob := acl.NewPrincipal("user:bob", "group:sales")
	now := time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
	fmt.Println(p.For("people/leave.md").Admits(bob, now))
	fmt.Println(p.For("people/compensation/bands.md").Admits(bob, now))
	// Output:
	// true
	// false
}

func ExampleParse_typo() {
	_, err := policy.Parse([]byte("version: 1\nrules:\n  - path: people/**\n    dney: [user:mallory]\n"))
	fmt.Println(err)
	// Output: line 4, column 5: unknown key "dney": did you mean "deny"?
}
