package eval

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"ken/corpora"
	"ken/corpora/acl"
)

// loadACLs gives every document its list and the set its personas.
func loadACLs(fsys fs.FS, set *Set, docs *records) error {
	type line struct {
		ID     string   `json:"_id"`
		Users  []string `json:"users"`
		Groups []string `json:"groups"`
	}
	err := eachRecord(fsys, "acl.jsonl", func(l line) error {
		i, ok := docs.place[corpora.DocID(l.ID)]
		if !ok {
			return fmt.Errorf("ACL of document %q, which corpus.jsonl does not have", l.ID)
		}
		subjects, err := subjects(l.Users, l.Groups)
		docs.list[i].acl = acl.Allow(subjects...)
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		docs.openAll()
		set.Personas = []Persona{{Principal: acl.NewPrincipal()}}
		return nil
	}
	if err != nil {
		return err
	}
	return loadPersonas(fsys, set)
}

func loadPersonas(fsys fs.FS, set *Set) error {
	type line struct {
		ID     string   `json:"_id"`
		Groups []string `json:"groups"`
	}
	err := eachRecord(fsys, "users.jsonl", func(l line) error {
		subjects, err := subjects([]string{l.ID}, l.Groups)
		set.Personas = append(set.Personas, Persona{Name: l.ID, Principal: acl.NewPrincipal(subjects...)})
		return err
	})
	if err == nil && len(set.Personas) == 0 {
		return errors.New("users.jsonl: no users, and so nobody to ask as")
	}
	return err
}

// subjects turns names into subjects. A name that is a subject stays as it is.
func subjects(users, groups []string) ([]acl.Subject, error) {
	var out []acl.Subject
	add := func(name, prefix string) error {
		if !strings.HasPrefix(name, prefix) {
			name = prefix + name
		}
		s, err := acl.ParseSubject(name)
		out = append(out, s)
		return err
	}
	for _, u := range users {
		if err := add(u, string(acl.User(""))); err != nil {
			return nil, err
		}
	}
	for _, g := range groups {
		if g == string(acl.Everyone) {
			out = append(out, acl.Everyone)
		} else if err := add(g, string(acl.Group(""))); err != nil {
			return nil, err
		}
	}
	return out, nil
}
