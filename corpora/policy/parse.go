package policy

import (
	"ken/corpora/internal/strictyaml"
	"ken/corpora/protect"
)

// Parse reads a policy file of at most 1 MiB. It is strict: whatever it does
// not know is an error that names line and column and says what to do.
func Parse(data []byte) (*Policy, error) {
	root, err := strictyaml.Parse(data, strictyaml.Options{})
	if err != nil {
		return nil, err
	}
	if root.IsNull() {
		return nil, root.Errorf("the policy is empty: write at least %q and %q", "version: 1", "default: deny")
	}
	pairs, err := root.Only("version", "default", "rules", "groups", "clearance", "max_age", "protect", "mail")
	if err != nil {
		return nil, err
	}
	if err := checkVersion(root, pairs); err != nil {
		return nil, err
	}
	p := new(Policy)
	for _, pair := range pairs { // before the rules, which are checked against it
		if pair.Name == "groups" {
			if p.declared, err = readGroups(pair.Value); err != nil {
				return nil, err
			}
		}
	}
	for _, pair := range pairs {
		switch pair.Name {
		case "max_age":
			p.maxAge, err = readAge(pair.Value)
		case "clearance":
			p.classes, err = readClearance(pair.Value)
		case "default":
			if p.standard, err = readDefault(pair.Value); err == nil {
				err = p.declared.checkRules(pair.Value, p.standard)
			}
		case "rules":
			p.rules, err = readRules(pair.Value, p.declared)
		case "protect":
			p.protect, err = protect.Read(pair.Value)
		case "mail":
			p.mail, err = readMail(pair.Value)
		}
		if err != nil {
			return nil, err
		}
	}
	return p, nil
}

func checkVersion(root strictyaml.Node, pairs []strictyaml.Pair) error {
	for _, p := range pairs {
		if p.Name != "version" {
			continue
		}
		text, err := p.Value.Text()
		if err != nil || text != "1" {
			return p.Value.Errorf("this ken reads version 1 only: write %q, or use a newer ken", "version: 1")
		}
		return nil
	}
	return root.Errorf("the version is missing: begin with %q", "version: 1")
}

func readDefault(n strictyaml.Node) (Statement, error) {
	if n.IsMapping() {
		return Read(n)
	}
	text, err := n.Text()
	if err != nil || text != "deny" {
		return Statement{}, n.Errorf("want deny or {allow: [everyone], deny: []}")
	}
	return Statement{States: true}, nil
}

// readClearance reads the one word that holds classes against clearances.
func readClearance(n strictyaml.Node) (bool, error) {
	text, err := n.Text()
	switch {
	case err == nil && text == "required":
		return true, nil
	case err == nil && text == "ignored":
		return false, nil
	}
	return false, n.Errorf("want required (a reader must be cleared for a document's class) or ignored")
}

// readMail reads the word that lets people read the mails that they wrote or got.
func readMail(n strictyaml.Node) (bool, error) {
	text, err := n.Text()
	switch {
	case err == nil && text == "participants":
		return true, nil
	case err == nil && text == "ignored":
		return false, nil
	}
	return false, n.Errorf("want participants (who wrote or got a mail may read it) or ignored")
}

func readRules(n strictyaml.Node, groups *declared) ([]rule, error) {
	if n.IsNull() { // all rules commented out
		return nil, nil
	}
	items, err := n.Items()
	if err != nil {
		return nil, err
	}
	rules := make([]rule, len(items))
	firstWith := make(map[string]int, len(items))
	for i, item := range items {
		if rules[i], err = readRule(item); err != nil {
			return nil, err
		}
		if err := groups.checkRules(item, rules[i].says); err != nil {
			return nil, err
		}
		for _, earlier := range []string{rules[i].path.text, "**"} {
			if at, ok := firstWith[earlier]; ok {
				return nil, item.Errorf("rule %d is never reached: rule %d, %q, comes first; the first match decides", i+1, at+1, earlier)
			}
		}
		firstWith[rules[i].path.text] = i
	}
	return rules, nil
}

func readRule(n strictyaml.Node) (r rule, err error) {
	pairs, err := n.Only("path", "allow", "deny")
	if err != nil {
		return rule{}, err
	}
	for _, p := range pairs {
		if p.Name == "path" {
			if r.path, err = readGlob(p.Value); err != nil {
				return rule{}, err
			}
		}
	}
	if r.path.text == "" {
		return rule{}, n.Errorf("the rule has no path: write path: \"people/**\"")
	}
	r.says, err = readStatement(n, pairs)
	return r, err
}

func readGlob(n strictyaml.Node) (glob, error) {
	text, err := n.Text()
	if err != nil {
		return glob{}, err
	}
	g, problem := parseGlob(text)
	if problem != "" {
		return glob{}, n.Errorf("path %q: %s", text, problem)
	}
	return g, nil
}
