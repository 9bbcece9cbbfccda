package eval

import (
	"fmt"
	"io/fs"

	"ken/corpora"
)

// goldLine is a gold answer as answers.jsonl has it.
type goldLine struct {
	Answers       []string `json:"answers"`
	Supporting    []string `json:"supporting"`
	Answerability string   `json:"answerability"`
}

const (
	answerable   = "ANSWERABLE"
	unanswerable = "UNANSWERABLE"
)

func loadAnswers(fsys fs.FS, set *Set, place map[string]int, docID func(string) corpora.DocID) error {
	type line struct {
		ID string `json:"_id"`
		goldLine
		ByUser   map[string]goldLine `json:"by_user"`
		Outdated struct {
			Documents []string `json:"documents"`
		} `json:"outdated"`
	}
	return optional(eachRecord(fsys, "answers.jsonl", func(l line) error {
		i, ok := place[l.ID]
		if !ok {
			return fmt.Errorf("answer to query %q, which queries.jsonl does not have", l.ID)
		}
		q := &set.Queries[i]
		q.Gold = l.gold(docID)
		q.Outdated = docIDs(l.Outdated.Documents, docID)
		q.ByPersona = make(map[string]Gold, len(l.ByUser))
		for user, g := range l.ByUser {
			q.ByPersona[user] = g.gold(docID)
		}
		return nil
	}))
}

// gold reads a line. Sets that say something else of answerability than the two
// words (labels of claims, or nothing) do not say whether there is an answer.
func (l goldLine) gold(docID func(string) corpora.DocID) Gold {
	return Gold{
		Answers:    l.Answers,
		Supporting: docIDs(l.Supporting, docID),
		Known:      l.Answerability == answerable || l.Answerability == unanswerable,
		Answerable: l.Answerability == answerable,
	}
}

func docIDs(names []string, docID func(string) corpora.DocID) []corpora.DocID {
	var out []corpora.DocID
	for _, name := range names {
		out = append(out, docID(name))
	}
	return out
}
