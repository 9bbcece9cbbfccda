package eval

import (
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
	Answers  []string              // gold answers; nil if the set has none

	// ByPersona has the gold answers of personas whose answer is another one.
	ByPersona map[string][]string
}

// Persona is one who asks.
type Persona struct {
	Name      string // "" in a set without permissions
	Principal acl.Principal
}

// answersFor returns the gold answers for the persona.
func (q Query) answersFor(persona string) []string {
	if answers, ok := q.ByPersona[persona]; ok {
		return answers
	}
	return q.Answers
}
