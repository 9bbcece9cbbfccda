// Package sourcetest is the conformance suite for implementations of
// [corpora.Source].
//
//	func TestConformance(t *testing.T) {
//		sourcetest.Run(t, func(t *testing.T) sourcetest.Fixture { … })
//	}
//
// The suite says what the ingest pipeline counts on: ids and order that stay,
// stamps that tell whether to read again, documents that nobody may read
// unless the source says who, errors that name their document, and a Complete
// only at the end of a whole listing.
package sourcetest
