// Package bounds adds up how much the terms of a query can add to the scores of
// many chunks, without computing what they do add.
//
// A chunk has four bits for each term, a code that says how often the term stands
// in it, and four bits for all terms, the step that its length belongs to. What
// code and step allow at most is in a table of 256 numbers, one for each term of the
// query. 64 chunks are looked up at once where the machine can; each kernel has a
// twin in plain Go that a test holds it to.
package bounds
