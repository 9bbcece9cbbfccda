// Package git is the source of documents that are files in a Git repository.
//
//	remote ─ fetch what is missing ─> repository ─ commit ─> tree ─> folder's rules
//	                                  (or a local one,       │
//	                                   opened to read)       └ history: when each path last changed
//
// A listing is one commit: every document of it comes from the same state, also
// if the branch moves on meanwhile. What the files mean (policy file, sidecars,
// front matter, hidden files, links) is as in package folder. Stamps are the
// hashes that Git has, so a listing without changes reads trees only, and a fetch
// brings only what is new.
//
// A branch that cannot be found is an error of the source, never an empty list.
package git
