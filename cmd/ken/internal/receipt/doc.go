// Package receipt proves that documents were deleted: a statement of what was
// removed, when, why and by whom, signed with a key of the data directory. Whoever
// has the public key can verify a receipt without the knowledge base.
package receipt
