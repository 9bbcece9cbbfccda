// Package item turns what services know of a document (a row, a page, a message)
// into a [corpora.Document] with its access list.
//
//	what the service says     allow? deny      the first place, from the top, that
//	policy rule, default      allow? deny      states an allow list gives it
//	front matter in the text  narrows          denies add up
//
// Whoever writes the text of a row or page need not be who decides about its
// readers, so front matter can take readers away here and never add any. Without
// a policy the owner may read, and without an owner nobody.
package item
