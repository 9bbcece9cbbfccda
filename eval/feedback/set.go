package feedback

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"ken/corpora/acl"
)

// Summary counts what became of records.
type Summary struct {
	Queries   int `json:"queries"`
	Judged    int `json:"judged"`    // pairs of question and document
	Users     int `json:"users"`     // who become the personas
	Replaced  int `json:"replaced"`  // records that the same person took back with a later one
	NoText    int `json:"no_text"`   // of questions that were not kept
	Elsewhere int `json:"elsewhere"` // of documents of other sources
}

// ErrNoQuestions is returned where no record has its question.
var ErrNoQuestions = errors.New("no record has the text of its question, so there is nothing to ask: keep questions when recording")

// WriteSet makes a set of the records about the documents of one source, in a
// new folder dir. Its documents are a link to corpus, the folder that the source
// was made of. A document that somebody found useful is relevant; one that people
// found useless alone is judged not to be.
func WriteSet(dir, corpus, source string, records []Record) (Summary, error) {
	s := newSet(source)
	for _, r := range records {
		s.add(r)
	}
	if len(s.queries) == 0 {
		return s.Summary, ErrNoQuestions
	}
	absolute, err := filepath.Abs(corpus)
	if err != nil {
		return s.Summary, fmt.Errorf("make a set: %w", err)
	}
	if err := s.write(dir, absolute); err != nil {
		return s.Summary, fmt.Errorf("make a set: %w", err)
	}
	return s.Summary, nil
}

type pair struct{ query, document string }

type opinion struct {
	pair
	user acl.Subject
	span [2]int
}

type set struct {
	Summary
	prefix   string
	queries  map[string]string // by short hash
	opinions map[opinion]bool
	users    map[acl.Subject][]acl.Subject // with their groups as of the last record
}

func newSet(source string) *set {
	return &set{
		prefix: source + "/", queries: make(map[string]string), opinions: make(map[opinion]bool), users: make(map[acl.Subject][]acl.Subject),
	}
}

// shortHash is enough of a hash to name a question.
const shortHash = 16

func (s *set) add(r Record) {
	path, ok := strings.CutPrefix(string(r.Document), s.prefix)
	user := userOf(r.Subjects)
	switch {
	case !ok || user == "" || strings.ContainsAny(path, "\t\n\r"):
		s.Elsewhere++
		return
	case r.Query == "" || HashOf(r.Query) != r.QueryHash:
		s.NoText++
		return
	}
	id := r.QueryHash[:shortHash]
	o := opinion{pair{id, path}, user, [2]int{r.Span.Start, r.Span.End}}
	if _, again := s.opinions[o]; again {
		s.Replaced++
	}
	s.queries[id], s.opinions[o], s.users[user] = r.Query, r.Useful, r.Subjects
}

func userOf(subjects []acl.Subject) acl.Subject {
	i := slices.IndexFunc(subjects, func(s acl.Subject) bool { return strings.HasPrefix(string(s), string(acl.User(""))) })
	if i < 0 {
		return ""
	}
	return subjects[i]
}

// grades are 1 where anybody found the document useful.
func (s *set) grades() map[pair]int {
	out := make(map[pair]int)
	for o, useful := range s.opinions {
		out[o.pair] = max(out[o.pair], 0)
		if useful {
			out[o.pair] = 1
		}
	}
	return out
}

func (s *set) write(dir, corpus string) error {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	grades := s.grades()
	s.Queries, s.Judged, s.Users = len(s.queries), len(grades), len(s.users)
	var queries, users, qrels bytes.Buffer
	for _, id := range slices.Sorted(maps.Keys(s.queries)) {
		addLine(&queries, map[string]any{"_id": id, "text": s.queries[id]})
	}
	for _, user := range slices.Sorted(maps.Keys(s.users)) {
		addLine(&users, map[string]any{"_id": user, "groups": groupsOf(s.users[user])})
	}
	qrels.WriteString("query-id\tcorpus-id\tscore\n")
	for _, p := range slices.SortedFunc(maps.Keys(grades), func(a, b pair) int {
		return strings.Compare(a.query+"\t"+a.document, b.query+"\t"+b.document)
	}) {
		fmt.Fprintf(&qrels, "%s\t%s\t%d\n", p.query, p.document, grades[p])
	}
	return errors.Join(
		os.WriteFile(filepath.Join(dir, "queries.jsonl"), queries.Bytes(), 0o644),
		os.WriteFile(filepath.Join(dir, "users.jsonl"), users.Bytes(), 0o644),
		os.WriteFile(filepath.Join(dir, "qrels.tsv"), qrels.Bytes(), 0o644),
		os.Symlink(corpus, filepath.Join(dir, "corpus")),
	)
}

func groupsOf(subjects []acl.Subject) []acl.Subject {
	out := []acl.Subject{}
	for _, s := range subjects {
		if strings.HasPrefix(string(s), string(acl.Group(""))) {
			out = append(out, s)
		}
	}
	return out
}

func addLine(b *bytes.Buffer, v any) {
	line, err := json.Marshal(v)
	if err != nil { // strings and lists of them
		panic("feedback: " + err.Error())
	}
	b.Write(append(line, '\n'))
}

// SourceOf is the name that a source made of this folder has unless another was given.
func SourceOf(folder string) string { return filepath.Base(filepath.Clean(folder)) }
