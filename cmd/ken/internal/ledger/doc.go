// Package ledger keeps what operators ask of a source: when it was last read, how
// that went, and which of its documents could not be taken in. It is a file beside
// the index and has no authority: without it nothing is lost but this history.
package ledger
