package acl

import "slices"

// Both returns a list that admits nobody whom not both lists admit: the grants
// that both allow, and the denies of either. It may admit fewer, since a
// principal may be allowed by different grants of the two.
func Both(a, b List) List {
	allow := slices.DeleteFunc(a.Allow(), func(g Grant) bool { return !slices.Contains(b.allow, g) })
	return NewList(allow, append(a.Deny(), b.deny...))
}
