package protect

import (
	"cmp"
	"errors"
	"slices"
	"strings"
)

// ErrKey says that rules need a key and there is none.
var ErrKey = errors.New("rules that tokenise or encrypt need a key")

// Protector applies rules. A nil Protector changes nothing. It may be used by
// many goroutines.
type Protector struct {
	rules Rules
	key   Key
}

// With returns what applies the rules with the key; nil if there is no rule.
func (r Rules) With(key Key) (*Protector, error) {
	switch {
	case r.Empty():
		return nil, nil
	case r.NeedKey() && key.isZero():
		return nil, ErrKey
	}
	return &Protector{r, key}, nil
}

// hit is a match of a rule.
type hit struct {
	match
	rule int
}

// Text returns text with the values of all rules replaced, and the highest class of
// the rules that matched, "" if none has one.
func (p *Protector) Text(text string) (out, class string) {
	if p == nil {
		return text, ""
	}
	hits := p.named(text, p.hits(text, true))
	return p.replace(text, hits), p.class(hits)
}

// Titled is Text for a text with a title. A title that is the value of a field is
// replaced as that is: records are named by their fields.
func (p *Protector) Titled(title, text string) (string, string, string) {
	if p == nil {
		return title, text, ""
	}
	hits := p.named(text, p.hits(text, true))
	if rule, ok := p.values(hits)[title]; ok {
		title = p.instead(p.rules.rules[rule], title)
	} else {
		title, _ = p.Text(title)
	}
	return title, p.replace(text, hits), p.class(hits)
}

// values are what fields hold, with the rule that they fall under.
func (p *Protector) values(hits []hit) map[string]int {
	out := map[string]int{}
	for _, h := range hits {
		if len(p.rules.rules[h.rule].Fields) > 0 {
			out[h.value] = h.rule
		}
	}
	return out
}

// named adds the headings that are the value of a field.
func (p *Protector) named(text string, hits []hit) []hit {
	values := p.values(hits)
	if len(values) == 0 {
		return hits
	}
	at := 0
	for line := range strings.Lines(text) {
		start := at
		at += len(line)
		if !strings.HasPrefix(line, "#") {
			continue
		}
		title := strings.TrimSpace(strings.TrimLeft(line, "#"))
		if rule, ok := values[title]; ok {
			from := start + strings.Index(line, title)
			hits = append(hits, hit{match{from, from + len(title), title}, rule})
		}
	}
	slices.SortStableFunc(hits, func(a, b hit) int { return cmp.Compare(a.start, b.start) })
	return p.apart(text, hits)
}

// Line is Text for a name or title: it has no fields.
func (p *Protector) Line(text string) string {
	if p == nil {
		return text
	}
	return p.replace(text, p.hits(text, false))
}

// hits returns the matches in order, those that overlap an earlier rule's cut
// to what that left.
func (p *Protector) hits(text string, fields bool) (out []hit) {
	plain := fold(text)
	for i, r := range p.rules.rules {
		var found []match
		switch {
		case r.find != nil:
			found = r.finds(text, plain)
		case fields:
			found = slices.DeleteFunc(r.fields(text), func(m match) bool { return r.did(m.value) })
		}
		for _, m := range found {
			out = append(out, hit{m, i})
		}
	}
	slices.SortStableFunc(out, func(a, b hit) int { return cmp.Compare(a.start, b.start) })
	return p.apart(text, out)
}

// apart makes hits that overlap one, which is done by the rule that comes first.
func (p *Protector) apart(text string, hits []hit) []hit {
	kept := hits[:0]
	for _, h := range hits {
		k := len(kept) - 1
		if k < 0 || h.start >= kept[k].end {
			kept = append(kept, h)
			continue
		}
		last := &kept[k]
		if h.rule < last.rule {
			last.rule = h.rule
		}
		if h.end > last.end {
			last.end = h.end
		}
		last.value = text[last.start:last.end]
	}
	return kept
}

func (p *Protector) replace(text string, hits []hit) string {
	if len(hits) == 0 {
		return text
	}
	var b strings.Builder
	at := 0
	for _, h := range hits {
		b.WriteString(text[at:h.start])
		b.WriteString(p.instead(p.rules.rules[h.rule], h.value))
		at = h.end
	}
	b.WriteString(text[at:])
	return b.String()
}

func (p *Protector) instead(r Rule, value string) string {
	switch r.Do {
	case Tokenise:
		return p.key.token(r.Name, value)
	case Encrypt:
		return p.key.seal(r.Name, value)
	}
	return "[" + r.Name + " removed]"
}

// did reports whether a value is what the rule put in place of one, so that doing
// it twice is doing it once.
func (r Rule) did(value string) bool {
	switch r.Do {
	case Tokenise:
		code, ok := strings.CutPrefix(value, word(r.Name)+"_")
		return ok && len(code) == tokenLength && strings.Trim(code, base32Letters) == ""
	case Encrypt:
		m := sealed.FindStringSubmatch(value)
		return m != nil && m[0] == value && m[1] == word(r.Name)
	}
	return value == "["+r.Name+" removed]"
}

// levels are the classes that are in order.
var levels = []string{"public", "internal", "confidential", "restricted"}

func (p *Protector) class(hits []hit) (class string) {
	for _, h := range hits {
		class = Higher(class, p.rules.rules[h.rule].Class)
	}
	return class
}

// Higher returns the stricter of two classes. A class of one's own, which is in no
// order, is stricter than those that are, and the first of two counts.
func Higher(a, b string) string {
	rank := func(class string) int {
		switch i := slices.Index(levels, class); {
		case class == "":
			return -1
		case i < 0:
			return len(levels)
		default:
			return i
		}
	}
	if rank(b) > rank(a) {
		return b
	}
	return a
}
