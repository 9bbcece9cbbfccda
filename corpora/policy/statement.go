package policy

import (
	"time"

	"ken/corpora/acl"
	"ken/corpora/internal/strictyaml"
)

// Statement is what one place says about who may read a document. The zero
// Statement says nothing.
type Statement struct {
	Allow []acl.Grant
	// States tells an allow list that is empty (no one) from none at all (a
	// place further away decides).
	States bool
	Deny   []acl.Grant
}

// Combine returns the list in force for statements ordered from the most
// specific place to the least: the allow list of the first that states one,
// and the denies of all. If none states an allow list, no one may read.
func Combine(nearestFirst ...Statement) acl.List {
	var allow, deny []acl.Grant
	stated := false
	for _, s := range nearestFirst {
		if s.States && !stated {
			allow, stated = s.Allow, true
		}
		deny = append(deny, s.Deny...)
	}
	return acl.NewList(allow, deny)
}

// ParseSidecar reads the access file of one document: {allow: [...], deny:
// [...]} or, for short, a list of who is allowed. An empty file is an error:
// it looks like a permission and would be none.
func ParseSidecar(data []byte) (Statement, error) {
	n, err := strictyaml.Parse(data, strictyaml.Options{})
	if err != nil {
		return Statement{}, err
	}
	return Read(n)
}

// Read reads the same from a node of a larger file, such as front matter.
func Read(n strictyaml.Node) (Statement, error) {
	switch {
	case n.IsNull():
		return Statement{}, n.Errorf("nothing is said: write [] if no one may read, or remove it")
	case n.IsSequence():
		allow, err := readGrants(n)
		return Statement{Allow: allow, States: true}, err
	case !n.IsMapping():
		return Statement{}, n.Errorf("want a list such as [group:hr] or {allow: [...], deny: [...]}")
	}
	pairs, err := n.Only("allow", "deny")
	if err != nil {
		return Statement{}, err
	}
	return readStatement(n, pairs)
}

// readStatement reads the keys allow and deny and passes over others.
func readStatement(n strictyaml.Node, pairs []strictyaml.Pair) (s Statement, err error) {
	for _, p := range pairs {
		switch p.Name {
		case "allow":
			s.States = true
			s.Allow, err = readGrants(p.Value)
		case "deny":
			s.Deny, err = readGrants(p.Value)
		}
		if err != nil {
			return Statement{}, err
		}
	}
	if !s.States && len(s.Deny) == 0 {
		return Statement{}, n.Errorf("neither allow nor deny: say who may read")
	}
	return s, nil
}

func readGrants(n strictyaml.Node) ([]acl.Grant, error) {
	items, err := n.Items()
	if err != nil {
		return nil, err
	}
	grants := make([]acl.Grant, len(items))
	for i, item := range items {
		if grants[i], err = readGrant(item); err != nil {
			return nil, err
		}
	}
	return grants, nil
}

func readGrant(n strictyaml.Node) (acl.Grant, error) {
	if !n.IsMapping() {
		s, err := readSubject(n)
		return acl.Grant{Subject: s}, err
	}
	pairs, err := n.Only("subject", "not_before", "not_after")
	if err != nil {
		return acl.Grant{}, err
	}
	var g acl.Grant
	for _, p := range pairs {
		switch p.Name {
		case "subject":
			g.Subject, err = readSubject(p.Value)
		case "not_before":
			g.NotBefore, err = readTime(p.Value, false)
		case "not_after":
			g.NotAfter, err = readTime(p.Value, true)
		}
		if err != nil {
			return acl.Grant{}, err
		}
	}
	return g, checkGrant(n, g)
}

func checkGrant(n strictyaml.Node, g acl.Grant) error {
	switch {
	case g.Subject == "":
		return n.Errorf("no subject: write {subject: group:hr, not_after: 2026-12-31}")
	case !g.NotBefore.IsZero() && !g.NotAfter.IsZero() && !g.NotBefore.Before(g.NotAfter):
		return n.Errorf("not_after is not later than not_before: the grant would never be in force")
	}
	return nil
}

func readSubject(n strictyaml.Node) (acl.Subject, error) {
	text, err := n.Text()
	if err != nil {
		return "", err
	}
	s, err := acl.ParseSubject(text)
	if err != nil {
		return "", n.Errorf("%v", err)
	}
	if s.IsClearance() {
		return "", n.Errorf("%s is needed and not granted: give the document a class, and write clearance: required", s)
	}
	return s, nil
}

// readTime reads an RFC 3339 instant or a date, which is a day in UTC; as an
// end the whole day counts, as people mean "until 31 December".
func readTime(n strictyaml.Node, end bool) (time.Time, error) {
	text, err := n.Text()
	if err != nil {
		return time.Time{}, err
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		if t, err = time.Parse(time.DateOnly, text); err == nil && end {
			t = t.AddDate(0, 0, 1)
		}
	}
	switch {
	case err != nil:
		return time.Time{}, n.Errorf("%q is no time: write 2026-12-31 or 2026-12-31T18:00:00Z", text)
	case t.Year() < 1900 || t.Year() >= 9999:
		return time.Time{}, n.Errorf("%q is outside the years 1900 to 9998: leave the limit out if there is none", text)
	}
	return t.UTC(), nil
}
