package main

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/embed/hashed"
	"ken/index"
)

// realText makes documents of abstracts, each repeated with variation, and vectors
// of that text. It has as many ACLs as documents, up to 10,000.
type realText struct {
	random    *rand.Rand
	abstracts []abstract
	embedder  *hashed.Embedder
	made      int
}

type abstract struct {
	Title, Text string
	sentences   []string
	words       []string
}

// heldOf is how many groups the documents are for, and heldBy how many of them the
// reader of a tenth holds.
const (
	aclsOfText = 10_000
	heldOf     = 460
	heldBy     = 46
)

var errNoText = errors.New("no real text: KEN_EVAL_DATA names no folder that holds scifact/corpus.jsonl.gz")

func newRealText(seed uint64) (*realText, error) {
	f, err := os.Open(filepath.Join(os.Getenv("KEN_EVAL_DATA"), "scifact", "corpus.jsonl.gz"))
	if err != nil {
		return nil, errNoText
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("read the corpus: %w", err)
	}
	t := &realText{random: rand.New(rand.NewPCG(seed, 3))}
	if t.embedder, err = hashed.New(hashed.Options{Dim: dim}); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var a abstract
		if err := json.Unmarshal(lines.Bytes(), &a); err != nil {
			return nil, fmt.Errorf("read the corpus: %w", err)
		}
		a.sentences, a.words = strings.SplitAfter(a.Text, ". "), strings.Fields(a.Text)
		t.abstracts = append(t.abstracts, a)
	}
	return t, lines.Err()
}

// varied returns the sentences of an abstract in another order, each tenth word one
// of another abstract, so that no text is there twice.
func (t *realText) varied(a abstract) string {
	var out strings.Builder
	for _, s := range t.random.Perm(len(a.sentences)) {
		for _, w := range strings.Fields(a.sentences[s]) {
			if other := t.abstracts[t.random.IntN(len(t.abstracts))].words; t.random.IntN(10) == 0 && len(other) > 0 {
				w = other[t.random.IntN(len(other))]
			}
			out.WriteString(w + " ")
		}
	}
	return out.String()
}

// chunkBytes is about how long a chunk is, that of a hundred made words.
const chunkBytes = 600

// entry makes a document of perDoc chunks. It has no vectors yet; see [realText.embed].
func (t *realText) entry() index.Entry {
	a := t.abstracts[t.made%len(t.abstracts)]
	n := t.made % aclsOfText
	d := corpora.Document{
		ID: corpora.DocID(fmt.Sprintf("text/%d.md", t.made)), Source: benchName, Path: fmt.Sprintf("%d.md", t.made), Title: a.Title, Language: "en",
		ACL: acl.Allow(acl.Group("all"), acl.Group(fmt.Sprint("h", n%heldOf)), acl.User(fmt.Sprint("u", n))),
	}
	t.made++
	e := index.Entry{Document: d}
	text := t.varied(a)
	for at := 0; len(e.Chunks) < perDoc; {
		for len(text) < chunkBytes {
			text += t.varied(t.abstracts[t.random.IntN(len(t.abstracts))])
		}
		end := strings.LastIndexByte(text[:chunkBytes], ' ') + 1
		if end == 0 {
			end = chunkBytes
		}
		e.Chunks = append(e.Chunks, index.Chunk{Doc: d.ID, N: len(e.Chunks), Text: text[:end], Span: index.Span{Start: at, End: at + end}, Tokens: end / 4})
		text, at = text[end:], at+end
	}
	return e
}

func (t *realText) entries(n int) []index.Entry {
	out := make([]index.Entry, n)
	for i := range out {
		out[i] = t.entry()
	}
	return out
}

// embedded makes documents with their vectors.
func (t *realText) embedded(n int) ([]index.Entry, error) {
	entries := t.entries(n)
	for i := range entries {
		var texts []string
		for _, c := range entries[i].Chunks {
			texts = append(texts, index.EmbedText(entries[i].Document, c))
		}
		var err error
		if entries[i].Vectors, err = embedAll(t.embedder, texts); err != nil {
			return nil, err
		}
	}
	return entries, nil
}

// queries are a few words that follow each other in an abstract, and their vectors.
func (t *realText) queries(seed uint64, n int) ([]query, error) {
	r := rand.New(rand.NewPCG(seed, 4))
	out, texts := make([]query, n), make([]string, n)
	for i := range out {
		words := t.abstracts[r.IntN(len(t.abstracts))].words
		for len(words) < 20 {
			words = t.abstracts[r.IntN(len(t.abstracts))].words
		}
		at := r.IntN(len(words) - 8)
		texts[i] = strings.Join(words[at:at+4+i%4], " ")
		out[i].text = texts[i]
	}
	vectors, err := embedAll(t.embedder, texts)
	for i := range vectors {
		out[i].vector = vectors[i]
	}
	return out, err
}

// textReaders are the principals of the cases on real text.
func textReaders() map[string]acl.Principal {
	held := make([]acl.Subject, heldBy)
	for i := range held {
		held[i] = acl.Group(fmt.Sprint("h", i*heldOf/heldBy))
	}
	return map[string]acl.Principal{"all": acl.NewPrincipal("group:all"), "acls": acl.NewPrincipal(held...)}
}
