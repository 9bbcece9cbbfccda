package eval

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"ken/corpora"
	"ken/corpora/source/folder"
)

// Load reads the set in a folder. See [LoadFS].
func Load(dir string) (Set, error) {
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return Set{}, fmt.Errorf("load set: %w", err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		return Set{}, fmt.Errorf("load set: %w", err)
	}
	if !info.IsDir() {
		return Set{}, fmt.Errorf("load set: %s is not a folder", dir)
	}
	return LoadFS(os.DirFS(dir), filepath.Base(absolute))
}

// LoadFS reads a set in BEIR layout. Files are JSON lines, plain or with .gz:
//
//	corpus.jsonl    {_id, title, text}
//	queries.jsonl   {_id, text}
//	qrels.tsv       query-id, corpus-id, score; or qrels/test.tsv
//	answers.jsonl   {_id, answers, supporting, answerability, by_user, outdated}   optional
//	acl.jsonl       {_id, users, groups}      optional; then users.jsonl is needed
//	users.jsonl     {_id, groups}             the personas
//
// In answers.jsonl, answerability is ANSWERABLE or UNANSWERABLE, supporting names
// documents, by_user {user: {answers, supporting, answerability}} is the gold of
// those whose answer is another one, and outdated {documents} names superseded
// pages with a wrong answer.
//
// In place of corpus.jsonl and acl.jsonl there may be a folder named corpus, as
// ken ingests it: its policy says who may read what, and qrels.tsv names
// documents by their path in it.
//
// In place of queries.jsonl, qrels.tsv and answers.jsonl there may be a table
// questions.csv with the columns question, answer, document and id; see loadCSV.
//
// In a set with acl.jsonl, a document that it does not name can be read by
// nobody. Users and groups are plain names or subjects ("user:ann"); the group
// "everyone" is acl.Everyone. Errors name the file and line.
func LoadFS(fsys fs.FS, name string) (Set, error) {
	load := loadBEIR
	if info, err := fs.Stat(fsys, folderName); err == nil && info.IsDir() {
		load = loadFolder
	}
	set, err := load(fsys, name)
	if err != nil {
		return Set{}, fmt.Errorf("load set %s: %w", name, err)
	}
	return set, nil
}

func loadBEIR(fsys fs.FS, name string) (Set, error) {
	set := Set{Name: name}
	docs, err := loadCorpus(fsys, name)
	if err != nil {
		return set, err
	}
	if err := loadACLs(fsys, &set, docs); err != nil {
		return set, err
	}
	set.Source = docs
	known := func(id corpora.DocID) bool { _, ok := docs.place[id]; return ok }
	return set, loadQuestions(fsys, &set, known, func(id string) corpora.DocID { return corpora.DocID(id) })
}

func loadCorpus(fsys fs.FS, name string) (*records, error) {
	docs := &records{name: name, place: make(map[corpora.DocID]int)}
	type line struct {
		ID    string `json:"_id"`
		Title string `json:"title"`
		Text  string `json:"text"`
	}
	err := eachRecord(fsys, "corpus.jsonl", func(l line) error {
		id := corpora.DocID(l.ID)
		if _, twice := docs.place[id]; twice || l.ID == "" {
			return idError(l.ID, twice)
		}
		docs.place[id] = len(docs.list)
		docs.list = append(docs.list, record{id: id, title: l.Title, text: l.Text})
		return nil
	})
	return docs, err
}

func idError(id string, twice bool) error {
	if twice {
		return fmt.Errorf("_id %q stands there twice", id)
	}
	return errors.New("no _id")
}

// folderName is the folder of a set whose documents are files.
const folderName = "corpus"

func loadFolder(fsys fs.FS, name string) (Set, error) {
	set := Set{Name: name}
	files, err := fs.Sub(fsys, folderName)
	if err != nil {
		return set, err
	}
	if set.Source, err = folder.New(files, folder.Options{Name: folderName}); err != nil {
		return set, err
	}
	if err := loadPersonas(fsys, &set); err != nil {
		return set, err
	}
	known := func(id corpora.DocID) bool { _, err := fs.Stat(fsys, string(id)); return err == nil }
	return set, loadQuestions(fsys, &set, known, func(p string) corpora.DocID { return corpora.DocID(path.Join(folderName, p)) })
}

// loadQuestions reads queries, judgements and answers. The judgements name
// documents by what docID turns into an id.
func loadQuestions(fsys fs.FS, set *Set, known func(corpora.DocID) bool, docID func(string) corpora.DocID) error {
	if _, err := fs.Stat(fsys, csvName); err == nil {
		return loadCSV(fsys, set, known, docID)
	}
	place, err := loadQueries(fsys, set)
	if err != nil {
		return err
	}
	if err := loadQrels(fsys, set, place, known, docID); err != nil {
		return err
	}
	return loadAnswers(fsys, set, place, docID)
}

func loadQueries(fsys fs.FS, set *Set) (map[string]int, error) {
	place := make(map[string]int)
	type line struct {
		ID   string `json:"_id"`
		Text string `json:"text"`
	}
	err := eachRecord(fsys, "queries.jsonl", func(l line) error {
		if _, twice := place[l.ID]; twice || l.ID == "" {
			return idError(l.ID, twice)
		}
		if strings.TrimSpace(l.Text) == "" {
			return fmt.Errorf("query %q has no text", l.ID)
		}
		place[l.ID] = len(set.Queries)
		set.Queries = append(set.Queries, Query{ID: l.ID, Text: l.Text, Relevant: make(map[corpora.DocID]int)})
		return nil
	})
	return place, err
}

// loadQrels reads the judgements. Some published sets judge documents or
// queries that they do not hold: such a document counts as relevant and cannot
// be found, such a query is left out, and a note says how many there are.
func loadQrels(fsys fs.FS, set *Set, place map[string]int, known func(corpora.DocID) bool, docID func(string) corpora.DocID) error {
	name, err := qrelsName(fsys)
	if err != nil {
		return err
	}
	var noQuery, noDocument int
	first := true
	err = eachLine(fsys, name, func(text []byte) error {
		j, err := parseJudgement(string(text))
		header := first && err != nil && strings.Count(string(text), "\t") == 2
		first = false
		if header {
			return nil
		}
		if err != nil {
			return err
		}
		i, ok := place[j.query]
		if !ok {
			noQuery++
			return nil
		}
		id := docID(j.document)
		if !known(id) {
			noDocument++
		}
		if grade, twice := set.Queries[i].Relevant[id]; twice && grade != j.grade {
			return fmt.Errorf("query %q and document %q are judged twice, %d and %d", j.query, j.document, grade, j.grade)
		}
		set.Queries[i].Relevant[id] = j.grade
		return nil
	})
	set.note(noQuery, "judgements of queries that the set does not hold: left out")
	set.note(noDocument, "judgements of documents that the set does not hold: counted as not found")
	return err
}

func (s *Set) note(n int, what string) {
	if n > 0 {
		s.Notes = append(s.Notes, fmt.Sprintf("%d %s", n, what))
	}
}

func qrelsName(fsys fs.FS) (string, error) {
	names := []string{"qrels.tsv", "qrels/test.tsv"}
	for _, name := range names {
		if _, err := fs.Stat(fsys, name); err == nil {
			return name, nil
		}
	}
	return "", fmt.Errorf("%s: %w", strings.Join(names, " and "), fs.ErrNotExist)
}

type judgement struct {
	query    string
	document string
	grade    int
}

func parseJudgement(line string) (judgement, error) {
	fields := strings.Split(strings.TrimRight(line, "\r"), "\t")
	if len(fields) != 3 {
		return judgement{}, fmt.Errorf("%d fields, want 3 with tabs between them: query-id, corpus-id, score", len(fields))
	}
	grade, err := strconv.Atoi(strings.TrimSpace(fields[2]))
	if err != nil {
		return judgement{}, fmt.Errorf("score %q is not a whole number", fields[2])
	}
	return judgement{fields[0], fields[1], grade}, nil
}
