package hashed_test

import (
	"context"
	"fmt"

	"ken/embed"
	"ken/embed/hashed"
)

func Example() {
	e, err := hashed.New(hashed.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	vs, err := e.Embed(context.Background(), embed.Passage, []string{
		"How many days of vacation?",
		"Vacations: 30 days a year",
		"Invoices are paid within thirty days",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(e.Model().Name, len(vs[0]))
	fmt.Println(cosine(vs[0], vs[1]) > cosine(vs[0], vs[2]))
	// Output:
	// hashed-384 384
	// true
}
