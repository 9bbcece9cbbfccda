package item

import (
	"encoding/json"
	"fmt"
	"strings"

	"ken/corpora/acl"
	"ken/corpora/policy"
)

// Subjects reads who may read from one value: a JSON array, an array as
// PostgreSQL writes it, or names between commas. prefix ("group:") stands before
// names that say of no kind; without it they are refused. Nothing gives none.
func Subjects(value, prefix string) ([]acl.Subject, error) {
	names, err := split(strings.TrimSpace(value))
	if err != nil {
		return nil, err
	}
	return Named(names, prefix)
}

// Named reads subjects from a list of names.
func Named(names []string, prefix string) ([]acl.Subject, error) {
	out := make([]acl.Subject, 0, len(names))
	for _, n := range names {
		if prefix != "" && !kind(n) {
			n = prefix + n
		}
		s, err := acl.ParseSubject(n)
		if err != nil {
			return nil, err
		}
		if s.IsClearance() {
			return nil, fmt.Errorf("%w: %s is needed and not granted", acl.ErrSubject, s)
		}
		out = append(out, s)
	}
	return out, nil
}

// kind reports whether a name says itself what it is of.
func kind(name string) bool {
	s := acl.Subject(name)
	return s == acl.Everyone || s == acl.Authenticated || s.IsUser() || s.IsGroup() || s.IsClearance()
}

func split(value string) (names []string, err error) {
	switch {
	case value == "":
		return nil, nil
	case strings.HasPrefix(value, "["):
		if err := json.Unmarshal([]byte(value), &names); err != nil {
			return nil, fmt.Errorf("%w: %q is no JSON array of names", acl.ErrSubject, clip(value))
		}
		return names, nil
	case strings.HasPrefix(value, "{"):
		return array(value)
	}
	for name := range strings.SplitSeq(value, ",") {
		names = append(names, strings.TrimSpace(name))
	}
	return names, nil
}

// array reads {a,"b c"}, of one dimension and without NULL.
func array(value string) (names []string, err error) {
	bad := fmt.Errorf("%w: %q is no array of names", acl.ErrSubject, clip(value))
	inner, ok := strings.CutSuffix(value[1:], "}")
	if !ok {
		return nil, bad
	}
	for inner != "" {
		var name string
		if name, inner, ok = element(inner); !ok {
			return nil, bad
		}
		names = append(names, name)
	}
	return names, nil
}

// element cuts the first element and the comma after it off an array's inside.
func element(s string) (name, rest string, ok bool) {
	if s[0] != '"' {
		name, rest, more := strings.Cut(s, ",")
		return name, rest, name != "" && name != "NULL" && !strings.ContainsAny(name, `{}"\`) && (!more || rest != "")
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			if i++; i == len(s) {
				return "", "", false
			}
			b.WriteByte(s[i])
		case '"':
			rest = s[i+1:]
			if rest == "" {
				return b.String(), "", true
			}
			return b.String(), rest[1:], rest[0] == ',' && len(rest) > 1
		default:
			b.WriteByte(s[i])
		}
	}
	return "", "", false
}

// Says makes a statement of two values, who is allowed and who is denied.
func Says(allow, deny, prefix string) (policy.Statement, error) {
	a, err := Subjects(allow, prefix)
	if err != nil {
		return policy.Statement{}, fmt.Errorf("who may read: %w", err)
	}
	d, err := Subjects(deny, prefix)
	if err != nil {
		return policy.Statement{}, fmt.Errorf("who may not read: %w", err)
	}
	return policy.Statement{Allow: acl.Grants(a...), States: true, Deny: acl.Grants(d...)}, nil
}
