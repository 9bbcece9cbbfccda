// Package hashed makes vectors from the words of a text and the character
// n-grams of those words, without a model and without a download.
//
// Every word and every gram is hashed to one component and a sign (the hashing
// trick, Weinberger et al., "Feature Hashing for Large Scale Multitask
// Learning", 2009). A word that occurs often counts less with each occurrence,
// grams bring inflected forms and spelling variants near each other, and the
// sum is scaled to unit length.
//
//	text ── fold ──> words ── count ──> word + grams ── hash, sign ──> dim components ── scale ──> vector
//	                 (scripts without spaces: runs of two characters)
//
// A vector depends on its text alone. Nothing is fitted to a corpus, and the
// arithmetic uses only operations that IEEE 754 rounds exactly, in an order
// that the text gives, so vectors are equal to the bit on every machine.
//
// Such vectors know no synonyms. Alone they reach nDCG@10 .49 on SciFact where
// BM25 has .68, and .86 on English XQuAD where it has .96, which is why [Fuse] is
// small.
package hashed
