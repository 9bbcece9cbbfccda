package retrieval

import (
	"slices"
	"strings"
	"unicode"
)

// shingleSize is the words, or in scripts without spaces the characters, of a shingle.
const shingleSize = 4

// shingles is what a passage is compared by: the set of its shingles and the
// numbers that it names, both sorted.
type shingles struct {
	set     []uint64
	numbers []string
}

func shingle(text string) shingles {
	words := shingleWords(text)
	var out shingles
	for i := range max(1, len(words)-shingleSize+1) {
		out.set = append(out.set, hashWords(words[i:min(i+shingleSize, len(words))]))
	}
	for _, w := range words {
		if strings.ContainsFunc(w, unicode.IsDigit) {
			out.numbers = append(out.numbers, w)
		}
	}
	slices.Sort(out.set)
	out.set = slices.Compact(out.set)
	slices.Sort(out.numbers)
	return out
}

// near reports whether two passages say the same: the Jaccard similarity of
// their shingles is at least threshold, and they name the same numbers. Two
// versions of a policy that differ in one figure are two answers.
func near(a, b shingles, threshold float64) bool {
	return slices.Equal(a.numbers, b.numbers) && jaccard(a.set, b.set) >= threshold
}

// jaccard is the size of the intersection over the size of the union of two
// sorted sets, neither empty.
func jaccard(a, b []uint64) float64 {
	common := 0
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case a[i] < b[j]:
			i++
		case a[i] > b[j]:
			j++
		default:
			common++
			i++
			j++
		}
	}
	return float64(common) / float64(len(a)+len(b)-common)
}

// shingleWords splits a text into words in lower case; a letter of a script
// that writes no spaces is a word of its own.
func shingleWords(text string) []string {
	var words []string
	start := -1
	end := func(i int) {
		if start >= 0 {
			words = append(words, strings.ToLower(text[start:i]))
			start = -1
		}
	}
	for i, r := range text {
		switch {
		case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar):
			end(i)
			words = append(words, string(r))
		case unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r):
			if start < 0 {
				start = i
			}
		default:
			end(i)
		}
	}
	end(len(text))
	return words
}

// hashWords is FNV-1a over the words with a byte between them that no UTF-8 text holds.
func hashWords(words []string) uint64 {
	const offset, prime = 14695981039346656037, 1099511628211
	h := uint64(offset)
	for _, w := range words {
		for i := range len(w) {
			h = (h ^ uint64(w[i])) * prime
		}
		h = (h ^ 0xff) * prime
	}
	return h
}
