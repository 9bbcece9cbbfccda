// Package corpora says what a document is and where documents come from.
//
// A [Source] tells of changes; each [Change] names a document and can load it.
// Nothing here reads, cuts or stores: extraction is corpora/extract, chunks and
// storage are package index.
package corpora
