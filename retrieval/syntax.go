package retrieval

import (
	"errors"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"ken/index"
	"ken/index/analyze"
)

// Limits of the syntax.
const (
	maxPhrases     = 8
	maxPhraseWords = 64 // terms and stop words of one phrase
	maxPrefixes    = 16
)

// asked is a query, read:
//
//	"parental leave"   these words stand next to each other in what is found
//	contract*          any word that begins so
//
// All else is text: a quotation mark without its pair or within a word, curly
// ones, marks around nothing, a star that stands alone, before a word or behind
// one letter (A*).
type asked struct {
	text     string   // the whole query without the signs; the query itself if there are none
	words    string   // text without the prefixes
	phrases  []string // each once
	prefixes []string // each once
}

// read reads the query of a request.
func (r Request) read() (asked, error) {
	if r.Literal || !strings.ContainsAny(r.Query, `"*`) {
		return asked{text: r.Query, words: r.Query}, nil
	}
	a := readSyntax(r.Query)
	if len(a.phrases)+len(a.prefixes) == 0 {
		a.text, a.words = r.Query, r.Query
	}
	if n := len(a.phrases); n > maxPhrases {
		return a, bad("the query has %d phrases in quotation marks, more than %d: use fewer", n, maxPhrases)
	}
	if n := len(a.prefixes); n > maxPrefixes {
		return a, bad("the query has %d words with a star, more than %d: use fewer", n, maxPrefixes)
	}
	for _, p := range a.phrases {
		if n := analyze.NewPhrase(analyze.Und, p).Len(); n > maxPhraseWords {
			return a, bad("a phrase has %d words, more than %d: quote fewer", n, maxPhraseWords)
		}
	}
	return a, nil
}

func readSyntax(query string) asked {
	var a asked
	var text, words strings.Builder
	plain := func(s string) { // may hold prefixes
		for len(s) > 0 {
			n := len(s) - len(strings.TrimLeftFunc(s, unicode.IsSpace))
			if n == 0 {
				if n = strings.IndexFunc(s, unicode.IsSpace); n < 0 {
					n = len(s)
				}
			}
			field := s[:n]
			s = s[n:]
			before, prefix, ok := starred(field)
			if !ok {
				text.WriteString(field)
				words.WriteString(field)
				continue
			}
			text.WriteString(before + prefix)
			words.WriteString(before + " ")
			if !slices.Contains(a.prefixes, prefix) {
				a.prefixes = append(a.prefixes, prefix)
			}
		}
	}
	for {
		open, end := quoted(query)
		if end < 0 {
			break
		}
		plain(query[:open])
		phrase := strings.TrimSpace(query[open+1 : end])
		text.WriteString(" " + phrase + " ")
		words.WriteString(" " + phrase + " ")
		if analyze.NewPhrase(analyze.Und, phrase).Len() > 0 && !slices.Contains(a.phrases, phrase) {
			a.phrases = append(a.phrases, phrase)
		}
		query = query[end+1:]
	}
	plain(query)
	a.text, a.words = strings.TrimSpace(text.String()), words.String()
	return a
}

// quoted returns where the first pair of quotation marks stands, end -1 for none.
// One opens where no word stands before it and closes where none begins behind
// it: the marks of 5" and 6" are inches.
func quoted(s string) (open, end int) {
	for i := 0; i < len(s); i++ {
		if s[i] != '"' {
			continue
		}
		before, _ := utf8.DecodeLastRuneInString(s[:i])
		if i > 0 && ofWord(before) {
			continue
		}
		for j := i + 1; j < len(s); j++ {
			if s[j] != '"' {
				continue
			}
			if behind, _ := utf8.DecodeRuneInString(s[j+1:]); j+1 == len(s) || !ofWord(behind) || spaceless(behind) {
				return i, j
			}
		}
		return 0, -1 // no mark behind it closes any other
	}
	return 0, -1
}

func ofWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// spaceless reports whether words of the script stand next to quotation marks
// without a space.
func spaceless(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
}

// starred reads a field that ends with one star behind a word, perhaps before
// punctuation.
func starred(field string) (before, prefix string, ok bool) {
	word, ok := strings.CutSuffix(strings.TrimRight(field, ".,;:!?)"), "*")
	last, _ := utf8.DecodeLastRuneInString(word)
	if !ok || strings.Contains(word, "*") || !ofWord(last) && !unicode.IsMark(last) {
		return "", "", false
	}
	return analyze.SplitPrefix(word)
}

// broad tells the person what a store cannot look through.
func broad(err error) error {
	if errors.Is(err, index.ErrBroad) {
		return bad("the words of a phrase, or the beginning of a word, stand in too many passages to look through: add a rarer word to it, or a filter")
	}
	return err
}
