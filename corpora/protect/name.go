package protect

import "slices"

// Name returns a name, such as a document's id, with tokens for values, whatever
// the rules do elsewhere: what is removed could not be told from another's. Without a key
// values are removed and the result is false.
func (p *Protector) Name(name string) (string, bool) {
	hits := p.hits(name, false)
	if len(hits) == 0 {
		return name, true
	}
	other := Protector{rules: Rules{rules: slices.Clone(p.rules.rules)}, key: p.key}
	for i := range other.rules.rules {
		other.rules.rules[i].Do = Tokenise
		if p.key.isZero() {
			other.rules.rules[i].Do = Redact
		}
	}
	return other.replace(name, hits), !p.key.isZero()
}

// Digest tells these rules from others.
func (p *Protector) Digest() string { return p.rules.digest() }

// Fault returns the error without values in its text.
func (p *Protector) Fault(err error) error {
	if err == nil {
		return nil
	}
	if text := p.Line(err.Error()); text != err.Error() {
		return fault{text, err}
	}
	return err
}

// fault is an error with another text.
type fault struct {
	text string
	err  error
}

func (f fault) Error() string { return f.text }
func (f fault) Unwrap() error { return f.err }
