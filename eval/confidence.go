package eval

import (
	"math"
	"strings"
	"unicode"

	"ken/corpora"
	"ken/index/analyze"
	"ken/retrieval"
)

// rarity shapes the confidence of an answer, which says how much of a question the best document's best passage
// covers. It is the mean of two shares of the question's words that stand in the passage: each word by its inverse
// document frequency to the power of rarity, and each by that frequency itself and by how often it is said. It is
// absolute, unlike the scores of a search, which are scaled by the best and worst of one answer; and it is a function of
// the documents that the asking person may read, since both the passage and the frequencies are.
//
// How well it tells the questions apart, and what else was tried, is in docs/adr/0016-what-a-budget-buys.md.
const rarity = 1.5

// sayings shapes how often a word is said: once is 1/(1+sayings) of its weight.
const sayings = 1.2

// seamWeight is what a pair of Han, kana or Hangul characters weighs that stands
// in no document: most such pairs are the end of a word and the beginning of
// the next, and say nothing.
const seamWeight = .45

// lexicon is in how many of a persona's documents a term stands.
type lexicon struct {
	documents int
	frequency map[form]int
}

type form struct{ language, term string }

// formsOf returns the forms that stand in the documents, made once for all personas.
func (t *truth) formsOf() map[corpora.DocID][]form {
	if t.forms != nil {
		return t.forms
	}
	t.forms = make(map[corpora.DocID][]form, len(t.docs))
	for id, doc := range t.docs {
		language := analyze.Detect(doc.text)
		seen := make(map[form]bool)
		for _, term := range analyze.Terms(language, doc.title+"\n"+doc.text) {
			if f := (form{language, term}); !seen[f] {
				seen[f] = true
				t.forms[id] = append(t.forms[id], f)
			}
		}
	}
	return t.forms
}

// words counts the readable documents' terms, once per persona.
func (s *scope) words() lexicon {
	if s.lexicon.frequency != nil {
		return s.lexicon
	}
	forms := s.formsOf()
	s.lexicon = lexicon{len(s.readable), make(map[form]int)}
	for id := range s.readable {
		for _, f := range forms[id] {
			s.lexicon.frequency[f]++
		}
	}
	return s.lexicon
}

// idf is 0 for a term of every document.
func (l lexicon) idf(f form) float64 {
	found := l.frequency[f]
	n, df := float64(l.documents), float64(max(found, 1))
	w := math.Log(1 + (max(n, df)-df+.5)/(df+.5))
	if found == 0 && strings.ContainsFunc(f.term, pairedScript) {
		w *= seamWeight
	}
	return w
}

func pairedScript(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul)
}

// coverage is the share, 0 to 1, of the question's weight that stands in text.
func (l lexicon) coverage(language, question, text string) float64 {
	return l.share(language, question, text, func(idf, said float64) (float64, float64) {
		w := math.Pow(idf, rarity)
		return w, w * min(said, 1)
	})
}

// confidence is between 0 and 1; see rarity.
func (l lexicon) confidence(language, question, text string) float64 {
	often := l.share(language, question, text, func(idf, said float64) (float64, float64) {
		return idf, idf * said / (said + sayings)
	})
	return (l.coverage(language, question, text) + often) / 2
}

// share sums over the question's words what value gives for a word's idf and
// the times that the text says it: what it weighs, and what of that is covered.
func (l lexicon) share(language, question, text string, value func(idf, said float64) (weight, covered float64)) float64 {
	said := make(map[string]float64)
	for _, term := range analyze.Terms(language, text) {
		said[term]++
	}
	var covered, whole float64
	asked := make(map[string]bool)
	for _, term := range analyze.Terms(language, question) {
		if asked[term] {
			continue
		}
		asked[term] = true
		w, c := value(l.idf(form{language, term}), said[term])
		whole += w
		covered += c
	}
	if whole == 0 {
		return 0
	}
	return covered / whole
}

// cited is the passage that an answer would be made from: of the best document,
// the one that covers the question best.
func (s *scope) cited(question string, r retrieval.Response) (best retrieval.Passage, confidence float64) {
	words, most := s.words(), -1.0
	for _, result := range r.Results {
		for _, p := range result.Passages {
			language, about := result.Document.Language, result.Document.Title+"\n"+strings.Join(p.Heading, "\n")+"\n"+p.Context+"\n"+p.Text
			if c := words.coverage(language, question, about); c > most {
				best, most = p, c
			}
			confidence = max(confidence, words.confidence(language, question, about))
		}
		if len(result.Passages) > 0 {
			break
		}
	}
	return best, confidence
}
