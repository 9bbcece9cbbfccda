package sample

import (
	"bufio"
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"

	"ken/corpora/acl"
)

//go:embed all:corpus users.jsonl queries.jsonl qrels.tsv answers.jsonl
var files embed.FS

// Name is the name of the corpus as a source: ids begin with it.
const Name = "pegelwick"

// Set returns the corpus with its questions as an evaluation set: the folder
// corpus, users.jsonl, queries.jsonl, qrels.tsv and answers.jsonl.
func Set() fs.FS { return files }

// Corpus returns the folder of documents, with its policy in .ken/acl.yaml.
func Corpus() (fs.FS, error) { return fs.Sub(files, "corpus") }

// Person is somebody who asks.
type Person struct {
	ID     acl.Subject   `json:"_id"` // "user:ines"
	Groups []acl.Subject `json:"groups"`
	Name   string        `json:"name"`
	Role   string        `json:"role"`
}

// Subjects returns the person's user and groups.
func (p Person) Subjects() []acl.Subject { return append([]acl.Subject{p.ID}, p.Groups...) }

// People returns everybody who asks, in the order of users.jsonl.
func People() ([]Person, error) {
	data, err := files.ReadFile("users.jsonl")
	if err != nil {
		return nil, fmt.Errorf("sample people: %w", err)
	}
	var out []Person
	for lines := bufio.NewScanner(bytes.NewReader(data)); lines.Scan(); {
		var p Person
		if err := json.Unmarshal(lines.Bytes(), &p); err != nil {
			return nil, fmt.Errorf("sample people: line %d: %w", len(out)+1, err)
		}
		out = append(out, p)
	}
	return out, nil
}
