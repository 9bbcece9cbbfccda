package analyze

import "sync"

// maxKnown bounds the words that a memory keeps for a language. The frequent
// ones are most of any text, so that a full memory may as well begin anew.
const maxKnown = 1 << 16

// memory remembers the terms of the tokens it has seen, so that a word is
// stemmed once and its term allocated once.
type memory struct {
	scanner
	byLang map[string]*vocabulary
	now    *vocabulary // of the language in use
	out    []string
}

// vocabulary maps tokens to terms by the rules of one language; "" is a stop word.
type vocabulary struct {
	rules *rules
	terms [3]map[string]string // by kind
}

// memories are kept for reuse. What they hold is a function of the tokens
// alone, so it changes speed and nothing else.
var memories pool

type pool struct{ sync.Pool }

func (p *pool) get() *memory {
	if m, ok := p.Get().(*memory); ok {
		return m
	}
	m := &memory{byLang: map[string]*vocabulary{}}
	m.emit = m.token
	return m
}

func (p *pool) put(m *memory) { p.Put(m) }

// maxLanguages bounds the vocabularies of a memory: a language code may be any text.
const maxLanguages = 64

func (m *memory) use(lang string) {
	v, ok := m.byLang[lang]
	if !ok {
		if len(m.byLang) >= maxLanguages {
			clear(m.byLang)
		}
		v = &vocabulary{rules: rulesOf(lang)}
		for k := range v.terms {
			v.terms[k] = map[string]string{}
		}
		m.byLang[lang] = v
	}
	m.now = v
}

func (m *memory) token(token []byte, k kind) {
	if t := m.now.term(token, k); t != "" {
		m.out = append(m.out, t)
	}
}

func (v *vocabulary) term(token []byte, k kind) string {
	known := v.terms[k]
	if t, ok := known[string(token)]; ok {
		return t
	}
	if len(known) >= maxKnown {
		clear(known)
	}
	key := string(token)
	t := v.rules.term(token, k)
	known[key] = t
	return t
}
