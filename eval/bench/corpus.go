package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/embed"
	"ken/index"
)

const (
	dim       = 384
	groups    = 50
	perDoc    = 10
	perChunk  = 100
	benchName = "bench"
)

// corpus makes documents one after the other.
type corpus struct {
	random *rand.Rand
	zipf   *rand.Zipf
	center embed.Vector
	mean   float64 // cosine of two vectors, about
	made   int
}

func newCorpus(seed uint64, mean float64) *corpus {
	r := rand.New(rand.NewPCG(seed, 2))
	c := &corpus{random: r, zipf: rand.NewZipf(r, 1.1, 8, 50_000), mean: mean}
	center := rand.New(rand.NewPCG(7, 7)) // the same for queries and chunks
	c.center = gauss(center)
	return c
}

func gauss(r *rand.Rand) embed.Vector {
	v := make(embed.Vector, dim)
	for i := range v {
		v[i] = float32(r.NormFloat64())
	}
	embed.Normalize(v)
	return v
}

func (c *corpus) vector() embed.Vector {
	v := gauss(c.random)
	for i := range v {
		v[i] = float32(math.Sqrt(c.mean))*c.center[i] + float32(math.Sqrt(1-c.mean))*v[i]
	}
	embed.Normalize(v)
	return v
}

func (c *corpus) word() string {
	n := c.zipf.Uint64()
	return string([]byte{'a' + byte(n%26), 'a' + byte(n/26%26), 'a' + byte(n/676%26), 'a' + byte(n/17576%26), 'x'})
}

func (c *corpus) words(n int) string {
	words := make([]string, n)
	for i := range words {
		words[i] = c.word()
	}
	return strings.Join(words, " ")
}

// subjects returns the readers of document n: one of fifty groups; one in a hundred
// and one in a thousand documents have a reader more.
func subjects(n int) []acl.Subject {
	out := []acl.Subject{acl.Group(fmt.Sprint("g", n%groups))}
	if n%100 == 3 {
		out = append(out, "group:percent")
	}
	if n%1000 == 7 {
		out = append(out, "group:permille")
	}
	return out
}

// readers are the principals of the cases and the share of chunks that they read.
func readers() map[string]acl.Principal {
	held := func(n int) acl.Principal {
		var out []acl.Subject
		for i := range n {
			out = append(out, acl.Group(fmt.Sprint("g", i)))
		}
		return acl.NewPrincipal(out...)
	}
	return map[string]acl.Principal{
		"all": held(groups), "tenth": held(groups / 10),
		"percent": acl.NewPrincipal("group:percent"), "permille": acl.NewPrincipal("group:permille"),
	}
}

func (c *corpus) entry() index.Entry {
	d := corpora.Document{
		ID: corpora.DocID(fmt.Sprintf("bench/%d.md", c.made)), Source: benchName, Path: fmt.Sprintf("%d.md", c.made),
		Title: c.words(3), Language: "en", ACL: acl.Allow(subjects(c.made)...),
	}
	c.made++
	e := index.Entry{Document: d}
	at := 0
	for n := range perDoc {
		text := c.words(perChunk)
		e.Chunks = append(e.Chunks, index.Chunk{Doc: d.ID, N: n, Text: text, Span: index.Span{Start: at, End: at + len(text)}, Tokens: perChunk * 2})
		e.Vectors = append(e.Vectors, c.vector())
		at += len(text)
	}
	return e
}

// some returns the vectors of the first n chunks of a corpus that made none yet.
func (c *corpus) some(n int) []embed.Vector {
	var out []embed.Vector
	for len(out) < n {
		out = append(out, c.entry().Vectors...)
	}
	return out
}

func (c *corpus) entries(n int) []index.Entry {
	out := make([]index.Entry, n)
	for i := range out {
		out[i] = c.entry()
	}
	return out
}

// query is what is asked: words, and a vector half of the way to a stored one for
// every other query.
type query struct {
	text   string
	vector embed.Vector
}

func queries(seed uint64, n int, mean float64, stored []embed.Vector) []query {
	c := newCorpus(seed, mean)
	out := make([]query, n)
	for i := range out {
		out[i] = query{c.words(3 + i%3), c.vector()}
		if i%2 == 0 && len(stored) > 0 {
			other := stored[c.random.IntN(len(stored))]
			for j := range out[i].vector {
				out[i].vector[j] += other[j]
			}
			embed.Normalize(out[i].vector)
		}
	}
	return out
}
