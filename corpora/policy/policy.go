package policy

import (
	"time"

	"ken/corpora/acl"
	"ken/corpora/protect"
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
	mail     bool // who wrote or got a mail may read it
	protect  protect.Rules
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

// Protect returns the rules for values in documents.
func (p *Policy) Protect() protect.Rules {
	if p == nil {
		return protect.Rules{}
	}
	return p.protect
}

// Mail returns what is stated about a mail by who wrote and got it: nothing,
// unless the policy says that they may read it, and nobody if it is not known
// who they are.
func (p *Policy) Mail(addresses []string) Statement {
	if p == nil || !p.mail {
		return Statement{}
	}
	s := Statement{States: true}
	for _, a := range addresses {
		if subject, err := acl.ParseSubject("user:" + a); err == nil {
			s.Allow = append(s.Allow, acl.Grants(subject)...)
		}
	}
	return s
}

// MailIsForParticipants reports whether [Policy.Mail] states anything.
func (p *Policy) MailIsForParticipants() bool { return p != nil && p.mail }

// Rules is the number of rules, the default not counted.
func (p *Policy) Rules() int {
	if p == nil {
		return 0
	}
	return len(p.rules)
}
