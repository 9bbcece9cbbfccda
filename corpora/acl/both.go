package acl

import "slices"

// Both returns a list that admits nobody whom not both lists admit: the grants
// of either that the other covers, and the denies and requirements of either. It may admit fewer,
// since a principal may be allowed by unrelated grants of the two.
func Both(a, b List) List {
	allow := append(covered(a.allow, b.allow), covered(b.allow, a.allow)...)
	return NewList(allow, append(a.Deny(), b.deny...)).requiring(append(a.Requires(), b.require...)...)
}

// covered returns those of the grants whose every holder, at every instant, is
// also allowed by one of the others.
func covered(grants, others []Grant) []Grant {
	return slices.DeleteFunc(slices.Clone(grants), func(g Grant) bool {
		return !slices.ContainsFunc(others, func(other Grant) bool { return other.covers(g) })
	})
}

func (g Grant) covers(h Grant) bool {
	if g == h {
		return true
	}
	open := g.NotBefore.IsZero() && g.NotAfter.IsZero()
	return open && (g.Subject == h.Subject || g.Subject == Everyone || g.Subject == Authenticated && h.Subject.IsUser())
}
