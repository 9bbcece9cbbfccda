package eval

import (
	"fmt"
	"slices"
	"strings"

	"ken/corpora"
	"ken/corpora/acl"
)

// Set is an evaluation set.
type Set struct {
	Name     string
	Source   corpora.Source // its documents, each with its ACL
	Queries  []Query        // in the order of the file, judged or not
	Personas []Persona      // who asks; a set without permissions has one, who reads all
	Notes    []string       // defects of the files that do not stop a run, for people
}

// Query is a question of a set.
type Query struct {
	ID       string
	Text     string
	Relevant map[corpora.DocID]int // judged documents with their grades; above 0 is relevant
	Gold                           // what the answer is; the zero Gold if the set does not say

	// ByPersona has the gold of personas whose answer is another one.
	ByPersona map[string]Gold

	// Outdated are superseded documents that hold a wrong answer.
	Outdated []corpora.DocID
}

// Gold is what is known of a question's answer.
type Gold struct {
	Answers    []string        // strings that stand in a supporting document
	Supporting []corpora.DocID // documents that hold an answer; if none is named, the relevant ones do
	Known      bool            // the set says whether there is an answer
	Answerable bool            // some document answers it
}

// Persona is one who asks.
type Persona struct {
	Name      string // "" in a set without permissions
	Principal acl.Principal
}

// goldFor returns the gold for the persona.
func (q Query) goldFor(persona string) Gold {
	if g, ok := q.ByPersona[persona]; ok {
		return g
	}
	return q.Gold
}

// personas returns the personas with these names, in the order of the names;
// all of them for no names.
func (s Set) personas(names []string) ([]Persona, error) {
	if len(names) == 0 {
		return s.Personas, nil
	}
	var out []Persona
	for _, name := range names {
		i := slices.IndexFunc(s.Personas, func(p Persona) bool { return p.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("persona %q: the set has %s", name, strings.Join(s.personaNames(), ", "))
		}
		out = append(out, s.Personas[i])
	}
	return out, nil
}

func (s Set) personaNames() []string {
	var names []string
	for _, p := range s.Personas {
		if p.Name != "" {
			names = append(names, p.Name)
		}
	}
	if len(names) == 0 {
		return []string{"none: it has no permissions"}
	}
	return names
}
