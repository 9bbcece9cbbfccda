package eval

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"iter"
	"strings"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/retrieval"
)

// canaryReader alone may read a canary, and asks nothing.
const canaryReader acl.Subject = "user:ken-canary"

// canaryQuestions is how many questions one canary repeats.
const canaryQuestions = 5

// canaries are documents that nobody who asks may read and that answer to every
// question, since they repeat it: whatever lets an unreadable document through
// lets a canary through first. Each holds a word that stands nowhere else.
type canaries struct {
	corpora.Source
	docs []record
}

func newCanaries(s Set) *canaries {
	c := &canaries{Source: s.Source}
	for from := 0; from < len(s.Queries); from += canaryQuestions {
		var texts []string
		for _, q := range s.Queries[from:min(from+canaryQuestions, len(s.Queries))] {
			texts = append(texts, q.Text)
		}
		word := canaryWord(s.Name, from)
		c.docs = append(c.docs, record{
			id: corpora.DocID("canary/" + word), title: "Canary " + word, acl: acl.Allow(canaryReader),
			text: strings.Join(texts, "\n") + "\n" + word + "\n",
		})
	}
	return c
}

func canaryWord(set string, n int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "canary %s %d", set, n))
	return "cnry" + hex.EncodeToString(sum[:8])
}

// Changes are those of the set's source, and before it is complete the canaries.
func (c *canaries) Changes(ctx context.Context, after corpora.Cursor) iter.Seq2[corpora.Change, error] {
	return func(yield func(corpora.Change, error) bool) {
		for i := range c.docs {
			d := &c.docs[i]
			change := corpora.Change{Op: corpora.Put, ID: d.id, Stamp: stamp}
			change.Load = func(context.Context) (corpora.Document, []byte, error) {
				return (&records{name: c.Name()}).load(d)
			}
			if !yield(change, nil) {
				return
			}
		}
		for change, err := range c.Source.Changes(ctx, after) {
			if !yield(change, err) {
				return
			}
		}
	}
}

// leaks counts the canaries of which a trace is anywhere in the answer.
func (c *canaries) leaks(r retrieval.Response) int {
	if c == nil {
		return 0
	}
	data, err := json.Marshal(r)
	if err != nil {
		return 1 // an answer that cannot be looked into is none that was
	}
	leaks := 0
	for _, d := range c.docs {
		if _, word, _ := strings.Cut(string(d.id), "/"); strings.Contains(string(data), word) {
			leaks++
		}
	}
	return leaks
}
