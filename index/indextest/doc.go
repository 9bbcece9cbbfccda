// Package indextest says what an index has to do, as tests that every back end
// runs:
//
//	func TestStore(t *testing.T) {
//		indextest.Run(t, func(t *testing.T) indextest.Store { return open(t) })
//	}
//
// It has two parts. The [Oracle] is a store over plain maps that computes every
// answer anew from the readable documents, with the formulas as they stand in
// the documentation and none of a back end's code. The suite applies the same
// operations to a back end and to the oracle and compares all that a view can
// tell; beside that, its cases spell out the promises one by one.
package indextest
