package baseline

import (
	"strings"
	"unicode/utf8"

	"ken/index"
	"ken/index/chunk"
)

// Cut cuts text into pieces of up to so many tokens, one after the other, with
// no regard to what it says; only words and characters stay whole. The pieces
// partition the text.
func Cut(text string, tokens int) []index.Span {
	var out []index.Span
	for start := 0; start < len(text); {
		end := start + longest(text[start:], tokens)
		out = append(out, index.Span{Start: start, End: end})
		start = end
	}
	return out
}

// longest returns the bytes of the longest prefix that has at most so many
// tokens: at least one character, and if it can be, whole words.
func longest(text string, tokens int) int {
	low, high := 0, min(len(text), 16*tokens) // low fits; a token of 16 bytes is long
	if chunk.Tokens(text[:boundary(text, high)]) <= tokens {
		return atWord(text, boundary(text, high))
	}
	for high-low > 1 {
		middle := (low + high) / 2
		if chunk.Tokens(text[:boundary(text, middle)]) <= tokens {
			low = middle
		} else {
			high = middle
		}
	}
	return atWord(text, boundary(text, low))
}

// boundary is the last end of a character at or before n, at least the first one.
func boundary(text string, n int) int {
	for n > 0 && n < len(text) && !utf8.RuneStart(text[n]) {
		n--
	}
	if n == 0 {
		_, n = utf8.DecodeRuneInString(text)
	}
	return n
}

func atWord(text string, n int) int {
	if n == len(text) {
		return n
	}
	if space := strings.LastIndexAny(text[:n], " \n\t"); space > n/2 {
		return space + 1
	}
	return n
}
