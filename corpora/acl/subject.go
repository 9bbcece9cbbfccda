package acl

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Subject is who a grant is made to: "user:NAME", "group:NAME", [Everyone] or
// [Authenticated]; or "clearance:CLASS", which lists require and principals
// hold. Subjects are compared byte for byte.
type Subject string

const (
	// Everyone is held by every principal but the zero one, signed in or not.
	Everyone Subject = "everyone"
	// Authenticated is held by every principal that has a user.
	Authenticated Subject = "authenticated"

	userPrefix  = "user:"
	groupPrefix = "group:"

	// maxSubject bounds a subject in bytes, so that a token or a policy file
	// cannot make the permission store carry megabytes.
	maxSubject = 512
)

// ErrSubject is wrapped by every error about a malformed subject.
var ErrSubject = errors.New("malformed subject")

// User returns the subject of the user with this name.
func User(name string) Subject { return Subject(userPrefix + name) }

// Group returns the subject of the group with this name.
func Group(name string) Subject { return Subject(groupPrefix + name) }

// IsUser reports whether s names a user.
func (s Subject) IsUser() bool { return strings.HasPrefix(string(s), userPrefix) }

// IsGroup reports whether s names a group.
func (s Subject) IsGroup() bool { return strings.HasPrefix(string(s), groupPrefix) }

// ParseSubject reads a subject as people write it. It changes nothing: what
// would have to be changed to compare well (surrounding spaces, control or
// invisible characters, invalid UTF-8) is refused with an error that wraps
// [ErrSubject].
func ParseSubject(text string) (Subject, error) {
	s := Subject(text)
	if s == Everyone || s == Authenticated {
		return s, nil
	}
	name, ok := strings.CutPrefix(text, userPrefix)
	if !ok {
		name, ok = strings.CutPrefix(text, groupPrefix)
	}
	if !ok {
		name, ok = strings.CutPrefix(text, clearancePrefix)
	}
	switch {
	case !ok:
		return "", fmt.Errorf("%w %q: want user:NAME, group:NAME, everyone or authenticated", ErrSubject, clip(text))
	case name == "":
		return "", fmt.Errorf("%w %q: the name is empty", ErrSubject, text)
	case len(text) > maxSubject:
		return "", fmt.Errorf("%w %q: longer than %d bytes", ErrSubject, clip(text), maxSubject)
	case !utf8.ValidString(name):
		return "", fmt.Errorf("%w %q: not valid UTF-8", ErrSubject, text)
	case strings.TrimSpace(name) != name:
		return "", fmt.Errorf("%w %q: the name begins or ends with a space", ErrSubject, text)
	case strings.ContainsFunc(name, invisible):
		return "", fmt.Errorf("%w %q: the name has a control or invisible character", ErrSubject, text)
	}
	return s, nil
}

// ParseSubjects reads a comma-separated list such as "user:ann,group:hr".
func ParseSubjects(text string) ([]Subject, error) {
	var out []Subject
	for part := range strings.SplitSeq(text, ",") {
		s, err := ParseSubject(strings.TrimSpace(part))
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

// invisible reports what two names may differ in while they look the same:
// controls, format characters, spaces other than U+0020, unassigned code
// points, and letters and marks that are drawn as nothing.
func invisible(r rune) bool {
	return r == utf8.RuneError || !unicode.IsPrint(r) ||
		unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

func clip(s string) string {
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}
