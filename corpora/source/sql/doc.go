// Package sql is the source of documents that are rows of a database.
//
//	SELECT key, updated, readers … ─> all keys with their stamps ─> Put, …, Complete
//	                                   └ Load: SELECT … WHERE key = ?
//
// A listing reads the narrow columns of every row in one read-only statement, so
// deletions are noticed, half a list never counts, and no transaction stays open
// while documents are worked on. With an update column, rows that did not change
// are not read any further; without one the listing reads and digests them whole.
//
// The text of a document is one column as it is, or several under headings, or,
// if none is named, all columns as lines "column: value". Columns that say who may
// read hold names between commas, a JSON array or an array of PostgreSQL; NULL there
// means nobody. A row's text and readers are always of the same state of the row.
package sql
