package indextest

import (
	"context"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/embed"
	"ken/index"
)

// The world that operations are drawn from is small, so that they meet: the
// same few documents, people, words and hours again and again.
var (
	noon     = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	subjects = []acl.Subject{"user:ann", "user:bob", "group:hr", "group:it", acl.Everyone, acl.Authenticated}
	paths    = []string{"a/one.md", "a/two.md", "a/b/three.md", "b/four.txt", "five.md", "a/six.html", "c/seven.md"}
	words    = map[string][]string{
		"en":  {"leave", "leaves", "policy", "parental", "running", "runs", "the", "server"},
		"de":  {"Urlaub", "Häuser", "Haus", "und", "Regeln", "server"},
		"zh":  {"育儿假政策", "服务器", "政策"},
		"":    {"server", "leave", "Ωmega"},
		"xxx": {"policy", "server"},
	}
	people = []acl.Principal{
		{}, acl.NewPrincipal(), acl.NewPrincipal("user:ann"), acl.NewPrincipal("user:bob", "group:hr"),
		acl.NewPrincipal("user:ann", "group:hr", "group:it"),
	}
)

// dim is the dimension of the vectors of [model].
const dim = 6

func model(n int) embed.Model {
	return embed.Model{Name: fmt.Sprintf("test-%d", n), Hash: fmt.Sprintf("hash-%d", n), Dim: dim + n%2, Fuse: .1}
}

// embedAs gives a vector that depends on the chunk's text and the model. There
// are few of them, so that scores tie.
func embedAs(m embed.Model) Embedder {
	return func(_ context.Context, chunks []index.Chunk) ([]embed.Vector, error) {
		out := make([]embed.Vector, len(chunks))
		for i, c := range chunks {
			out[i] = vectorOf(m, c.Text)
		}
		return out, nil
	}
}

func vectorOf(m embed.Model, text string) embed.Vector {
	h := fnv.New32a()
	h.Write([]byte(m.Hash + text))
	seed := h.Sum32() % 97
	v := make(embed.Vector, m.Dim)
	for i := range v {
		v[i] = float32((seed>>i)%5) - 2 + float32(i)/8
	}
	embed.Normalize(v)
	return v
}

// genList draws permissions of up to two grants each way, some with limits of time.
func genList() *rapid.Generator[acl.List] {
	grant := rapid.Custom(func(t *rapid.T) acl.Grant {
		g := acl.Grant{Subject: rapid.SampledFrom(subjects).Draw(t, "subject")}
		if rapid.IntRange(0, 3).Draw(t, "limited") == 0 {
			g.NotBefore = noon.Add(time.Duration(rapid.IntRange(-2, 2).Draw(t, "from")) * time.Hour)
		}
		if rapid.IntRange(0, 3).Draw(t, "ends") == 0 {
			g.NotAfter = noon.Add(time.Duration(rapid.IntRange(-1, 3).Draw(t, "to")) * time.Hour)
		}
		return g
	})
	return rapid.Custom(func(t *rapid.T) acl.List {
		return acl.NewList(rapid.SliceOfN(grant, 0, 2).Draw(t, "allow"), rapid.SliceOfN(grant, 0, 1).Draw(t, "deny"))
	})
}

func genID() *rapid.Generator[corpora.DocID] {
	return rapid.Map(rapid.SampledFrom(paths), func(p string) corpora.DocID { return corpora.DocID("wiki/" + p) })
}

// genEntry draws a document of up to three chunks with vectors of m.
func genEntry(m embed.Model) *rapid.Generator[index.Entry] {
	return rapid.Custom(func(t *rapid.T) index.Entry {
		d := corpora.Document{
			ID:        genID().Draw(t, "id"),
			Source:    rapid.SampledFrom([]string{"wiki", "mail"}).Draw(t, "source"),
			MediaType: rapid.SampledFrom([]string{"text/markdown", "text/plain"}).Draw(t, "type"),
			Language:  rapid.SampledFrom([]string{"en", "de", "zh", "", "xxx"}).Draw(t, "language"),
			Class:     rapid.SampledFrom([]string{"", "public", "internal"}).Draw(t, "class"),
			Tags:      rapid.SampledFrom([][]string{nil, {"a"}, {"a", "b"}}).Draw(t, "tags"),
			Stamp:     rapid.StringN(0, 3, 9).Draw(t, "stamp"),
			ACL:       genList().Draw(t, "acl"),
		}
		_, d.Path, _ = strings.Cut(string(d.ID), "/")
		d.Title = genText(d.Language, 2).Draw(t, "title")
		if rapid.Bool().Draw(t, "dated") {
			d.Modified = noon.Add(time.Duration(rapid.IntRange(-3, 3).Draw(t, "modified")) * time.Hour)
		}
		texts := rapid.SliceOfN(genText(d.Language, 8), 0, 3).Draw(t, "texts")
		return NewEntry(m, d, texts...)
	})
}

func genText(language string, most int) *rapid.Generator[string] {
	return rapid.Map(rapid.SliceOfN(rapid.SampledFrom(words[language]), 0, most), func(w []string) string { return strings.Join(w, " ") })
}

// NewEntry returns the document with one chunk per text and the vectors that
// the suite's embedder gives them; none if the model is the zero Model.
func NewEntry(m embed.Model, d corpora.Document, texts ...string) index.Entry {
	e := index.Entry{Document: d}
	at := 0
	for n, text := range texts {
		text += "\n"
		c := index.Chunk{
			Doc: d.ID, N: n, Text: text, Span: index.Span{Start: at, End: at + len(text)}, Tokens: len(strings.Fields(text)), Heading: []string{"Part"},
		}
		if n == 2 {
			c.Context = "| server | policy |"
		}
		at += len(text)
		e.Chunks = append(e.Chunks, c)
		if m.Dim > 0 {
			e.Vectors = append(e.Vectors, vectorOf(m, text))
		}
	}
	return e
}

func genFilter() *rapid.Generator[index.Filter] {
	some := func(t *rapid.T, name string, values ...string) []string {
		return rapid.SliceOfNDistinct(rapid.SampledFrom(values), 0, 2, rapid.ID).Draw(t, name)
	}
	return rapid.Custom(func(t *rapid.T) index.Filter {
		var f index.Filter
		switch rapid.IntRange(0, 9).Draw(t, "filter") {
		case 0:
			f.Sources = some(t, "sources", "wiki", "mail", "none")
		case 1:
			f.Paths = some(t, "paths", "a/", "a/b/", "a/one.md", "a", "", "five.md")
		case 2:
			f.MediaTypes = some(t, "types", "text/markdown", "text/plain")
			f.Languages = some(t, "languages", "en", "de", "und")
		case 3:
			f.Tags, f.Classes = some(t, "tags", "a", "b"), some(t, "classes", "public", "")
		case 4:
			f.Documents = []corpora.DocID{genID().Draw(t, "document")}
		case 5:
			f.After = noon.Add(time.Duration(rapid.IntRange(-3, 3).Draw(t, "after")) * time.Hour)
		case 6:
			f.Before = noon.Add(time.Duration(rapid.IntRange(-3, 3).Draw(t, "before")) * time.Hour)
		}
		if rapid.IntRange(0, 3).Draw(t, "phrased") == 0 {
			f.Phrases = rapid.SliceOfN(genPhrase(), 1, 2).Draw(t, "phrases")
		}
		return f
	})
}

// genPhrase draws words that may stand next to each other somewhere, in one language or none.
func genPhrase() *rapid.Generator[string] {
	return rapid.OneOf(
		genText("en", 3), genText("de", 2), genText("zh", 2), genText("xxx", 2),
		rapid.SampledFrom([]string{"the", "Part", "政策", "育儿假", "儿假政", "leaves the", "server policy", "—", ""}),
	)
}

// genProbe draws questions for a store with model m.
func genProbe(m embed.Model) *rapid.Generator[probe] {
	ks := rapid.SampledFrom([]int{-1, 0, 1, 2, 5, 1_000_000_000})
	return rapid.Custom(func(t *rapid.T) probe {
		var p probe
		for range 2 {
			q := index.TextQuery{Terms: genTerms().Draw(t, "terms"), Filter: genFilter().Draw(t, "filter")}
			q.BM25 = rapid.SampledFrom([]index.BM25{{K1: 1.2, B: .75, Title: 3}, {K1: .9, B: .4, Title: 1}, {}, {K1: 1, B: 1}}).Draw(t, "bm25")
			p.texts = append(p.texts, textProbe{q, ks.Draw(t, "k")})
			v := vectorProbe{vectorOf(m, rapid.StringN(0, 2, 4).Draw(t, "vector")), genFilter().Draw(t, "filter"), ks.Draw(t, "k")}
			p.vectors = append(p.vectors, v)
		}
		for _, path := range append(slices.Clone(paths), "none") {
			p.ids = append(p.ids, corpora.DocID("wiki/"+path))
		}
		return p
	})
}

// genTerms draws terms, unknown and repeated ones among them.
func genTerms() *rapid.Generator[[]index.Term] {
	stems := rapid.SampledFrom([]string{
		"leav", "polici", "parent", "run", "server", "urlaub", "haus", "regel", "政策", "育儿", "服务", "leave", "policy", "unknown",
	})
	languages := rapid.SampledFrom([]string{"en", "de", "zh", "und", "xxx"})
	beginnings := rapid.SampledFrom([]string{
		"le", "leave", "leaves", "polic", "policie", "policy", "par", "parenta", "run", "running", "s", "serve", "the", "urlau", "häu", "育", "服务", "zz", "—",
	})
	form := rapid.Custom(func(t *rapid.T) index.Form {
		if rapid.IntRange(0, 3).Draw(t, "prefix") == 0 {
			return index.Form{Language: languages.Draw(t, "language"), Text: beginnings.Draw(t, "beginning"), Prefix: true}
		}
		return index.Form{Language: languages.Draw(t, "language"), Text: stems.Draw(t, "text")}
	})
	forms := rapid.SliceOfNDistinct(form, 0, 4, func(f index.Form) string { return f.Language })
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) index.Term {
		return index.Term{Forms: forms.Draw(t, "forms"), Weight: rapid.SampledFrom([]float64{1, .2, 2, 0}).Draw(t, "weight")}
	}), 0, 4)
}
