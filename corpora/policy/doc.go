// Package policy turns written rules into access lists.
//
// A policy file says by path who may read; a document or a sidecar may say
// something nearer. [Combine] is the one place where these statements become
// the list that is in force:
//
//	sidecar        allow? deny      the first place, from the top, that states
//	front matter   allow? deny      an allow list gives it;
//	policy rule    allow? deny      the denies of all places add up.
//	policy default allow? deny
//
// So a nearer place can open or close a document, but never lift a deny. What
// does not parse is an error and never falls back to a wider place.
//
// The file, .ken/acl.yaml in the folder's top:
//
//	version: 1
//	default: deny              # or {allow: [everyone], deny: [user:mallory]}
//	rules:                     # the first rule whose path matches decides
//	  - path: "people/compensation/**"
//	    allow: [group:hr, {subject: group:auditors, not_before: 2026-01-01, not_after: 2026-12-31}]
//	    deny: [user:mallory]
//	clearance: required        # a document's class is held against the reader's clearance
//	groups:                    # then every group that a rule names must be here
//	  hr: [user:ann, group:people-ops]
//	  people-ops: [user:bob]
//	  auditors: []             # its members come from elsewhere, a token for example
//	max_age: 36h               # if nobody has written the file since, its groups are not known
//	mail: participants         # user:ADDRESS may read the mails that ADDRESS wrote or got
//	protect:                   # values that are taken out before anything is stored (package protect)
//	  - {find: email, do: redact}
//
// Paths are relative to the folder and compared byte for byte; a rule that would
// match but for case or characters that look alike closes the document
// ([Policy.Doubt]), and so does one that names a folder. In a path, *
// stands for any characters of one segment, ? for one character of it, and a
// segment ** for any number of segments.
package policy
