package acl

import "time"

// Finding is what one line of a list says about a principal.
type Finding struct {
	Says    string // "allow", "deny" or "require"
	Grant   Grant  // of a requirement, the subject alone
	Held    bool   // the principal holds the subject
	InForce bool   // at the instant; requirements always are
}

// Counts reports whether the finding takes part in the decision: an allow or
// deny that is held and in force, or a requirement that is not met.
func (f Finding) Counts() bool {
	if f.Says == "require" {
		return !f.Held
	}
	return f.Held && f.InForce
}

// Explain says what each line of l means for p at an instant, in canonical
// order, for administrators. Whether p is admitted is [List.Admits]'s to say.
func (l List) Explain(p Principal, at time.Time) []Finding {
	var out []Finding
	for _, part := range []struct {
		says   string
		grants []Grant
	}{{"allow", l.allow}, {"deny", l.deny}, {"require", Grants(l.require...)}} {
		for _, g := range part.grants {
			out = append(out, Finding{part.says, g, p.Holds(g.Subject), g.inForce(at)})
		}
	}
	return out
}

// With returns l with more grants of either kind.
func (l List) With(allow, deny []Grant) List {
	out := NewList(append(l.Allow(), allow...), append(l.Deny(), deny...))
	out.require = l.require
	return out
}

// Instead returns a list with these grants and what l requires.
func (l List) Instead(allow, deny []Grant) List {
	out := NewList(allow, deny)
	out.require = l.require
	return out
}
