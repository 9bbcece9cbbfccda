// Package frontmatter reads the YAML block at the head of a Markdown file.
//
// The block begins in the first line with --- and ends with a line --- or ....
// It is metadata that people keep for many tools, so keys that ken does not
// know are passed over, and so is a known key whose value cannot be used, such
// as a date of "next week". Two keys protect the document, acl and class: if
// they are there they must be right. What makes it doubtful whether such a key
// is there at all (YAML that does not parse, a block that does not end, acl in
// capitals, within another key or in a TOML block, a block with other fences or
// none, after a blank line or after the front matter) is an error too, and the
// caller must then give the document to no one.
//
//	---
//	title: Salary bands 2026
//	acl: {allow: [group:hr], deny: [user:mallory]}   # or, for short, [group:hr]
//	tags: [pay, bands]                               # or "pay, bands"
//	language: en                                     # or lang
//	status: approved                                 # draft, superseded
//	superseded_by: people/bands-2027.md              # from the folder's top; ./ and ../ from here
//	updated: 2026-01-31                              # or date
//	class: restricted
//	url: https://example.com/bands
//	---
package frontmatter
