package analyze

import (
	"slices"
	"strings"
	"unicode/utf8"

	"ken/index"
)

// Prefix is the beginning of words of a language. An index holds stems, and a
// stem can be shorter than the beginning of its word: of "vacation" it holds
// "vacat", which does not begin with "vacatio". So three kinds of terms match:
//
//   - those that begin with the prefix;
//   - the stem of the prefix, so that leave* finds what leave does;
//   - stems that the prefix itself begins with ([Prefix.Doubtful]), where the
//     word in the text begins with the prefix.
type Prefix struct {
	text     string   // as terms are written
	stem     string   // the term that the prefix itself is; "" for a stop word
	doubtful []string // sorted
	rules    *rules
}

// longestEnding is how many characters of a word its stemmer may take away, for
// words to be found by a beginning that is longer than their stem.
const longestEnding = 8

// NewPrefix returns the prefix that a word is. It is false for a text that is no word.
func NewPrefix(lang, text string) (Prefix, bool) {
	t, ok := lastWord(Tokens(lang, text))
	if !ok {
		return Prefix{}, false
	}
	p := Prefix{text: t.Term, stem: t.Term, rules: rulesOf(lang)}
	if t.kind == word {
		p.text = p.rules.written(t.Word)
		p.doubtful = shorter(p.text)
		p.doubtful = slices.DeleteFunc(p.doubtful, func(s string) bool { return s == p.stem })
	}
	return p, p.text != ""
}

// lastWord returns the whole of the last word: of a compound, not its parts.
func lastWord(tokens []Token) (Token, bool) {
	if len(tokens) == 0 {
		return Token{}, false
	}
	last := tokens[len(tokens)-1]
	whole := slices.IndexFunc(tokens, func(t Token) bool { return t.Start == last.Start && t.End == last.End })
	return tokens[whole], true
}

// shorter returns the stems that words with this beginning can have and that do
// not have it themselves.
func shorter(text string) []string {
	var ends []int
	for i := range text {
		ends = append(ends, i)
	}
	var out []string
	for n := max(2, len(ends)-longestEnding); n < len(ends); n++ {
		stem := text[:ends[n]]
		out = append(out, stem)
		if text[ends[n]] == 'y' { // the English stemmer makes it an i: policy, polici
			out = append(out, stem+"i")
		}
	}
	slices.Sort(out)
	return out
}

// written is the word as the rules write their terms, but not stemmed.
func (r *rules) written(w string) string {
	w = r.apostrophes(w)
	if r.spell != nil {
		w = r.spell(w)
	}
	return r.ended(w)
}

// Text returns the letters that the terms begin with.
func (p Prefix) Text() string { return p.text }

// Stem returns the term that matches besides, "" if there is none.
func (p Prefix) Stem() string {
	if strings.HasPrefix(p.stem, p.text) {
		return ""
	}
	return p.stem
}

// Doubtful returns the terms of which some words match and some do not.
func (p Prefix) Doubtful() []string { return p.doubtful }

// Matches reports whether the token of a text is one of a word that the prefix stands for.
func (p Prefix) Matches(t Token) bool {
	return t.Term != "" && (strings.HasPrefix(t.Term, p.text) || t.Term == p.stem || p.MatchesDoubtful(t))
}

// MatchesDoubtful is Matches for the tokens whose terms alone do not tell.
func (p Prefix) MatchesDoubtful(t Token) bool {
	if t.kind != word || t.Term == "" {
		return false
	}
	_, doubtful := slices.BinarySearch(p.doubtful, t.Term)
	return doubtful && strings.HasPrefix(p.rules.written(t.Word), p.text)
}

// shortestPrefix is the characters that a prefix has at least, where words have
// spaces between them: a single letter is what A* and C* are written with.
const shortestPrefix = 2

// SplitPrefix cuts a text at its last word, for which a prefix may stand. It is
// false if there is none, or if it is too short.
func SplitPrefix(text string) (before, prefix string, ok bool) {
	tokens := Tokens(Und, text)
	t, ok := lastWord(tokens)
	if !ok {
		return text, "", false
	}
	if _, _, c := next(t.Word, 0); c == letter && utf8.RuneCountInString(t.Word) < shortestPrefix {
		return text, "", false
	}
	return text[:t.Start], t.Word, true
}

// QueryPrefix returns the query term for all words that begin so.
func QueryPrefix(prefix string, langs []string) index.Term {
	t := index.Term{Weight: 1}
	for _, lang := range langs {
		if _, ok := NewPrefix(lang, prefix); ok {
			t.Forms = append(t.Forms, index.Form{Language: lang, Text: prefix, Prefix: true})
		}
	}
	return t
}
