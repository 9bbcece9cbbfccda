// Package web is the source of documents that are pages of a web site.
//
//	robots.txt, sitemaps, start pages ─> level by level along links ─> Put, …, Complete
//	                                      (same origin, below the start)
//
// A page is named by its path below the start, so https://example.com/docs/a.html is
// "a.html" for a start of https://example.com/docs/. One page has one name: hosts and
// ports in one spelling, no fragment, query sorted and without tracking, redirects
// followed to their end, rel=canonical believed within the site.
//
// Pages that did not change are asked for with their ETag or Last-Modified, and
// answer 304. robots.txt is obeyed, also its crawl delay and, on pages, noindex.
//
// A page that cannot be reached now makes the listing incomplete, because what it
// links to is not known; so does a site with more pages than the limit. A page that
// access is refused to is closed. Nothing on the web says who may read: that is the
// policy's business, and without one the owner alone may.
package web
