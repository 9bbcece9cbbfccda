package retrieval

import (
	"slices"
	"strings"
	"unicode"

	"ken/index"
	"ken/index/analyze"
)

// queryTerms returns the words to search for in an index of these languages.
//
// A stop word of the query's language has no form in that language, but it has
// one in every other, where it is rare: "the" stands in few German pages, and
// by its frequency there would outweigh every word that matters. So the words
// that are stop words in the query's language are dropped for all languages.
// If nothing else is left ("the who"), they are kept.
func queryTerms(query string, languages []string) []index.Term {
	terms := analyze.Query(query, languages)
	likely := likeliestLanguages(terms, languages)
	kept := slices.DeleteFunc(slices.Clone(terms), func(t index.Term) bool {
		return slices.ContainsFunc(likely, func(language string) bool { return !hasForm(t, language) })
	})
	if len(kept) == 0 {
		return terms
	}
	return kept
}

// hasUncutWords reports whether there are letters or digits in the query of which
// the analysis makes no word in any language: it is then blind, whereas a query
// of stop words or punctuation has nothing to search for.
func hasUncutWords(query string) bool {
	return strings.ContainsFunc(query, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) &&
		len(analyze.Query(query, []string{analyze.Und})) == 0
}

// likeliestLanguages returns the languages in which most words of the query
// are stop words, none if no word is one in any.
func likeliestLanguages(terms []index.Term, languages []string) []string {
	var likely []string
	most := 1.0
	for _, language := range languages {
		stops := 0.0
		for _, t := range terms {
			if !hasForm(t, language) {
				stops += t.Weight
			}
		}
		if stops > most {
			likely, most = nil, stops
		}
		if stops == most {
			likely = append(likely, language)
		}
	}
	return likely
}

func hasForm(t index.Term, language string) bool {
	return slices.ContainsFunc(t.Forms, func(f index.Form) bool { return f.Language == language })
}
