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
// covers: the share of the question's words that stand in it, each word by its
// inverse document frequency to the power of rarity. It is absolute, unlike the
// scores of a search, which are scaled by the best and worst of one answer; and
// it is a function of the documents that the asking person may read, since both
// the passage and the frequencies are.
//
// On the bundled corpus the area under its curve is .84 and .92 (the halves of
// the questions) and on the 18F handbook .93; see docs/adr/0010-evaluation.md.
const rarity = 1.5

// seamWeight is what a pair of Han, kana or Hangul characters weighs that stands
// in no document: most such pairs are the end of a word and the beginning of
// the next, and say nothing.
const seamWeight = .3

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

// weight is 0 for a term of every document.
func (l lexicon) weight(f form) float64 {
	found := l.frequency[f]
	n, df := float64(l.documents), float64(max(found, 1))
	w := math.Pow(math.Log(1+(max(n, df)-df+.5)/(df+.5)), rarity)
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
	have := make(map[string]bool)
	for _, term := range analyze.Terms(language, text) {
		have[term] = true
	}
	var covered, whole float64
	asked := make(map[string]bool)
	for _, term := range analyze.Terms(language, question) {
		if asked[term] {
			continue
		}
		asked[term] = true
		w := l.weight(form{language, term})
		whole += w
		if have[term] {
			covered += w
		}
	}
	if whole == 0 {
		return 0
	}
	return covered / whole
}

// cited is the passage that an answer would be made from: of the best document,
// the one that covers the question best.
func (s *scope) cited(question string, r retrieval.Response) (best retrieval.Passage, confidence float64) {
	words := s.words()
	for _, result := range r.Results {
		for i, p := range result.Passages {
			about := result.Document.Title + "\n" + strings.Join(p.Heading, "\n") + "\n" + p.Context + "\n" + p.Text
			c := words.coverage(result.Document.Language, question, about)
			if i == 0 || c > confidence {
				best, confidence = p, c
			}
		}
		if len(result.Passages) > 0 {
			break
		}
	}
	return best, confidence
}
