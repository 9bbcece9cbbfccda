package protect

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"ken/corpora/internal/strictyaml"
)

// Action is what happens to a value.
type Action string

// The actions.
const (
	Redact   Action = "redact"
	Tokenise Action = "tokenise"
	Encrypt  Action = "encrypt"
)

// Rule is what to look for and what to do with it.
type Rule struct {
	Name   string   // stands in the replacement: small letters, digits and hyphens
	Fields []string // names of fields and columns; or
	Find   string   // a kind that is known: see [Kinds]; or
	Match  string   // a pattern
	Do     Action
	Class  string // the least class of a document that it matches in; "" leaves the class

	find func(text string) []match
}

// Rules are rules in order. The zero Rules protect nothing.
type Rules struct {
	rules []Rule
	key   string // of what they say
}

// Empty reports whether there is no rule.
func (r Rules) Empty() bool { return len(r.rules) == 0 }

// NeedKey reports whether a rule makes tokens or ciphertexts.
func (r Rules) NeedKey() bool {
	return slices.ContainsFunc(r.rules, func(r Rule) bool { return r.Do != Redact })
}

// Names are the names of the rules.
func (r Rules) Names() (out []string) {
	for _, r := range r.rules {
		out = append(out, r.Name)
	}
	return out
}

// And returns the rules of both, those of r first.
func (r Rules) And(more Rules) Rules {
	if r.Empty() {
		return more
	}
	if more.Empty() {
		return r
	}
	return Rules{append(slices.Clone(r.rules), more.rules...), r.key + more.key}
}

// finders changes when the same rules find something else than before, so that the
// next ingest reads every document again.
const finders = "2\n"

// digest tells rules apart from others.
func (r Rules) digest() string {
	sum := sha256.Sum256([]byte(finders + r.key))
	return hex.EncodeToString(sum[:8])
}

// New returns the rules, in order.
func New(rules ...Rule) (Rules, error) {
	out := Rules{rules: slices.Clone(rules)}
	for i := range out.rules {
		r := &out.rules[i]
		if problem := r.prepare(); problem != "" {
			return Rules{}, fmt.Errorf("protect rule %d: %s", i+1, problem)
		}
		out.key += fmt.Sprintf("%q\n", []string{r.Name, strings.Join(r.Fields, "\x00"), r.Find, r.Match, string(r.Do), r.Class})
	}
	return out, nil
}

var ruleName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,30}$`)

// prepare fills in the rest of a rule, or says what is wrong with it.
func (r *Rule) prepare() string {
	given := 0
	for _, set := range []bool{len(r.Fields) > 0, r.Find != "", r.Match != ""} {
		if set {
			given++
		}
	}
	if given != 1 {
		return "want one of find, pattern and field"
	}
	if r.Do != Redact && r.Do != Tokenise && r.Do != Encrypt {
		return fmt.Sprintf("do: want redact, tokenise or encrypt, got %q", r.Do)
	}
	switch {
	case r.Find != "":
		if r.find = kinds[r.Find]; r.find == nil {
			return fmt.Sprintf("find: there are %s, got %q", strings.Join(Kinds(), ", "), r.Find)
		}
		if r.Name == "" {
			r.Name = r.Find
		}
	case r.Match != "":
		re, err := regexp.Compile(r.Match)
		switch {
		case err != nil:
			return fmt.Sprintf("pattern: %v", err)
		case re.MatchString(""):
			return fmt.Sprintf("pattern %q matches where nothing is: make it need a character", r.Match)
		case r.Name == "":
			return "a pattern needs a name, which stands where the value stood"
		}
		r.find = pattern(re)
	default:
		for i, f := range r.Fields {
			if r.Fields[i] = fieldKey(f); r.Fields[i] == "" {
				return fmt.Sprintf("field %q has no letters", f)
			}
		}
		if r.Name == "" {
			r.Name = strings.Trim(regexp.MustCompile(`[^a-z0-9]+`).ReplaceAllString(r.Fields[0], "-"), "-")
		}
	}
	if !ruleName.MatchString(r.Name) {
		return fmt.Sprintf("name %q: want small letters, digits and hyphens", r.Name)
	}
	return ""
}

// Read reads the value of protect: in a policy.
func Read(n strictyaml.Node) (Rules, error) {
	if n.IsNull() {
		return Rules{}, nil
	}
	items, err := n.Items()
	if err != nil {
		return Rules{}, err
	}
	var rules []Rule
	for _, item := range items {
		r, err := readRule(item)
		if err != nil {
			return Rules{}, err
		}
		if problem := r.prepare(); problem != "" {
			return Rules{}, item.Errorf("%s", problem)
		}
		rules = append(rules, r)
	}
	return New(rules...)
}

// Parse reads protect.yaml: version and protect.
func Parse(data []byte) (Rules, error) {
	root, err := strictyaml.Parse(data, strictyaml.Options{})
	if err != nil {
		return Rules{}, err
	}
	pairs, err := root.Only("version", "protect")
	if err != nil {
		return Rules{}, err
	}
	var out Rules
	version := false
	for _, p := range pairs {
		switch p.Name {
		case "version":
			text, err := p.Value.Text()
			if version = err == nil && text == "1"; !version {
				return Rules{}, p.Value.Errorf("this ken reads version 1 only")
			}
		case "protect":
			if out, err = Read(p.Value); err != nil {
				return Rules{}, err
			}
		}
	}
	if !version {
		return Rules{}, root.Errorf("the version is missing: begin with %q", "version: 1")
	}
	return out, nil
}

func readRule(n strictyaml.Node) (r Rule, err error) {
	pairs, err := n.Only("name", "find", "pattern", "field", "do", "class")
	if err != nil {
		return Rule{}, err
	}
	for _, p := range pairs {
		text := ""
		if p.Name == "field" && p.Value.IsSequence() {
			if r.Fields, err = texts(p.Value); err != nil {
				return Rule{}, err
			}
			continue
		}
		if text, err = p.Value.Text(); err != nil {
			return Rule{}, err
		}
		switch p.Name {
		case "name":
			r.Name = text
		case "find":
			r.Find = text
		case "pattern":
			r.Match = text
		case "field":
			r.Fields = []string{text}
		case "do":
			r.Do = Action(text)
		case "class":
			r.Class = text
		}
	}
	return r, nil
}

func texts(n strictyaml.Node) (out []string, err error) {
	items, err := n.Items()
	if err != nil {
		return nil, err
	}
	for _, item := range items {
		text, err := item.Text()
		if err != nil {
			return nil, err
		}
		out = append(out, text)
	}
	return out, nil
}
