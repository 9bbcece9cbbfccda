package retrieval

import (
	"math/bits"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// shingleSize is the words, or in scripts without spaces the characters, of a shingle.
const shingleSize = 4

// shingles is what a passage is compared by: the set of its shingles and the
// numbers that it names, sorted.
type shingles struct {
	set     []uint64 // as they stand in the text; sorted, each once, after distinct
	sorted  bool
	sketch  [sketchBits / 64]uint64 // a bit for each shingle, many may share one
	numbers []string
}

const sketchBits = 512

func shingle(text string) *shingles {
	words, numbers := shingleWords(text)
	slices.Sort(numbers)
	n := max(1, len(words)-shingleSize+1)
	out := &shingles{set: make([]uint64, n), numbers: numbers}
	for i := range out.set {
		h := join64(words[i:min(i+shingleSize, len(words))])
		out.set[i] = h
		h %= sketchBits
		out.sketch[h/64] |= 1 << (h % 64)
	}
	return out
}

// distinct returns the set, sorted.
func (s *shingles) distinct() []uint64 {
	if !s.sorted {
		slices.Sort(s.set)
		s.set, s.sorted = slices.Compact(s.set), true
	}
	return s.set
}

// near reports whether two passages say the same: the Jaccard similarity of
// their shingles is at least threshold, and they name the same numbers. Two
// versions of a policy that differ in one figure are two answers.
func near(a, b *shingles, threshold float64) bool {
	return slices.Equal(a.numbers, b.numbers) && !unlike(a, b, threshold) && jaccard(a.distinct(), b.distinct()) >= threshold
}

// unlike reports that two sets cannot be as similar as the threshold. A bit that one
// sketch has and the other lacks is a shingle, or more, that the other set lacks.
// Of similar sets no more can be lacking than (1 - t) / t of the smaller: the union
// is at most 1 / t of what is common.
func unlike(a, b *shingles, threshold float64) bool {
	lacking, more := 0, 0
	for i, x := range a.sketch {
		y := b.sketch[i]
		lacking += bits.OnesCount64(x &^ y)
		more += bits.OnesCount64(y &^ x)
	}
	const rounding = 1e-3 // far less than a shingle
	return float64(lacking+more) > float64((1-threshold)/threshold*float64(min(len(a.set), len(b.set))))+rounding
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

// shingleWords returns the hashes of the words of a text in lower case, in order,
// and the words that hold a digit; a letter of a script that writes no spaces is a
// word of its own.
func shingleWords(text string) (words []uint64, numbers []string) {
	words = make([]uint64, 0, len(text)/6+1)
	start, digits, h := -1, false, uint64(fnvOffset)
	end := func(i int) {
		if start < 0 {
			return
		}
		words = append(words, h)
		if digits {
			numbers = append(numbers, strings.ToLower(text[start:i]))
		}
		start, digits, h = -1, false, fnvOffset
	}
	for i, r := range text {
		if r < utf8.RuneSelf && asciiWord[r] != 0 {
			if start < 0 {
				start = i
			}
			digits = digits || r <= '9'
			h = (h ^ uint64(asciiWord[r])) * fnvPrime
			continue
		}
		switch {
		case r < utf8.RuneSelf:
			end(i)
		case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar):
			end(i)
			words = append(words, (fnvOffset^uint64(r))*fnvPrime)
			if unicode.IsDigit(r) {
				numbers = append(numbers, string(r))
			}
		case unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r):
			if start < 0 {
				start = i
			}
			digits = digits || unicode.IsDigit(r)
			h = (h ^ uint64(unicode.ToLower(r))) * fnvPrime
		default:
			end(i)
		}
	}
	end(len(text))
	return words, numbers
}

// FNV-1a in 64 bits, over characters here where the original has bytes.
const fnvOffset, fnvPrime = 14695981039346656037, 1099511628211

// asciiWord is each ASCII letter in lower case and each digit; 0 is no part of a word.
var asciiWord = func() (t [utf8.RuneSelf]byte) {
	for c := range byte(utf8.RuneSelf) {
		if r := rune(c); unicode.IsLetter(r) || unicode.IsDigit(r) {
			t[c] = byte(unicode.ToLower(r))
		}
	}
	return t
}()

// join64 hashes the hashes of words in their order.
func join64(words []uint64) uint64 {
	h := uint64(fnvOffset)
	for _, w := range words {
		h = (h ^ w) * fnvPrime
		h ^= h >> 32 // what one step moves up, the next mixes in
	}
	return h
}
