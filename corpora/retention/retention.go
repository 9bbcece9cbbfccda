package retention

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"ken/corpora"
	"ken/corpora/internal/strictyaml"
)

// Rules are the rules of a file, in its order. The zero Rules keep everything.
type Rules struct{ rules []Rule }

// Rule keeps documents of a class, of a source, or of both for some days.
type Rule struct {
	Class  string // "" is every class
	Source string // "" is every source
	Days   int    // 0: for ever
}

func (r Rule) String() string {
	var what []string
	if r.Class != "" {
		what = append(what, "class "+r.Class)
	}
	if r.Source != "" {
		what = append(what, "source "+r.Source)
	}
	if r.Days == 0 {
		return strings.Join(what, ", ") + ": kept for ever"
	}
	return fmt.Sprintf("%s: kept %d days", strings.Join(what, ", "), r.Days)
}

// Of returns the rule that decides about a document; ok is false if none does.
func (r Rules) Of(d corpora.Document) (rule Rule, ok bool) {
	for _, rule := range r.rules {
		if (rule.Class == "" || rule.Class == d.Class) && (rule.Source == "" || rule.Source == d.Source) {
			return rule, true
		}
	}
	return Rule{}, false
}

// Expired reports whether the document was kept long enough at an instant. One
// that does not say when it last changed never is.
func (r Rules) Expired(d corpora.Document, at time.Time) bool {
	rule, ok := r.Of(d)
	return ok && rule.Days > 0 && !d.Modified.IsZero() && at.After(d.Modified.AddDate(0, 0, rule.Days))
}

// Parse reads a file of rules. Errors tell the place.
func Parse(data []byte) (Rules, error) {
	root, err := strictyaml.Parse(data, strictyaml.Options{})
	if err != nil {
		return Rules{}, err
	}
	if root.IsNull() {
		return Rules{}, root.Errorf("the file is empty: begin it with %q", "version: 1")
	}
	pairs, err := root.Only("version", "rules")
	if err != nil {
		return Rules{}, err
	}
	var out Rules
	version := false
	for _, p := range pairs {
		switch p.Name {
		case "version":
			version = true
			if text, err := p.Value.Text(); err != nil || text != "1" {
				return Rules{}, p.Value.Errorf("the version of this file has to be 1")
			}
		case "rules":
			if out.rules, err = readRules(p.Value); err != nil {
				return Rules{}, err
			}
		}
	}
	if !version {
		return Rules{}, root.Errorf("begin the file with %q", "version: 1")
	}
	return out, nil
}

func readRules(n strictyaml.Node) ([]Rule, error) {
	items, err := n.Items()
	if err != nil {
		return nil, err
	}
	rules := make([]Rule, len(items))
	for i, item := range items {
		if rules[i], err = readRule(item); err != nil {
			return nil, err
		}
	}
	return rules, nil
}

func readRule(n strictyaml.Node) (r Rule, err error) {
	pairs, err := n.Only("class", "source", "keep")
	if err != nil {
		return r, err
	}
	kept := false
	for _, p := range pairs {
		text, err := p.Value.Text()
		if err != nil {
			return r, err
		}
		switch p.Name {
		case "class":
			r.Class = text
		case "source":
			r.Source = text
		case "keep":
			kept = true
			if r.Days, err = days(text); err != nil {
				return r, p.Value.Errorf("%v", err)
			}
		}
		if text == "" {
			return r, p.Value.Errorf("%s is empty", p.Name)
		}
	}
	switch {
	case r.Class == "" && r.Source == "":
		return r, n.Errorf("a rule names a class, a source, or both")
	case !kept:
		return r, n.Errorf("a rule says how long: keep: 365d, or keep: forever")
	}
	return r, nil
}

// days reads 30d or forever.
func days(text string) (int, error) {
	if text == "forever" {
		return 0, nil
	}
	number, ok := strings.CutSuffix(text, "d")
	n, err := strconv.Atoi(number)
	if !ok || err != nil || n < 1 || n > 36500 {
		return 0, fmt.Errorf("keep: %q is neither a number of days such as 365d (1d to 36500d) nor forever", text)
	}
	return n, nil
}
