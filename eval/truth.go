package eval

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/retrieval"
)

// truth is the documents as their source has them: what the index says is
// checked against it, never against the index itself.
type truth struct {
	docs  map[corpora.DocID]original
	forms map[corpora.DocID][]form // see formsOf

	canaries *canaries // nil if there are none
}

type original struct {
	title string // "" if the source leaves it to extraction
	text  string // raw
	acl   acl.List
}

// readTruth loads every document. One that cannot be loaded cannot be indexed
// either: it is as if the set did not hold it, and if it shows up it is a leak.
func readTruth(ctx context.Context, source corpora.Source) (*truth, error) {
	t := &truth{docs: make(map[corpora.DocID]original)}
	for change, err := range source.Changes(ctx, "") {
		if err != nil && change.ID == "" {
			return nil, fmt.Errorf("read documents: %w", err)
		}
		if err != nil || change.Op != corpora.Put {
			continue
		}
		if doc, text, err := change.Load(ctx); err == nil {
			t.docs[change.ID] = original{title: doc.Title, text: string(text), acl: doc.ACL}
		}
	}
	return t, ctx.Err()
}

// scope is what one persona may and may not read.
type scope struct {
	*truth
	readable  map[corpora.DocID]bool
	forbidden []corpora.DocID // sorted
	lexicon   lexicon         // see words
}

func (t *truth) scope(p acl.Principal, at time.Time) *scope {
	s := &scope{truth: t, readable: make(map[corpora.DocID]bool)}
	for _, id := range slices.Sorted(maps.Keys(t.docs)) {
		if t.docs[id].acl.Admits(p, at) {
			s.readable[id] = true
		} else {
			s.forbidden = append(s.forbidden, id)
		}
	}
	return s
}

// expected is what should be found: relevant and not forbidden. A judged
// document that the set does not hold stays expected, as in trec_eval.
func (s *scope) expected(relevant map[corpora.DocID]int) map[corpora.DocID]int {
	out := make(map[corpora.DocID]int)
	for id, grade := range relevant {
		_, held := s.docs[id]
		if grade > 0 && (s.readable[id] || !held) {
			out[id] = grade
		}
	}
	return out
}

// leaksOf counts what shows of documents that may not be read: ids in the
// ranking and in the answer, titles, and quoted text.
func (s *scope) leaksOf(ranking []corpora.DocID, r retrieval.Response) int {
	leaks := s.canaries.leaks(r)
	for _, id := range ranking {
		leaks += s.idLeak(id)
	}
	for _, result := range r.Results {
		leaks += s.idLeak(result.Document.ID)
		for _, id := range result.Duplicates {
			leaks += s.idLeak(id)
		}
		own := s.docs[result.Document.ID]
		if own.title != "" && own.title != result.Document.Title {
			leaks++
		}
		for _, passage := range result.Passages {
			leaks += s.idLeak(passage.Citation.Document)
			leaks += s.textLeak(own, passage.Text)
		}
	}
	return leaks
}

func (s *scope) idLeak(id corpora.DocID) int {
	if s.readable[id] {
		return 0
	}
	return 1
}

// quotable is the bytes from which text identifies where it came from.
const quotable = 40

// textLeak reports text that stands in a forbidden document and not in its own.
func (s *scope) textLeak(own original, text string) int {
	text = strings.TrimSpace(text)
	if len(text) < quotable || strings.Contains(own.text, text) {
		return 0
	}
	for _, id := range s.forbidden {
		if strings.Contains(s.docs[id].text, text) {
			return 1
		}
	}
	return 0
}

func isNotFound(err error) bool { return errors.Is(err, retrieval.ErrNotFound) }
