// Package acl says who may read a document.
//
// A [Principal] is the set of subjects that a person holds: the person, the
// person's groups, and the two built-in subjects [Everyone] and
// [Authenticated]. A [List] belongs to a document and names the subjects it
// allows and denies, each for an optional span of time. [List.Admits] is the
// only place where the two meet.
//
//	Principal {user:ann, group:hr, everyone, authenticated}
//	                    │
//	List  allow ────────┤ holds one that is in force? ── no ──> refused
//	      deny  ────────┤ holds one that is in force? ── yes ─> refused
//	      require ──────┘ holds all? ────────────────── no ──> refused
//
// Everything that is not said refuses: the zero List admits no one, the zero
// Principal holds nothing, a subject that does not parse is an error. Subjects
// are compared byte for byte; there is no case folding and no Unicode
// normalisation, so "user:Ann" and "user:ann" are two people.
//
// The package imports the standard library only.
package acl
