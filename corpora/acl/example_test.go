package acl_test

import (
	"fmt"
	"time"

	"ken/corpora/acl"
)

func ExampleList_Admits() {
	// HR may read, the auditors in 2026 only, and mallory in no case.
	year := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	list := acl.NewList(
		append(acl.Grants(acl.Group("hr")), acl.Grant{
			Subject: acl.Group("auditors"), NotBefore: year, NotAfter: year.AddDate(1, 0, 0),
		}),
		acl.Grants(acl.User("mallory")),
	)
	now := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

	fmt.Println(list.Admits(acl.NewPrincipal("user:ann", "group:hr"), now))
	fmt.Println(list.Admits(acl.NewPrincipal("user:bob", "group:auditors"), now))
	fmt.Println(list.Admits(acl.NewPrincipal("user:bob", "group:auditors"), now.AddDate(1, 0, 0)))
	fmt.Println(list.Admits(acl.NewPrincipal("user:mallory", "group:hr"), now))
	// Output:
	// true
	// true
	// false
	// false
}

func ExampleParseSubject() {
	_, err := acl.ParseSubject("ann")
	fmt.Println(err)
	// Output: malformed subject "ann": want user:NAME, group:NAME, everyone or authenticated
}
