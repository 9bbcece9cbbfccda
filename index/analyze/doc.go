// Package analyze turns text into the terms that are indexed and searched for.
//
//	text ──> scanner ──> words, numbers, identifiers, character bigrams
//	                          │ rules of one language:
//	                          │ apostrophes, stop words, stemmer, accents
//	                          └──────────────────────────────────> terms
//
// The scanner knows scripts and not languages, so that a word of a query is the
// same word in every language, and only its form differs: [Query] gives the
// forms of each word, [Terms] those of one document. Both are pure functions
// and may be called from any goroutine. A [Lexicon], kept between calls,
// remembers the forms of frequent words; it changes speed only. Whoever takes in
// many texts uses one directly: it gives numbers instead of strings.
//
// What counts as a term:
//
//   - runs of letters and digits, folded (NFKC, lower case);
//   - identifiers (user_id, v1.2.3, ann@example.com) whole and in their parts;
//   - numbers without separators of thousands, with a point as decimal sign;
//   - overlapping pairs of characters in scripts without spaces between words
//     (Han, kana, Hangul, Thai, Lao, Khmer, Burmese).
//
// Words longer than [MaxTerm] bytes are cut there.
package analyze
