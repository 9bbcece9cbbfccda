// Package api is the source of documents that an HTTP API lists as pages of JSON:
// tickets, wiki pages, articles.
//
//	GET list ─> items, next ─> … ─> all items with their stamps ─> Put, …, Complete
//	                                  └ Load: GET detail, or the item as listed
//
// A [Shape] says where in the JSON things are, with dots between names
// ("fields.summary", "results", "acl.readers"). The next page is a URL in the answer
// or in a Link header, a cursor to send back, or the next number until a page is
// empty. A next page on another origin, one that was there already, or more pages
// than the limit end the listing with an error, and what was listed deletes nothing.
package api
