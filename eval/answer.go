package eval

import (
	"slices"
	"strings"

	"ken/corpora"
	"ken/retrieval"
)

// scoreAnswer measures packing: whether a gold answer stands in the passages
// that were given. Questions whose answers are no words of their documents
// (labels such as "yes" or "SUPPORT") are not counted.
func (s *scope) scoreAnswer(answers []string, expected map[corpora.DocID]int, r retrieval.Response, o *Outcome) {
	if !s.extractive(answers, expected) {
		return
	}
	hit := 0.0
	if inContext(r, answers) {
		hit = 1
	}
	o.Metrics["answer_in_context"] = hit
}

func inContext(r retrieval.Response, answers []string) bool {
	for _, result := range r.Results {
		for _, passage := range result.Passages {
			if containsAny(passage.Text, answers) {
				return true
			}
		}
	}
	return false
}

func (s *scope) extractive(answers []string, expected map[corpora.DocID]int) bool {
	for id := range expected {
		if containsAny(s.docs[id].text, answers) {
			return true
		}
	}
	return false
}

// containsAny ignores case and differences of white space.
func containsAny(text string, answers []string) bool {
	if len(answers) == 0 {
		return false
	}
	text = plain(text)
	return slices.ContainsFunc(answers, func(answer string) bool {
		answer = plain(answer)
		return answer != "" && strings.Contains(text, answer)
	})
}

func plain(s string) string { return strings.Join(strings.Fields(strings.ToLower(s)), " ") }
