// Package twin tests the promise of non-interference: what a person gets is a
// function of the documents that this person may read.
//
// It draws worlds (documents, access lists, people, questions) and builds two
// real servers per person, one over all documents and one over only those that
// the person may read, with the same clock, ids and cursor key. Both get the
// same lines over the protocol; every byte that comes back is compared.
//
//	              ┌ server over all documents ──────┐
//	request line ─┤                                 ├─ bytes equal?
//	              └ server over the readable ones ──┘
//
// Between requests things happen that the person must not notice: unreadable
// documents are added, edited, deleted, given to other people, embedded anew;
// other people ask; the index is rewritten or opened again. Things that the person should
// notice (a grant, a revoke, the hour of a grant's end) happen to both.
//
// Two controls say whether the comparison can fail. A document that is granted
// on one server alone must change an answer, in every world. And [Leaks] are
// servers that each tell one thing too much, named by the channel it goes
// through: [Teeth] reports which of them the comparison caught.
//
// The caller brings the store, so every back end can be put to the test.
package twin
