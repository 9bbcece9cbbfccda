package policy

import (
	"errors"
	"slices"
	"time"

	"ken/corpora/acl"
	"ken/corpora/internal/strictyaml"
)

// declared are the groups that a file declares, with their places for errors.
type declared struct {
	members map[acl.Subject][]acl.Subject
	places  map[acl.Subject]strictyaml.Node // a group's members
	groups  acl.Groups
}

// Groups returns the groups that the policy declares, as they were learned at
// an instant, and whether it declares any. They count where an administrator
// names the file; a folder's policy alone puts nobody into a group.
func (p *Policy) Groups(asOf time.Time) (acl.Groups, bool) {
	if p == nil || p.declared == nil {
		return acl.Groups{}, false
	}
	groups, err := acl.NewGroups(p.declared.members, asOf)
	return groups, err == nil // Parse has refused what is cyclic
}

// readGroups reads {hr: [user:ann, group:people-ops], people-ops: []}. The
// names stand without "group:".
func readGroups(n strictyaml.Node) (*declared, error) {
	pairs, err := n.Mapping()
	if err != nil {
		return nil, err
	}
	d := &declared{members: map[acl.Subject][]acl.Subject{}, places: map[acl.Subject]strictyaml.Node{}}
	for _, p := range pairs {
		group, err := acl.ParseSubject(string(acl.Group(p.Name)))
		if err != nil {
			return nil, p.Value.Errorf("%v", err)
		}
		if d.members[group], err = readMembers(p.Value); err != nil {
			return nil, err
		}
		d.places[group] = p.Value
	}
	d.groups, err = acl.NewGroups(d.members, time.Time{})
	if cycle, ok := errors.AsType[*acl.CycleError](err); ok {
		return nil, d.places[cycle.Path[0]].Errorf("%v: a group cannot be its own member", err)
	}
	return d, d.checkMembers()
}

func readMembers(n strictyaml.Node) ([]acl.Subject, error) {
	items, err := n.Items()
	if err != nil {
		return nil, err
	}
	members := make([]acl.Subject, len(items))
	for i, item := range items {
		if members[i], err = readSubject(item); err != nil {
			return nil, err
		}
	}
	return members, nil
}

// checkMembers refuses members that are groups which the file does not declare.
func (d *declared) checkMembers() error {
	for _, group := range d.groups.Names() {
		for i, m := range d.members[group] {
			if !d.knows(m) {
				items, err := d.places[group].Items()
				if err != nil {
					return err
				}
				return items[i].Errorf("%s", unknownGroup(m))
			}
		}
	}
	return nil
}

func (d *declared) knows(s acl.Subject) bool {
	_, ok := d.members[s]
	return ok || !s.IsGroup()
}

// checkRules refuses rules about groups that the file, which declares groups,
// does not declare. A file that declares none says nothing about which there are.
func (d *declared) checkRules(at strictyaml.Node, says Statement) error {
	if d == nil {
		return nil
	}
	for _, g := range slices.Concat(says.Allow, says.Deny) {
		if !d.knows(g.Subject) {
			return at.Errorf("%s", unknownGroup(g.Subject))
		}
	}
	return nil
}

func unknownGroup(s acl.Subject) string {
	return "the group " + string(s) + " is not declared under groups: correct the name, or declare it (with [] if its members come from elsewhere)"
}

// readAge reads how old the file may be for its groups to count.
func readAge(n strictyaml.Node) (time.Duration, error) {
	text, err := n.Text()
	if err != nil {
		return 0, err
	}
	age, err := time.ParseDuration(text)
	if err != nil || age <= 0 {
		return 0, n.Errorf("%q is no age: write 36h or 90m", text)
	}
	return age, nil
}
