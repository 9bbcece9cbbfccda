package analyze

import (
	"strings"
	"unicode/utf8"

	"ken/index"
)

// Und is the code of an unknown language: words are folded and not stemmed.
const Und = "und"

// Terms returns the terms of a text in a language, in order, stop words left out.
func Terms(lang, text string) []string {
	l := NewLexicon()
	defer l.Free()
	l.numbers = l.Append(l.numbers[:0], lang, text)
	out := make([]string, len(l.numbers))
	for i, n := range l.numbers {
		out[i] = l.terms[n].Text
	}
	return out
}

// Query returns the terms of a query for an index with the given languages: one
// term per word, in order of first occurrence, its weight the number of times
// that it occurs. A word that is a stop word of a language has no form in it; a
// word that has no form at all is left out.
func Query(text string, langs []string) []index.Term {
	var out []index.Term
	seen := map[string]int{}
	s := scanner{emit: func(token []byte, k kind) {
		forms, key := formsOf(token, k, langs)
		if len(forms) == 0 {
			return
		}
		i, ok := seen[key]
		if !ok {
			i = len(out)
			seen[key] = i
			out = append(out, index.Term{Forms: forms})
		}
		out[i].Weight++
	}}
	s.scan(text)
	return out
}

// formsOf returns the forms of a token and a text that is equal for equal forms.
func formsOf(token []byte, k kind, langs []string) ([]index.Form, string) {
	var forms []index.Form
	var key strings.Builder
	for _, lang := range langs {
		if t := rulesOf(lang).term(token, k); t != "" {
			forms = append(forms, index.Form{Language: lang, Text: t})
			key.WriteString(lang + "\x00" + t + "\x00")
		}
	}
	return forms, key.String()
}

// term returns the form of a token in the language, "" for a stop word.
func (r *rules) term(token []byte, k kind) string {
	switch k {
	case number:
		return plainNumber(string(token), r.comma)
	case exact:
		return string(token)
	}
	return r.word(string(token))
}

func (r *rules) word(w string) string {
	if r.stop[w] {
		return ""
	}
	if bare := r.apostrophes(w); bare != w {
		if w = bare; r.stop[w] {
			return ""
		}
	}
	if r.spell != nil {
		w = r.spell(w)
	}
	stem := r.stem
	if r.latin != nil && w[0] < utf8.RuneSelf {
		stem = r.latin
	}
	if stem != nil {
		if t := stem(w); t != "" {
			w = t
		}
	}
	return r.ended(w)
}

// ended is what comes after stemming.
func (r *rules) ended(w string) string {
	if r.fold {
		w = foldAccents(w)
	}
	if r.respell != nil {
		w = r.respell(w)
	}
	if r.dots {
		return strings.ReplaceAll(w, "ı", "i")
	}
	return w
}

// apostrophes returns the word without article, ending and apostrophes.
func (r *rules) apostrophes(w string) string {
	i := strings.IndexByte(w, '\'')
	if i < 0 {
		return w
	}
	switch {
	case r.elide && i <= 5 && len(w)-i > 2:
		w = w[i+1:]
	case r.clip:
		w = w[:i]
	}
	w = strings.TrimSuffix(w, "'s")
	return strings.ReplaceAll(w, "'", "")
}
