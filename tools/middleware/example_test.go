package middleware_test

import (
	"context"
	"fmt"

	"ken/tools/middleware"
)

func ExampleGate() {
	gate := middleware.NewGate(1, 1)
	leave, err := gate.Enter(context.Background())
	fmt.Println("first:", err)

	hurry, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = gate.Enter(hurry)
	fmt.Println("second, in a hurry:", err)

	leave()
	fmt.Println("drained:", gate.Drain(context.Background()))
	// Output:
	// first: <nil>
	// second, in a hurry: context canceled
	// drained: <nil>
}
