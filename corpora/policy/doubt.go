package policy

import (
	"errors"
	"fmt"
	"strings"

	"ken/corpora/internal/twin"
)

// ErrDoubt says that a rule seems to be meant for a path and does not match it.
// What is left to the next, often wider, rule then must be closed instead.
var ErrDoubt = errors.New("doubtful rule")

// Doubt returns an error that wraps [ErrDoubt] if a rule before the one that
// decides about the path matches it but for case, Unicode form or invisible
// characters. Two rules for both spellings leave no doubt.
func (p *Policy) Doubt(path string) error {
	if p == nil {
		return nil
	}
	key := twin.Key(path)
	var decides string
	for _, r := range p.rules {
		if r.path.match(path) {
			decides = r.path.twin.text
			break
		}
	}
	for i, r := range p.rules {
		if r.path.match(path) {
			return nil
		}
		if r.path.twin.match(key) && r.path.twin.text != decides {
			return fmt.Errorf("%w: the path of rule %d, %q, differs from %q in case or in characters that look alike: write it as the file is named, or add a rule for this spelling", ErrDoubt, i+1, r.path.text, path)
		}
	}
	return nil
}

// DoubtFolder returns an error that wraps [ErrDoubt] if a rule names a folder,
// since rules match documents only.
func (p *Policy) DoubtFolder(dir string) error {
	if p == nil {
		return nil
	}
	key := twin.Key(dir)
	for i, r := range p.rules {
		last := r.path.segments[len(r.path.segments)-1]
		if !strings.ContainsAny(last, "*?") && r.path.twin.match(key) {
			return fmt.Errorf("%w: rule %d, %q, names a folder and so matches nothing in it: write %q", ErrDoubt, i+1, r.path.text, r.path.text+"/**")
		}
	}
	return nil
}

// twins gives the glob the form that [Policy.Doubt] compares.
func (g glob) twins() pattern {
	key := twin.Key(g.text)
	return pattern{key, strings.Split(key, "/")}
}
