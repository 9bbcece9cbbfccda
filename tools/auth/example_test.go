package auth_test

import (
	"fmt"
	"time"

	"ken/corpora/acl"
	"ken/tools/auth"
)

func ExampleKeys() {
	keys := auth.NewMemory(auth.Options{})
	key, secret, err := keys.Create([]acl.Subject{"user:ann", "group:hr"}, time.Time{}, "ann's laptop")
	if err != nil {
		fmt.Println(err)
		return
	}
	known, err := keys.Verify(secret)
	fmt.Println(known.Principal().User(), known.ID == key.ID, err)
	_, err = keys.Verify("ken_abcd1234_guess")
	fmt.Println(err)
	// Output:
	// user:ann true <nil>
	// unauthenticated
}
