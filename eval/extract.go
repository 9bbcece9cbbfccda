package eval

import (
	"strings"
	"unicode"

	"ken/index/analyze"
)

// bestLine is the line of the text that covers the question best; of equal ones
// the first.
func (s *scope) bestLine(question, text string) string {
	words, language := s.words(), analyze.Detect(text)
	best, most := "", -1.0
	for line := range strings.Lines(text) {
		if strings.TrimSpace(line) == "" {
			continue
		}
		if c := words.coverage(language, question, line); c > most {
			best, most = line, c
		}
	}
	return best
}

// agreement is exact match and the best F1 over tokens with one of the golds,
// after lower case and without punctuation and articles (Rajpurkar and others,
// "SQuAD: 100,000+ Questions for Machine Comprehension of Text", 2016).
func agreement(said string, golds []string) (exact, f1 float64) {
	have := tokens(said)
	for _, gold := range golds {
		want := tokens(gold)
		if strings.Join(have, " ") == strings.Join(want, " ") {
			exact = 1
		}
		f1 = max(f1, overlap(have, want))
	}
	return exact, f1
}

func tokens(text string) []string {
	clean := strings.Map(func(r rune) rune {
		if unicode.IsPunct(r) || unicode.IsSymbol(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, text)
	var out []string
	for _, w := range strings.Fields(clean) {
		if w != "a" && w != "an" && w != "the" {
			out = append(out, w)
		}
	}
	return out
}

func overlap(have, want []string) float64 {
	left := make(map[string]int)
	for _, w := range want {
		left[w]++
	}
	shared := 0.0
	for _, w := range have {
		if left[w] > 0 {
			left[w]--
			shared++
		}
	}
	if shared == 0 {
		return 0
	}
	return 2 * shared / float64(len(have)+len(want))
}
