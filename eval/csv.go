package eval

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"ken/corpora"
)

// csvName is a file of questions and answers that stands in place of
// queries.jsonl, qrels.tsv and answers.jsonl.
const csvName = "questions.csv"

// maxCSV bounds it in bytes.
const maxCSV = 64 << 20

// loadCSV reads questions with their answers, one a row. The header names the
// columns, in any order:
//
//	question   needed
//	answer     strings that stand in a document, each right by itself, with | between them; empty: there is none
//	document   that hold it, with | between them; without it every document that holds an answer counts
//	id         without it the number of the row
//
// Columns are parted by commas, semicolons or tabs, as the header is.
func loadCSV(fsys fs.FS, set *Set, known func(corpora.DocID) bool, docID func(string) corpora.DocID) error {
	data, err := fs.ReadFile(fsys, csvName)
	if err != nil {
		return err
	}
	if len(data) > maxCSV || !utf8.Valid(data) {
		return fmt.Errorf("%s: %d bytes, want UTF-8 of at most %d", csvName, len(data), maxCSV)
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	r := csv.NewReader(bytes.NewReader(data))
	r.Comma = separator(data)
	header, err := r.Read()
	if err != nil {
		return fmt.Errorf("%s: %w", csvName, err)
	}
	columns, err := columnsOf(header)
	if err != nil {
		return fmt.Errorf("%s: %w", csvName, err)
	}
	for n := 1; ; n++ {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = addRow(set, columns, row, n, known, docID)
		}
		if err != nil {
			line, _ := r.FieldPos(0)
			return fmt.Errorf("%s:%d: %w", csvName, line, err)
		}
	}
}

// separator is the one that the first line has most of.
func separator(data []byte) rune {
	first, _, _ := bytes.Cut(data, []byte("\n"))
	best := ','
	for _, r := range []rune{';', '\t'} {
		if bytes.Count(first, []byte(string(r))) > bytes.Count(first, []byte(string(best))) {
			best = r
		}
	}
	return best
}

func columnsOf(header []string) (map[string]int, error) {
	columns := make(map[string]int)
	for i, name := range header {
		name = strings.ToLower(strings.TrimSpace(name))
		if !slices.Contains([]string{"question", "answer", "document", "id"}, name) {
			return nil, fmt.Errorf("column %q: want question, answer, document and id", name)
		}
		if _, twice := columns[name]; twice {
			return nil, fmt.Errorf("column %q is there twice", name)
		}
		columns[name] = i
	}
	if _, ok := columns["question"]; !ok {
		return nil, errors.New("no column question")
	}
	return columns, nil
}

func addRow(set *Set, columns map[string]int, row []string, n int, known func(corpora.DocID) bool, docID func(string) corpora.DocID) error {
	field := func(name string) string {
		if i, ok := columns[name]; ok {
			return strings.TrimSpace(row[i])
		}
		return ""
	}
	q := Query{ID: field("id"), Text: field("question"), Relevant: make(map[corpora.DocID]int)}
	if q.ID == "" {
		q.ID = strconv.Itoa(n)
	}
	if q.Text == "" {
		return errors.New("no question")
	}
	if slices.ContainsFunc(set.Queries, func(other Query) bool { return other.ID == q.ID }) {
		return fmt.Errorf("id %q stands there twice", q.ID)
	}
	_, q.Known = columns["answer"]
	q.Answers = parts(field("answer"))
	q.Answerable = len(q.Answers) > 0
	for _, name := range parts(field("document")) {
		id := docID(name)
		if !known(id) {
			return fmt.Errorf("there is no document %q", name)
		}
		q.Relevant[id] = 1
		q.Supporting = append(q.Supporting, id)
	}
	set.Queries = append(set.Queries, q)
	return nil
}

func parts(field string) []string {
	var out []string
	for p := range strings.SplitSeq(field, "|") {
		if p = strings.TrimSpace(p); p != "" {
			out = append(out, p)
		}
	}
	return out
}
