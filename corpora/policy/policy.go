package policy

import (
	"time"

	"ken/corpora/acl"
)

// File is where a folder's policy stands, relative to the folder.
const File = ".ken/acl.yaml"

// Policy says by path who may read. A nil or zero Policy admits no one.
type Policy struct {
	standard Statement // what the file calls default
	rules    []rule
	declared *declared // nil: the file declares no groups
	classes  bool      // classes are held against clearances
	maxAge   time.Duration
}

type rule struct {
	path glob
	says Statement
}

// Grant returns the policy that lets these subjects, and no one else, read
// everything. It is what stands in for a missing policy file.
func Grant(subjects ...acl.Subject) *Policy {
	return &Policy{standard: Statement{States: true, Allow: acl.Grants(subjects...)}}
}

// Classify returns the list for a document of a class: the same, unless the
// policy says that classes are held against clearances.
func (p *Policy) Classify(l acl.List, class string) acl.List {
	if p == nil || !p.classes {
		return l
	}
	return l.Classified(class)
}

// Classifies reports whether [Policy.Classify] changes anything.
func (p *Policy) Classifies() bool { return p != nil && p.classes }

// For returns the list in force at a path that nothing nearer speaks about.
func (p *Policy) For(path string) acl.List {
	return Combine(p.Statements(path)...)
}

// Statements returns what the policy says about a path, nearest first: the
// first rule that matches, then the default.
func (p *Policy) Statements(path string) []Statement {
	if p == nil {
		return nil
	}
	for _, r := range p.rules {
		if r.path.match(path) {
			return []Statement{r.says, p.standard}
		}
	}
	return []Statement{p.standard}
}

// Rules is the number of rules, the default not counted.
func (p *Policy) Rules() int {
	if p == nil {
		return 0
	}
	return len(p.rules)
}
