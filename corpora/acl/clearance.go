package acl

import (
	"slices"
	"strings"
)

const clearancePrefix = "clearance:"

// levels are the classes that are in order: who is cleared for one is cleared
// for those before it. Any other class stands for itself.
var levels = [...]string{"public", "internal", "confidential", "restricted"}

// Clearance returns the subject of those who are cleared for a class.
func Clearance(class string) Subject { return Subject(clearancePrefix + class) }

// IsClearance reports whether s is a clearance and not somebody.
func (s Subject) IsClearance() bool { return strings.HasPrefix(string(s), clearancePrefix) }

// below returns the clearances that come with s, itself included.
func below(s Subject) []Subject {
	class, _ := strings.CutPrefix(string(s), clearancePrefix)
	i := slices.Index(levels[:], class)
	if i < 0 {
		return []Subject{s}
	}
	var out []Subject
	for _, l := range levels[:i+1] {
		out = append(out, Clearance(l))
	}
	return out
}

// Classified returns l for a document of the class: besides what l says, a
// reader has to be cleared for the class. A document without a class, whose
// class nobody has decided yet, needs the highest clearance. What is public
// needs none. A class that cannot be written as a subject admits no one.
func (l List) Classified(class string) List {
	switch class {
	case "public":
		return l
	case "":
		class = levels[len(levels)-1]
	}
	needed := Clearance(class)
	if _, err := ParseSubject(string(needed)); err != nil {
		return List{}
	}
	return l.requiring(needed)
}

// Requires returns the subjects all of which a reader must hold, besides being
// allowed. The caller owns the slice.
func (l List) Requires() []Subject { return slices.Clone(l.require) }

// requiring returns l with more required subjects.
func (l List) requiring(more ...Subject) List {
	all := append(slices.Clone(l.require), more...)
	slices.Sort(all)
	l.require = slices.Compact(all)
	return l
}

func holdsAll(p Principal, needed []Subject) bool {
	return !slices.ContainsFunc(needed, func(s Subject) bool { return !p.Holds(s) })
}
